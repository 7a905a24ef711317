"""Datasets as WebDataset shards: tar files of pictures, read piece by piece in the order in which training takes them.

A folder holds

    shards/000000.tar …   <row>.image.png, <row>.parts.png, <row>.depth.png (16 bit); lossless
    offsets.bin           (N, fields, 2) int64: where each picture's bytes start in its tar file, and how many they are
    <field>.bin, <text>.* labels by row, memory-mapped: a mean over them must not read every picture
    manifest.json         the dataset's own, with its data version, and how it was cut

Any WebDataset pipeline reads the tar files. We read them at the stored offsets instead, because an order that is a
function of seed and position gives every picture once an epoch over any number of processes, and goes on anywhere;
WebDataset deals whole shards to processes, which come out uneven, and cannot go on within an epoch.
"""

import hashlib
import io
import json
import mmap
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from posebook.cache import atomic_path, folder_size
from posebook.data.chunks import array_shape
from posebook.data.dataset import Dataset, read_manifest
from posebook.data.real.derived import zeros
from posebook.data.real.texts import Texts, TextWriter
from posebook.data.remote_shards import RemoteShardFiles, copied_labels, remote_manifest
from posebook.data.sample import TEXT_FIELDS
from posebook.data.shard_pictures import ShardFiles, ShardPictures
from posebook.errors import PosebookError
from posebook.progress import Progress

LAYOUT = 1  # of the folder; raise it when it changes
CHUNK = 256  # rows held in memory while writing


class Written(NamedTuple):
    """What `write_shards` made."""

    pictures: int
    shards: int
    bytes: int


class ShardDataset(Dataset):
    """A folder of shards in place of the dataset that it was made of; pictures are read when they are asked for.

    Args:
        folder: of the labels, and of the pictures unless they lie at an `address` (`remote_shards`).
    """

    def __init__(self, folder: str | Path, address: str = ""):
        self.folder = Path(folder)
        self.manifest = read_manifest(self.folder)
        count, size = len(self), self.manifest["image_size"]
        self.texts = {name: Texts(self.folder, name) for name in TEXT_FIELDS}
        self.texts["frame"] = np.memmap(self.folder / "frame.bin", np.int64, "r")
        names, shards = self.manifest["pictures"], self.manifest["shards"]
        offsets = np.memmap(self.folder / "offsets.bin", np.int64, "r", shape=(count, len(names), 2))
        files, place = (RemoteShardFiles, address) if address else (ShardFiles, self.folder / "shards")
        self.files = files(place, shards, offsets)
        self.arrays = {}
        for name, (dims, dtype) in self.fields.items():
            shape = array_shape(dims, count, size)
            if name in names:
                self.arrays[name] = ShardPictures(self.files, names.index(name), shape, dtype)
            else:
                stored = name in self.manifest["stored"]
                self.arrays[name] = self._map(name, count, size) if stored else zeros(shape, dtype)

    def let_go(self) -> None:
        """Give back the pages of labels that were read: mapped pages count as this process' memory until then."""
        for array in (*self.arrays.values(), self.files.offsets):
            if isinstance(array, np.memmap) and hasattr(mmap, "MADV_DONTNEED"):  # not on Windows
                array.base.madvise(mmap.MADV_DONTNEED)

    def describe(self) -> str:
        """One line for protocols and tables."""
        return f"{self.manifest['described']}, from {len(self.manifest['shards'])} shards"


def open_shards(folder: str | Path) -> ShardDataset:
    """Open what `write_shards` made: a folder, or an address that fsspec knows, e.g. https://host/train.

    Raises:
        PosebookError: nothing is there, or something of another layout.
    """
    address = str(folder) if "://" in str(folder) else ""
    manifest = remote_manifest(address) if address else read_manifest(Path(folder))
    if manifest.get("layout") != LAYOUT:
        raise PosebookError(f"{folder} holds no shards of layout {LAYOUT}. Make them with `posebook shards`.")
    return ShardDataset(copied_labels(address, manifest), address) if address else ShardDataset(folder)


def write_shards(dataset: Dataset, folder: str | Path, per_shard: int = 2000) -> Written:
    """Write a dataset as shards; the folder appears whole or not at all.

    Args:
        dataset: in the sample schema; real ones are cut to their crops.
        folder: must not exist.
        per_shard: pictures in a tar file.

    Raises:
        PosebookError: the folder exists, the extra `train` is missing, or the dataset has no pictures.
    """
    folder, missing = Path(folder), dataset.manifest.get("missing_fields", ())
    pictures = [name for name, (dims, _) in dataset.fields.items() if "H" in dims and name not in missing]
    stored = [name for name in dataset.fields if name not in pictures and name not in missing]
    if folder.exists():
        raise PosebookError(f"{folder} exists already. Name a new folder, or remove this one.")
    if "image" not in pictures:
        raise PosebookError(f"{dataset.describe()} has no pictures, so there is nothing to shard.")
    size = dataset.arrays["image"].shape[1]
    counts = [min(per_shard, len(dataset) - start) for start in range(0, len(dataset), per_shard)]
    own = {"layout": LAYOUT, "image_size": size, "images": len(dataset), "pictures": pictures, "stored": stored,
           "shards": counts, "described": dataset.describe()}  # fmt: skip
    about = json.dumps([own, dataset.manifest["data_version"]], sort_keys=True)
    own["shards_version"] = hashlib.sha256(about.encode()).hexdigest()[:12]
    with atomic_path(folder) as temporary:
        (temporary / "shards").mkdir(parents=True)
        _write_labels(dataset, stored, temporary)
        _write_pictures(dataset, pictures, per_shard, temporary)
        (temporary / "manifest.json").write_text(json.dumps(dataset.manifest | own, indent=1))
    return Written(len(dataset), len(counts), folder_size(folder))


def _chunks(count: int) -> Iterator[slice]:
    return (slice(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK))


def _write_labels(dataset: Dataset, stored: list[str], folder: Path) -> None:
    for name in stored:
        with open(folder / f"{name}.bin", "wb") as stream:
            for rows in _chunks(len(dataset)):
                np.ascontiguousarray(dataset.arrays[name][rows], dataset.fields[name][1]).tofile(stream)
    np.asarray(dataset.texts["frame"][:], np.int64).tofile(folder / "frame.bin")
    for name in TEXT_FIELDS:
        writer = TextWriter(folder, name)
        for rows in _chunks(len(dataset)):
            writer.append([str(text) for text in dataset.texts[name][rows]])
        writer.close()


def _write_pictures(dataset: Dataset, pictures: list[str], per_shard: int, folder: Path) -> None:
    try:
        from webdataset import ShardWriter
    except ImportError as error:
        raise PosebookError("Writing shards needs the extra `train`: pip install -e .[train]") from error
    progress = Progress(len(dataset), "Writing shards", "images")
    with open(folder / "offsets.bin", "wb") as offsets:
        note = lambda path: _offsets(path, pictures).tofile(offsets)  # noqa: E731  called when a tar file is finished
        with ShardWriter(str(folder / "shards" / "%06d.tar"), per_shard, 1e15, note, verbose=0, encoder=False,
                         mtime=0) as out:  # fmt: skip
            for rows in _chunks(len(dataset)):
                arrays = {name: np.asarray(dataset.arrays[name][rows]) for name in pictures}
                for i, row in enumerate(range(rows.start, rows.stop)):
                    parts = {f"{name}.png": png(array[i]) for name, array in arrays.items()}
                    out.write({"__key__": f"{row:09d}", **parts})
                progress.update(rows.stop - rows.start)
    progress.close()


def png(array: np.ndarray) -> bytes:
    """Lossless PNG of (H, W, 3) or (H, W) uint8, or (H, W) uint16."""
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(array)).save(stream, "png")
    return stream.getvalue()


def _offsets(path: str, pictures: list[str]) -> np.ndarray:
    """(n, fields, 2) where the pictures of a tar file start, and their sizes."""
    with tarfile.open(path) as tar:
        found = {member.name: (member.offset_data, member.size) for member in tar}
    keys = sorted({name.partition(".")[0] for name in found})
    return np.array([[found[f"{key}.{name}.png"] for name in pictures] for key in keys], np.int64)
