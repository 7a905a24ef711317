"""The synthetic benchmark on disk: what determines one of its datasets, and what its index and manifest say."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from posebook.body import load_assets
from posebook.cache import cache_dir
from posebook.data.sample import ARRAY_FIELDS, TEXT_FIELDS
from posebook.data.synthetic import Painter, Pool, Row, View, draw_views, heading, seed_words, split_pool
from posebook.motion.kept import kept_clip, motion_version
from posebook.own_body import FREE
from posebook.profile import DataProfile
from posebook.splits import split_hash

SCHEMA = 1  # of the folder layout and of how pictures are made; raise it when either changes


@dataclass(frozen=True)
class Recipe:
    """All that determines a dataset; a `chunks.Plan`."""

    fields = ARRAY_FIELDS

    motion: str
    split: str
    kind: str  # "stills" or "sequences"
    count: int  # of stills or sequences
    profile: DataProfile

    @property
    def frames(self) -> int:
        """Frames of one view."""
        return 1 if self.kind == "stills" else self.profile.frames

    @property
    def rows(self) -> int:
        """Pictures."""
        return self.count * self.frames

    @property
    def image_size(self) -> int:
        """Pixels."""
        return self.profile.image_size

    def title(self) -> str:
        """Words for the progress bar."""
        return f"{self.motion} {self.split} {self.kind}"

    def pool(self) -> Pool:
        """Everyone and everything it may show."""
        return split_pool(self.motion, self.split)

    def drawn(self) -> list[View]:
        """Every view; cheap, so drawn again wherever it is needed."""
        return draw_views([view_id(self, i) for i in range(self.count)], self.pool(), self.frames, self.profile)

    def painter(self) -> Callable[[int, int], list[dict]]:
        """Renders rows start..stop-1."""
        painter, drawn = Painter(self.profile), self.drawn()
        return lambda start, stop: painter.paint(rows_of(self, drawn, start, stop))

    def index(self) -> dict[str, np.ndarray]:
        """Texts and frame numbers of all rows."""
        return index(self, self.drawn())

    def manifest(self) -> dict:
        """What a reader must know."""
        return manifest(self, self.drawn())

    def identity(self) -> dict:
        """Fields that the data version hashes; the number of other splits' images does not belong to it."""
        looks = {
            k: v for k, v in asdict(self.profile).items() if k in ("image_size", "level", "azimuth", "margin", "seed")
        }
        sources = {"body": load_assets("full", FREE).hash, "motion": motion_version(self.motion), "split": split_hash()}
        own = {"motion_name": self.motion, "split_name": self.split, "kind": self.kind, "count": self.count}
        return {"schema": SCHEMA, "frames": self.frames, **looks, **sources, **own}

    def version(self) -> str:
        """Data version: hash of the identity."""
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).hexdigest()[:12]

    def folder(self) -> Path:
        """Where it lives in the cache."""
        return cache_dir("data") / f"{self.motion}-{self.split}-{self.kind}-{self.rows}-{self.version()}"


def view_id(recipe: Recipe, i: int) -> str:
    """Id of still or sequence i."""
    return f"{recipe.motion}-{recipe.split}-{recipe.kind}-{i:06d}"


def rows_of(recipe: Recipe, drawn: list[View], start: int, stop: int) -> list[Row]:
    """Rows start..stop-1 of the dataset."""
    rows = []
    for row in range(start, stop):
        i, t = divmod(row, recipe.frames)
        clip = kept_clip(recipe.motion, drawn[i].clip)
        rows.append(Row(drawn[i], clip, drawn[i].start + t, drawn[i].start + recipe.frames // 2))
    return rows


def index(recipe: Recipe, drawn: list[View]) -> dict[str, np.ndarray]:
    """TEXT_FIELDS and `frame` of every row."""
    texts = {field: [] for field in TEXT_FIELDS}
    frames = []
    for i, view in enumerate(drawn):
        action = kept_clip(recipe.motion, view.clip).action
        for t in range(recipe.frames):
            name = view_id(recipe, i)
            values = (f"{name}-{t:03d}", f"person-{view.subject:03d}", action, name, view.clip)
            for field, value in zip(TEXT_FIELDS, values, strict=True):
                texts[field].append(value)
            frames.append(view.start + t)
    return {"frame": np.array(frames)} | {k: np.array(v) for k, v in texts.items()}


def reached_azimuth(recipe: Recipe, drawn: list[View]) -> np.ndarray:
    """Degrees between heading and camera in every picture, (N,): drawn for the middle frame, changed by turning."""
    angles = []
    for view in drawn:
        turns = [heading(a) for a in kept_clip(recipe.motion, view.clip).global_orient[view.start :][: recipe.frames]]
        angles.append(view.azimuth + turns[recipe.frames // 2] - np.array(turns))
    return np.degrees(np.angle(np.exp(1j * np.concatenate(angles))))


def manifest(recipe: Recipe, drawn: list[View]) -> dict:
    """What a reader must know about a dataset, in plain numbers."""
    azimuth = reached_azimuth(recipe, drawn)
    clips = sorted({v.clip for v in drawn})
    return {
        **recipe.identity(),
        "data_version": recipe.version(),
        "images": recipe.rows,
        "fps": 30.0,
        "subjects": sorted({v.subject for v in drawn}),
        "backgrounds": sorted({v.background for v in drawn}),
        "clips": clips,
        "motion_subjects": sorted({kept_clip(recipe.motion, c).subject for c in clips}),
        "missing_fields": [],  # of the sample schema; the synthetic sets have them all
        "azimuth_reached_degrees": [float(azimuth.min()), float(azimuth.max())],
        "membership": "sha256 hash of subject, clip and background ids: posebook.splits",
        "seed_words_example": seed_words("view", recipe.profile.seed, view_id(recipe, 0)),
    }
