"""The hand benchmark on disk: rendered on first use, read as the body's datasets are."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from posebook.cache import cache_dir
from posebook.data.chunks import build
from posebook.data.dataset import Dataset
from posebook.data.sample import TEXT_FIELDS
from posebook.errors import PosebookError
from posebook.hand.assets import load_hand_assets
from posebook.hand.profile import HandProfile, hand_profile
from posebook.hand.sample import DEPTH_UNIT, HAND_FIELDS, HandSample
from posebook.hand.synthetic import HandPainter, HandView, draw_view, pose_of
from posebook.splits import SPLITS, split_hash

SCHEMA = 1  # of how pictures of hands are made; raise it with any change


@dataclass(frozen=True)
class HandRecipe:
    """All that determines a hand dataset; a `posebook.data.chunks.Plan`."""

    split: str
    rows: int  # pictures
    profile: HandProfile

    fields = HAND_FIELDS

    @property
    def image_size(self) -> int:
        """Pixels."""
        return self.profile.image_size

    def identity(self) -> dict:
        """Fields that the data version hashes; the number of other splits' images does not belong to it."""
        looks = {k: v for k, v in asdict(self.profile).items() if k in ("image_size", "turn", "margin", "seed")}
        sources = {"hand": load_hand_assets().hash, "split": split_hash()}
        return {"hand_schema": SCHEMA, **looks, **sources, "split_name": self.split, "count": self.rows}

    def version(self) -> str:
        """Data version: hash of the identity."""
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).hexdigest()[:12]

    def folder(self) -> Path:
        """Where it lives in the cache."""
        return cache_dir("data") / f"hand-{self.split}-{self.rows}-{self.version()}"

    def title(self) -> str:
        """Words for the progress bar."""
        return f"hands, {self.split}"

    def sample_id(self, i: int) -> str:
        """Id of picture i."""
        return f"hand-{self.split}-{i:06d}"

    def views(self, start: int, stop: int) -> list[HandView]:
        """What pictures start..stop-1 show."""
        return [draw_view(self.sample_id(i), self.split, self.profile) for i in range(start, stop)]

    def painter(self) -> Callable[[int, int], list[dict]]:
        """Renders rows start..stop-1."""
        painter = HandPainter(self.profile)
        return lambda start, stop: painter.paint(self.views(start, stop))

    def index(self) -> dict[str, np.ndarray]:
        """TEXT_FIELDS of every row."""
        texts, skeleton = {field: [] for field in TEXT_FIELDS}, load_hand_assets().skeleton
        for i, view in enumerate(self.views(0, self.rows)):
            name = self.sample_id(i)
            grasp = pose_of(view.pose, skeleton).grasp
            values = (name, f"person-{view.subject:03d}", grasp, name, f"pose-{view.pose:05d}")
            for field, value in zip(TEXT_FIELDS, values, strict=True):
                texts[field].append(value)
        return {field: np.array(values) for field, values in texts.items()}

    def manifest(self) -> dict:
        """What a reader must know, in plain numbers."""
        views = self.views(0, self.rows)
        return {
            **self.identity(),
            "data_version": self.version(),
            "images": self.rows,
            "subjects": sorted({v.subject for v in views}),
            "backgrounds": sorted({v.background for v in views}),
            "poses": len({v.pose for v in views}),
            "missing_fields": [],
            "membership": "sha256 hash of subject, pose and background ids: posebook.splits",
        }


class HandDataset(Dataset):
    """A finished hand dataset folder.

    Attributes:
        arrays: field name -> memory-mapped array with leading N, as stored (`depth` in units of DEPTH_UNIT).
        texts: sample_id, subject, action, sequence, clip as (N,) arrays of str.
        manifest: data version, seed, hand hash, parameters.
    """

    fields = HAND_FIELDS
    text_fields = TEXT_FIELDS

    def __getitem__(self, i: int) -> HandSample:
        """Sample i; depth in metres."""
        row = {field: np.array(array[i]) for field, array in self.arrays.items()}
        row["depth"] = row["depth"].astype(np.float32) * np.float32(DEPTH_UNIT)
        texts = {name: str(self.texts[name][i]) for name in TEXT_FIELDS}
        missing = self.manifest["missing_fields"]
        valid = {name: name not in missing for name in (*HAND_FIELDS, "mask")}
        return HandSample(**row, **texts, mask=row["parts"] > 0, valid=valid)

    def describe(self) -> str:
        """One line for protocols and tables."""
        m = self.manifest
        return (
            f"rendered hands {m['split_name']}: {len(self)} images, {len(m['subjects'])} hand shapes, {m['poses']} "
            f"poses, turned up to {m['turn']:.0f}° from palm or back, version {m['data_version']}"
        )


def open_hand_dataset(
    split: str = "train", profile: HandProfile | None = None, workers: int | None = None
) -> HandDataset:
    """Open one split of the hand benchmark; render it first if it is not in the cache.

    Args:
        split: "train", "val" or "test".
        profile: sizes; the laptop profile if None.
        workers: rendering processes; default one per core. The result does not depend on it.

    Raises:
        PosebookError: for an unknown name, a full disk, or a rendering process that was killed.
    """
    if split not in SPLITS:
        raise PosebookError(f"Unknown split {split!r}: expected one of {', '.join(SPLITS)}.")
    profile = profile or hand_profile()
    count = {"train": profile.train_images, "val": profile.val_images, "test": profile.test_images}[split]
    return HandDataset(build(HandRecipe(split, count, profile), workers))
