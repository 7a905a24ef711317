"""A real dataset in the place of rendered people: what `open_dataset("3dpw", "train")` gives the chapters.

Crops at the profile's size are cut once and kept beside the rendered sets, with the labels that the dataset has. Train
and test are the paper's own splits; validation is the dataset's, or people and scenes taken out of its training split.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from posebook.cache import cache_dir
from posebook.data.chunks import array_shape, build
from posebook.data.dataset import Dataset
from posebook.data.real.catalogue import CATALOGUE, entry
from posebook.data.real.dataset import RealDataset, open_real
from posebook.data.real.derived import zeros
from posebook.data.real.groups import groups_of, half_rows, val_rows
from posebook.data.real.labels import labels_of
from posebook.data.sample import ARRAY_FIELDS, TEXT_FIELDS
from posebook.errors import PosebookError
from posebook.profile import DataProfile, Profile
from posebook.splits import SPLITS

SCHEMA = 1  # of what is kept here; raise it when it changes
HALVES = ("pictures", "motion")
SPLITS_OF = {  # dataset -> its splits for train, val and test; where train and val are one, val is taken out of it
    "3dpw": ("train", "validation", "test"),
    "up3d": ("train", "val", "test"),
    "humaneva": ("train", "train", "validate"),
    "coco": ("train2017", "train2017", "val2017"),
    "posetrack": ("train", "train", "val"),
    "mpii": ("train", "train", "valid"),
}
USUAL = ("train", "train", "test")


@dataclass(frozen=True)
class CropRecipe:
    """All that determines one kept set; a `chunks.Plan`.

    Attributes:
        name, split: of the dataset; train, val or test. kind: "stills" or "sequences". limit: pictures at most.
        half: "" or one of HALVES, of the training people. version: of the prepared split.
    """

    name: str
    split: str
    kind: str
    limit: int
    profile: DataProfile
    half: str
    version: str

    @property
    def fields(self) -> dict:
        """Stored fields: those that the dataset has."""
        return {name: ARRAY_FIELDS[name] for name in ARRAY_FIELDS if name in labels_of(opened(self)).read}

    @property
    def rows(self) -> int:
        """Pictures."""
        return len(picked(self))

    @property
    def image_size(self) -> int:
        """Pixels."""
        return self.profile.image_size

    def title(self) -> str:
        """Words for the progress bar."""
        return f"crops of {self.name} {self.split}"

    def painter(self) -> Callable[[int, int], list[dict]]:
        """Cuts rows start..stop-1."""
        read, rows = labels_of(opened(self)).read, picked(self)

        def paint(start: int, stop: int) -> list[dict]:
            found = {name: function(rows[start:stop]) for name, function in read.items()}
            return [{name: values[i] for name, values in found.items()} for i in range(stop - start)]

        return paint

    def index(self) -> dict[str, np.ndarray]:
        """Texts and frame numbers of all rows."""
        texts, rows = opened(self).texts, picked(self)
        found = {name: np.asarray(texts[name][rows]) for name in TEXT_FIELDS}
        found["action"] = np.where(found["action"] == "", "all", found["action"])
        return {"frame": np.asarray(texts["frame"][rows])} | found

    def manifest(self) -> dict:
        """What a reader must know."""
        real, labels, texts = opened(self), labels_of(opened(self)), self.index()
        lacking = [field for field in ARRAY_FIELDS if field not in labels.read]
        return {
            **self.identity(), "data_version": self.data_version(), "images": self.rows, "fps": real.manifest["fps"],
            "motion_name": self.name, "split_name": self.split, "body": "", "missing_fields": [*lacking, "mask"],
            "lacks": entry(self.name).lacks, "notes": labels.notes, "licence": real.manifest["licence"],
            "subjects": sorted(set(texts["subject"].tolist())), "clips": sorted(set(texts["clip"].tolist())),
        }  # fmt: skip

    def identity(self) -> dict:
        """What the data version hashes."""
        rows = hashlib.sha256(picked(self).astype("<i8").tobytes()).hexdigest()
        return {"schema": SCHEMA, "name": self.name, "own_split": own_splits(self.name)[SPLITS.index(self.split)],
                "kind": self.kind, "image_size": self.image_size, "half": self.half, "prepared": self.version,
                "rows": rows}  # fmt: skip

    def data_version(self) -> str:
        """Hash of the identity."""
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).hexdigest()[:12]

    def folder(self) -> Path:
        """Where it lives in the cache."""
        return cache_dir("data") / f"{self.name}-{self.split}-{self.kind}-{self.rows}-{self.data_version()}"


class SourceDataset(Dataset):
    """Crops of a real dataset behind the interface of the rendered ones; fields that it lacks are zeros."""

    def _map(self, field: str, count: int, size: int) -> np.ndarray:
        if field not in self.manifest["missing_fields"]:
            return super()._map(field, count, size)
        dims, dtype = self.fields[field]
        return zeros(array_shape(dims, count, size), dtype)

    def describe(self) -> str:
        """One line for protocols and tables."""
        m, sequences = self.manifest, len(np.unique(self.texts["sequence"]))
        half = f", half {m['half']}" if m["half"] else ""
        notes = f" ({'; '.join(m['notes'])})" if m["notes"] else ""
        return (
            f"{entry(m['name']).title} {m['split_name']}, from its split {m['own_split']}{half}: {len(self)} images of "
            f"{sequences} sequences, {len(m['subjects'])} people{notes}, version {m['data_version']}"
        )


def open_source(name: str, split: str, profile: Profile, kind: str, workers: int | None = None) -> Dataset:
    """One split of a prepared real dataset, cut on first use.

    Args:
        name: of the catalogue. split: train, val or test.
        profile: sizes; a split is thinned out to as many pictures as the profile trains on.
        kind: "stills" (evenly spread) or "sequences" (runs of consecutive frames, evenly spread).
        workers: processes.

    Raises:
        PosebookError: unknown or hand dataset, a split that is not prepared, a full disk.
    """
    return _open(name, split, kind, profile.data.train_images, profile.data, "", workers)


def open_source_half(name: str, half: str, count: int, profile: Profile, kind: str = "stills") -> Dataset:
    """Training pictures of one half of the people and scenes; nobody and no scene is in both halves.

    Args:
        half: one of HALVES. count: pictures at most. The rest: as `open_source`.
    """
    return _open(name, "train", kind, count, profile.data, half, None)


def _open(name: str, split: str, kind: str, limit: int, sizes: DataProfile, half: str, workers) -> Dataset:
    if name not in {e.name for e in CATALOGUE}:
        names = ", ".join(e.name for e in CATALOGUE)
        raise PosebookError(f"Unknown motion or dataset {name!r}: expected procedural, cmu, or one of {names}.")
    real = open_real(name, own_splits(name)[SPLITS.index(split)], image_size=sizes.image_size)
    if real.manifest["kind"] != "body":
        raise PosebookError(f"{entry(name).title} shows hands; chapters learn from datasets of whole bodies.")
    version = real.manifest["data_version"]
    return SourceDataset(build(CropRecipe(name, split, kind, limit, sizes, half, version), workers))


def own_splits(name: str) -> tuple[str, str, str]:
    """The dataset's own splits that train, val and test are made of."""
    return SPLITS_OF.get(name, USUAL)


@lru_cache(maxsize=8)
def opened(recipe: CropRecipe) -> RealDataset:
    """The prepared split that a kept set is cut from."""
    split = own_splits(recipe.name)[SPLITS.index(recipe.split)]
    return open_real(recipe.name, split, image_size=recipe.profile.image_size)


@lru_cache(maxsize=8)
def picked(recipe: CropRecipe) -> np.ndarray:
    """Rows of the prepared split, in its order: of the right people and scenes, thinned out to the limit.

    Raises:
        PosebookError: no row is left, or only one person or scene is there for two halves.
    """
    real, (train, val, _) = opened(recipe), own_splits(recipe.name)
    keep = np.ones(len(real), dtype=bool)
    if recipe.half or (train == val and recipe.split != "test"):
        groups = groups_of(np.asarray(real.texts["subject"]), np.asarray(real.texts["clip"]))
        if train == val:
            keep = val_rows(groups) == (recipe.split == "val")
        if recipe.half:
            keep[keep] = half_rows(groups[keep], recipe.half, HALVES, real.describe())
    rows = np.flatnonzero(keep)
    if not len(rows):
        raise PosebookError(f"{real.describe()}: expected two people or scenes at least, so that one validates; found "
                            "one. Prepare more of it.")  # fmt: skip
    return thinned(rows, recipe.limit, 1 if recipe.kind == "stills" else recipe.profile.frames)


def thinned(rows: np.ndarray, limit: int, run: int) -> np.ndarray:
    """At most `limit` of some rows: runs of `run` rows next to one another, evenly spread; all where they fit."""
    if len(rows) <= limit:
        return rows
    starts = np.linspace(0, len(rows) - run, max(1, limit // run)).astype(int)
    return rows[np.unique(starts[:, None] + np.arange(run))]
