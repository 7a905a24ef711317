"""Which rows of a prepared split stand for a split of the chapters, and what is kept of them.

Train and test are the paper's own splits; validation is the dataset's, or people and scenes taken out of its training
split. Sequences are clips of the profile's length; sets without any are thinned out picture by picture.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from posebook.cache import cache_dir
from posebook.data.groups import groups_of, half_rows, val_rows
from posebook.data.real.catalogue import CATALOGUE, entry
from posebook.data.real.clips import clips, longest_run, stretch_names
from posebook.data.real.dataset import RealDataset, open_real
from posebook.data.real.labels import Labels, labels_of
from posebook.data.sample import ARRAY_FIELDS, TEXT_FIELDS
from posebook.errors import PosebookError
from posebook.profile import DataProfile
from posebook.splits import SPLITS

SCHEMA = 2  # of what is kept here; raise it when it changes
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
RATE = 30.0  # frames per second of rendered sequences


@dataclass(frozen=True)
class CropRecipe:
    """All that determines one kept set; a `chunks.Plan`.

    Attributes:
        name, split: of the dataset; train, val or test. kind: "stills" or "sequences".
        limit: pictures at most; 0 for all there are, whatever the kind.
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
        return {name: ARRAY_FIELDS[name] for name in ARRAY_FIELDS if name in known(self).read}

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
        read, rows = known(self).read, picked(self)

        def paint(start: int, stop: int) -> list[dict]:
            found = {name: function(rows[start:stop]) for name, function in read.items()}
            return [{name: values[i] for name, values in found.items()} for i in range(stop - start)]

        return paint

    def index(self) -> dict[str, np.ndarray]:
        """Texts and frame numbers of all rows."""
        texts, rows = opened(self).texts, picked(self)
        found = {name: np.asarray(texts[name][rows]) for name in TEXT_FIELDS}
        found["action"] = np.where(found["action"] == "", "all", found["action"])
        frame = np.asarray(texts["frame"][rows])
        if self.kind == "sequences" and has_clips(self):
            found["sequence"] = stretch_names(found["sequence"], frame)
        return {"frame": frame} | found

    def manifest(self) -> dict:
        """What a reader must know."""
        real, labels, texts = opened(self), known(self), self.index()
        lacking = [field for field in ARRAY_FIELDS if field not in labels.read]
        lacking += [] if "parts" in labels.read else ["mask"]
        fps = real.manifest["fps"]
        rate = () if fps in (None, RATE) or self.kind == "stills" else (f"{fps:g} frames per second",)
        return {
            **self.identity(), "data_version": self.data_version(), "images": self.rows, "fps": real.manifest["fps"],
            "motion_name": self.name, "split_name": self.split, "body": labels.body, "missing_fields": lacking,
            "lacks": entry(self.name).lacks, "notes": [*labels.notes, *rate], "licence": real.manifest["licence"],
            "subjects": sorted(set(texts["subject"].tolist())), "clips": sorted(set(texts["clip"].tolist())),
        }  # fmt: skip

    def identity(self) -> dict:
        """What the data version hashes."""
        rows, body = hashlib.sha256(picked(self).astype("<i8").tobytes()).hexdigest(), known(self).body
        clip = {"frames": self.profile.frames} if self.kind == "sequences" else {}
        return {"schema": SCHEMA, "name": self.name, "own_split": own_splits(self.name)[SPLITS.index(self.split)],
                "kind": self.kind, "image_size": self.image_size, "half": self.half, "prepared": self.version,
                "rows": rows} | clip | ({"body": body} if body else {})  # fmt: skip

    def data_version(self) -> str:
        """Hash of the identity."""
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).hexdigest()[:12]

    def folder(self) -> Path:
        """Where it lives in the cache."""
        return cache_dir("data") / f"{self.name}-{self.split}-{self.kind}-{self.rows}-{self.data_version()}"


def recipe_of(name: str, split: str, kind: str, limit: int, sizes: DataProfile, half: str) -> CropRecipe:
    """What determines a set; the arguments are the recipe's.

    Raises:
        PosebookError: unknown or hand dataset, unknown split, a split that is not prepared.
    """
    if split not in SPLITS:
        raise PosebookError(f"Unknown split {split!r}: expected one of {', '.join(SPLITS)}.")
    if name not in {e.name for e in CATALOGUE}:
        names = ", ".join(e.name for e in CATALOGUE)
        raise PosebookError(f"Unknown motion or dataset {name!r}: expected procedural, cmu, or one of {names}.")
    real = open_real(name, own_splits(name)[SPLITS.index(split)], image_size=sizes.image_size)
    if real.manifest["kind"] != "body":
        raise PosebookError(f"{entry(name).title} shows hands; chapters learn from datasets of whole bodies.")
    return CropRecipe(name, split, kind, limit, sizes, half, real.manifest["data_version"])


def own_splits(name: str) -> tuple[str, str, str]:
    """The dataset's own splits that train, val and test are made of."""
    return SPLITS_OF.get(name, USUAL)


@lru_cache(maxsize=8)
def opened(recipe: CropRecipe) -> RealDataset:
    """The prepared split that a kept set is cut from."""
    split = own_splits(recipe.name)[SPLITS.index(recipe.split)]
    return open_real(recipe.name, split, image_size=recipe.profile.image_size)


@lru_cache(maxsize=8)
def known(recipe: CropRecipe) -> Labels:
    """What the prepared split knows of a sample."""
    return labels_of(opened(recipe))


@lru_cache(maxsize=8)
def members(recipe: CropRecipe) -> np.ndarray:
    """Rows of the prepared split, in its order: of the right people and scenes, with a body if the dataset has bodies.

    Raises:
        PosebookError: no row is left, or only one person or scene is there for two halves.
    """
    real, (train, val, _) = opened(recipe), own_splits(recipe.name)
    keep = np.ones(len(real), dtype=bool)
    if "fitted" in real.stored and known(recipe).body:
        keep &= np.asarray(real.stored["fitted"]) > 0
    if recipe.half or (train == val and recipe.split != "test"):
        groups = groups_of(np.asarray(real.texts["subject"]), np.asarray(real.texts["clip"]))
        if train == val:
            keep &= val_rows(groups) == (recipe.split == "val")
        if recipe.half:
            keep[keep] = half_rows(groups[keep], recipe.half, HALVES, real.describe())
    rows = np.flatnonzero(keep)
    if not len(rows):
        raise PosebookError(f"{real.describe()}: expected two people or scenes at least, so that one validates; found "
                            "one. Prepare more of it.")  # fmt: skip
    return rows


@lru_cache(maxsize=8)
def picked(recipe: CropRecipe) -> np.ndarray:
    """Members thinned out to the limit: clips of consecutive frames, or pictures evenly spread."""
    rows, texts = members(recipe), opened(recipe).texts
    if recipe.kind == "sequences" and has_clips(recipe) and recipe.limit:
        place = np.asarray(texts["sequence"][rows]), np.asarray(texts["frame"][rows])
        return rows[clips(*place, recipe.profile.frames, recipe.limit)]
    return thinned(rows, recipe.limit or len(rows))


@lru_cache(maxsize=8)
def has_clips(recipe: CropRecipe) -> bool:
    """Whether any person is seen in as many consecutive frames as a clip has."""
    rows, texts = members(recipe), opened(recipe).texts
    return longest_run(np.asarray(texts["sequence"][rows]), np.asarray(texts["frame"][rows])) >= recipe.profile.frames


def thinned(rows: np.ndarray, limit: int) -> np.ndarray:
    """At most `limit` of some rows, evenly spread."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(limit, len(rows))).astype(int))]
