"""The train split's clips in two halves: one teaches what a body looks like, the other how it moves.

Pictures are taken of the first, sequences of the second. A network that reads single frames knows the clips it was
trained on better than others. Were the temporal networks trained on its answers for the same clips, they would learn to
trust answers that are worse on every new clip.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from posebook.data.chunks import build
from posebook.data.dataset import Dataset, open_dataset, real_source
from posebook.data.store import Recipe
from posebook.data.synthetic import Pool
from posebook.errors import PosebookError
from posebook.motion import MOTIONS
from posebook.profile import Profile

HALVES = ("pictures", "motion")


def half_of(clip: str) -> str:
    """Half of a clip, by a fixed hash of its name."""
    return HALVES[hashlib.sha256(f"posebook-half-1:{clip}".encode()).digest()[0] % 2]


@dataclass(frozen=True)
class HalfRecipe(Recipe):
    """Training sequences of one half's clips. The shorter, the more people, views and scenes in as many pictures.

    Attributes:
        length: frames of a sequence; 0 is the profile's.
        own_people: only the half of the people that goes with this half of the clips.
    """

    half: str = "motion"
    length: int = 0
    own_people: bool = False

    @property
    def frames(self) -> int:
        """Frames of one view."""
        return self.length or Recipe.frames.fget(self)

    def pool(self) -> Pool:
        """The half's clips, and its people where they are cut as well."""
        pool = super().pool()
        pool = pool._replace(clips=[c for c in pool.clips if half_of(c.name) == self.half])
        if self.own_people:
            pool = pool._replace(subjects=[i for i in pool.subjects if half_of(f"person-{i}") == self.half])
        return pool

    def manifest(self) -> dict:
        """What a reader must know."""
        return super().manifest() | {"half": self.half}

    def identity(self) -> dict:
        """Fields that the data version hashes."""
        return super().identity() | {"half": self.half} | ({"own_people": True} if self.own_people else {})


def open_motion_half(motion: str, profile: Profile, workers: int | None = None) -> Dataset:
    """Training sequences, one window long, of the clips that no picture network is trained on; rendered on first use.

    Args:
        motion, profile, workers: as `open_dataset`.

    Raises:
        PosebookError: as `open_dataset`.
    """
    t = profile.temporal
    if motion not in MOTIONS:
        count = t.sequences * t.window
        return real_source().open_source_half(motion, "motion", count, profile, "sequences", t.window)
    return Dataset(build(HalfRecipe(motion, "train", "sequences", t.sequences, profile.data, length=t.window), workers))


def open_disjoint_stills(motion: str, half: str, count: int, profile: Profile, workers: int | None = None) -> Dataset:
    """Training stills of one half's clips and people, so that the stills of both halves have nobody in common.

    Args:
        half: one of HALVES. count: pictures. The rest: as `open_dataset`.

    Raises:
        PosebookError: as `open_dataset`.
    """
    if motion not in MOTIONS:
        return real_source().open_source_half(motion, half, count, profile)
    return Dataset(build(HalfRecipe(motion, "train", "stills", count, profile.data, half, own_people=True), workers))


def picture_rows(train: Dataset) -> np.ndarray:
    """Rows of a training set whose clips belong to the half "pictures".

    Raises:
        PosebookError: none of them does.
    """
    rows = np.flatnonzero([half_of(clip) == "pictures" for clip in train.texts["clip"]])
    if not len(rows):
        raise PosebookError(f"{train.describe()}: expected clips of both halves, found one. Take more images or clips.")
    return rows


def open_picture_half(motion: str, profile: Profile) -> tuple[Dataset, np.ndarray]:
    """The training stills and the rows of them that a picture network may see; see `open_dataset`."""
    train = open_dataset(motion, "train", profile)
    return train, (picture_rows(train) if motion in MOTIONS else real_source().picture_rows(train))
