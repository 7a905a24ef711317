"""Reading datasets: `open_dataset` renders on first use, `Dataset` hands out samples and whole arrays."""

import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np

from posebook.data.chunks import array_shape, build
from posebook.data.sample import ARRAY_FIELDS, TEXT_FIELDS, VALIDITY_FIELDS, Sample
from posebook.data.store import Recipe
from posebook.errors import PosebookError
from posebook.motion import MOTIONS
from posebook.profile import Profile, laptop
from posebook.splits import SPLITS

KINDS = ("stills", "sequences")


class Dataset:
    """A finished dataset folder.

    Attributes:
        arrays: field name -> memory-mapped array with leading N, as stored (`depth` in millimetres).
        texts: sample_id, subject, action, sequence, clip as (N,) arrays of str; frame as (N,) int.
        manifest: data version, seed, body hash, parameters, ranges reached.
    """

    fields = ARRAY_FIELDS
    text_fields = (*TEXT_FIELDS, "frame")

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.manifest = read_manifest(self.folder)
        count, size = self.manifest["images"], self.manifest["image_size"]
        self.arrays = {field: self._map(field, count, size) for field in self.fields}
        with np.load(self.folder / "index.npz", allow_pickle=False) as index:
            self.texts = {name: index[name] for name in self.text_fields}

    def _map(self, field: str, count: int, size: int) -> np.memmap:
        dims, dtype = self.fields[field]
        shape = array_shape(dims, count, size)
        path = self.folder / f"{field}.bin"
        expected = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if not path.exists() or path.stat().st_size != expected:
            found = path.stat().st_size if path.exists() else "no file"
            raise PosebookError(
                f"Expected {expected} bytes in {path}, found {found}. The dataset was damaged: "
                "run `posebook cache --clear data` and repeat the command."
            )
        return np.memmap(path, dtype, "r", shape=shape)

    def __len__(self) -> int:
        return self.manifest["images"]

    def __getitem__(self, i: int) -> Sample:
        """Sample i; depth in metres; `valid` is False for the fields its dataset lacks."""
        row = {field: np.array(array[i]) for field, array in self.arrays.items()}
        row["depth"] = row["depth"].astype(np.float32) / 1000
        texts = {name: str(self.texts[name][i]) for name in TEXT_FIELDS}
        missing = self.manifest.get("missing_fields", [])
        valid = {name: name not in missing for name in VALIDITY_FIELDS}
        frame = int(self.texts["frame"][i])
        return Sample(**row, **texts, mask=row["parts"] > 0, frame=frame, fps=self.manifest["fps"], valid=valid)

    def describe(self) -> str:
        """One line for protocols and tables."""
        m = self.manifest
        low, high = m["azimuth_reached_degrees"]
        sequences = len(np.unique(self.texts["sequence"]))
        return (
            f"{m['motion_name']} {m['split_name']}: {len(self)} images in {sequences} {m['kind']}, "
            f"{len(m['subjects'])} body shapes, {len(m['clips'])} clips of "
            f"{len(m['motion_subjects'])} motion subjects, azimuth {low:.0f}° to {high:.0f}°, "
            f"version {m['data_version']}"
        )


def read_manifest(folder: Path) -> dict:
    """Manifest of a finished dataset.

    Raises:
        PosebookError: when the folder is not a finished dataset.
    """
    path = folder / "manifest.json"
    if folder.name.endswith(".partial") or not path.exists():
        raise PosebookError(
            f"Expected a finished dataset with a manifest.json in {folder}, found none. Rendering has not ended: "
            "run the command that makes it again (it resumes)."
        )
    return json.loads(path.read_text())


def open_dataset(
    motion: str = "procedural",
    split: str = "train",
    profile: Profile | None = None,
    kind: str | None = None,
    workers: int | None = None,
) -> Dataset:
    """Open one split of the synthetic benchmark, or of a real dataset; make it first if it is not in the cache.

    Args:
        motion: "procedural", "cmu", or a prepared real dataset (data_download/README.md), e.g. "3dpw".
        split: "train", "val" or "test".
        profile: sizes; the laptop profile if None.
        kind: "stills" or "sequences"; default stills for train, sequences for val and test.
        workers: rendering processes; default one per core. The result does not depend on it.

    Raises:
        PosebookError: for an unknown name, missing motion files, a full disk, or a rendering process that was killed.
    """
    kind = kind or ("stills" if split == "train" else "sequences")
    for value, allowed, what in ((split, SPLITS, "split"), (kind, KINDS, "kind")):
        if value not in allowed:
            raise PosebookError(f"Unknown {what} {value!r}: expected one of {', '.join(allowed)}.")
    if motion not in MOTIONS:
        return real_source().open_source(motion, split, profile or laptop(), kind, workers)
    data = (profile or laptop()).data
    counts = {"train": data.train_sequences, "val": data.val_sequences, "test": data.test_sequences}
    count = data.train_images if kind == "stills" else counts[split]
    return Dataset(build(Recipe(motion, split, kind, count, data), workers))


def real_source() -> ModuleType:
    """`posebook.data.real.source`, by name: a set's data version tells its trainings apart, so the code that made it
    need not be part of the hash of trainings on rendered people, which follows import statements."""
    return import_module("posebook.data.real.source")


def need(dataset: Dataset, fields: Sequence[str], what: str) -> None:
    """One sentence when a dataset lacks labels.

    Args:
        dataset: any.
        fields: names of the schema, or of a real dataset's extras.
        what: who needs them, e.g. "chapter 01".

    Raises:
        PosebookError: one of the fields is missing.
    """
    manifest = getattr(dataset, "manifest", {})
    known = (*dataset.arrays, *getattr(dataset, "extras", ()))
    lacking = [field for field in fields if field in manifest.get("missing_fields", ()) or field not in known]
    if not lacking:
        return
    note = manifest.get("lacks", "")  # a real dataset says why
    name = manifest.get("name") or manifest.get("motion_name") or "This dataset"
    raise PosebookError(f"{name} {manifest.get('split_name', '')} has no {', '.join(lacking)}, which {what} needs. "
                        f"{note}".strip())  # fmt: skip
