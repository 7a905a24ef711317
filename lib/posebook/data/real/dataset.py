"""Prepared real datasets: the benchmark's own `Dataset`, with crops cut and joints moved when they are read."""

from pathlib import Path

import numpy as np

from posebook.cache import cache_dir
from posebook.data.chunks import array_shape
from posebook.data.dataset import Dataset, need, read_manifest
from posebook.data.real.block import DIMS, TEXTS
from posebook.data.real.catalogue import entry
from posebook.data.real.derived import Derived, K_in_crop, points_in_crop, zeros
from posebook.data.real.images import CroppedImages
from posebook.data.real.masks import masks_of
from posebook.data.real.texts import Texts
from posebook.data.sample import TEXT_FIELDS, Sample
from posebook.errors import PosebookError
from posebook.hand.sample import HAND_FIELDS, HandSample
from posebook.joint_atlas import atlas_set
from posebook.profile import Profile, laptop

__all__ = ["RealDataset", "RealHandDataset", "need", "open_real", "split_folder"]

PARAMETERS = ("global_orient", "body_pose", "betas", "transl")
IN_PIXELS = ("joints2d", "joints2d_h36m17", "keypoints2d")


class RealDataset(Dataset):
    """A prepared split.

    Args:
        folder: of the split.
        image_size: pixels of the crops.

    Attributes:
        arrays: fields of the sample schema, (N, …); zeros where `manifest["missing_fields"]` names them.
        extras: what the dataset has besides: keypoints2d, keypoints3d (in the joint set manifest["keypoints"]),
            distortion, fps, mask (N, S, S) and others. keypoints2d are pixels of the crop with a confidence.
        stored: the same in pixels of the whole picture. boxes: (N, 4) x, y, side, side there.
        texts: those of the schema, `frame`, `camera` and `image` (path below manifest["source"]).

    Raises:
        PosebookError: the folder is no finished dataset, or damaged.
    """

    def __init__(self, folder: str | Path, image_size: int):
        self.folder, self.image_size = Path(folder), image_size
        self.manifest = read_manifest(self.folder)
        self.manifest["lacks"] = entry(self.manifest["name"]).lacks
        self.texts = {name: Texts(self.folder, name) for name in TEXTS}
        self.texts["frame"] = self._stored("frame", (), np.int64)
        self.stored = {name: self._stored(name, self._dims(name)) for name in self.manifest["stored"]}
        self.boxes = self.stored["box"]
        seen = {name: self._in_crop(name, array) for name, array in self.stored.items()}
        self.arrays = {name: seen[name] if name in seen else self._absent(name) for name in self.fields}
        self.extras = {name: array for name, array in seen.items() if name not in self.fields}
        self._find_masks()

    def _find_masks(self) -> None:
        m = self.manifest
        masks = masks_of(m["name"], Path(m["source"]), self.texts["image"], self.texts["clip"], self.boxes,
                         self.image_size)  # fmt: skip
        if masks is not None:
            self.extras["mask"] = masks
            m["missing_fields"] = [field for field in m["missing_fields"] if field != "mask"]

    def _dims(self, name: str) -> tuple[int, ...]:
        count = len(atlas_set(self.manifest["keypoints"])) if self.manifest["keypoints"] else 0
        return tuple(count if n == "J" else n for n in DIMS[self.manifest["kind"]][name])

    def _stored(self, name: str, dims: tuple[int, ...], dtype=np.float32) -> np.memmap:
        shape, path = (self.manifest["images"], *dims), self.folder / f"{name}.bin"
        expected = int(np.prod(shape)) * np.dtype(dtype).itemsize
        found = path.stat().st_size if path.is_file() else "no file"
        if found != expected:
            raise PosebookError(f"Expected {expected} bytes in {path}, found {found}. Remove the folder and prepare "
                                "the dataset again with its script in data_download/.")  # fmt: skip
        return np.memmap(path, dtype, "r", shape=shape)

    def _in_crop(self, name: str, array: np.ndarray):
        if name in IN_PIXELS:
            return Derived(array, self.boxes, points_in_crop(self.image_size))
        return Derived(array, self.boxes, K_in_crop(self.image_size)) if name == "K" else array

    def _absent(self, name: str):
        if name == "image" and "image" not in self.manifest["missing_fields"]:
            return CroppedImages(Path(self.manifest["source"]), self.texts["image"], self.boxes, self.image_size)
        dims, dtype = self.fields[name]
        return zeros(array_shape(dims, len(self), self.image_size), dtype)

    def __getitem__(self, i: int) -> Sample:
        """Sample i; `valid` is False for what the dataset lacks."""
        sample = super().__getitem__(i)
        if "mask" in self.extras:
            sample = sample._replace(mask=self.extras["mask"][i])
        if "fps" in self.extras:
            sample = sample._replace(fps=float(self.extras["fps"][i]))
        if "fitted" in self.extras and not self.extras["fitted"][i]:
            sample = sample._replace(valid=sample.valid | dict.fromkeys(PARAMETERS, False))
        return sample

    def describe(self) -> str:
        """One line for protocols and tables."""
        m = self.manifest
        left = f", {sum(m['left_out'].values())} frames left out" if m["left_out"] else ""
        return (f"{m['name']} {m['split_name']}: {len(self)} images in {m['sequences']} sequences of "
                f"{len(m['subjects'])} subjects{left}, version {m['data_version']}")  # fmt: skip


class RealHandDataset(RealDataset):
    """A prepared split of a hand dataset: HAND_FIELDS, HandSample."""

    fields = HAND_FIELDS

    def __getitem__(self, i: int) -> HandSample:
        """Sample i."""
        row = {field: np.array(array[i]) for field, array in self.arrays.items()}
        row["depth"] = row["depth"].astype(np.float32)
        texts = {name: self.texts[name][i] for name in TEXT_FIELDS}
        missing = self.manifest["missing_fields"]
        valid = {name: name not in missing for name in (*HAND_FIELDS, "mask")}
        mask = self.extras["mask"][i] if "mask" in self.extras else row["parts"] > 0
        return HandSample(**row, **texts, mask=mask, valid=valid)


def split_folder(name: str, split: str, root: Path | None = None) -> Path:
    """Where a split is prepared: below `root`, the cache's `real` folder by default."""
    return (root or cache_dir("real") / name) / split


def open_real(name: str, split: str, profile: Profile | None = None, root: Path | None = None,
              image_size: int = 0) -> RealDataset:  # fmt: skip
    """A prepared split, in place of `open_dataset`.

    Args:
        name: of the catalogue, e.g. "3dpw".
        split: the dataset's own, e.g. "test".
        profile: its image size is that of the crops; the laptop profile if None.
        root: folder given to the script as --out; the cache by default.
        image_size: pixels of the crops, if not the profile's.

    Raises:
        PosebookError: unknown names, or a split that is not prepared (the message holds the command).
    """
    known = entry(name)
    if split not in known.splits:
        raise PosebookError(f"{known.title} has no split {split!r}; it has {', '.join(known.splits)}.")
    folder = split_folder(name, split, root)
    if not (folder / "manifest.json").is_file():
        raise PosebookError(f"{known.title} {split} is not prepared ({folder}). Run python data_download/"
                            f"{known.script} --source <your files>; get them from {known.register}.")  # fmt: skip
    kind = read_manifest(folder)["kind"]
    return (RealHandDataset if kind == "hand" else RealDataset)(
        folder, image_size or (profile or laptop()).data.image_size
    )
