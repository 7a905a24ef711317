"""A real dataset in the place of rendered people: what `open_dataset("3dpw", "train")` gives the chapters.

Crops at the profile's size are cut once and kept beside the rendered sets, with the labels that the dataset has; see
posebook.data.real.recipe for the splits.
"""

from dataclasses import replace

import numpy as np

from posebook.data.chunks import array_shape, build
from posebook.data.dataset import Dataset, need
from posebook.data.real.catalogue import entry
from posebook.data.real.clips import clips, runs
from posebook.data.real.derived import zeros
from posebook.data.real.recipe import members, opened, recipe_of
from posebook.profile import Profile, laptop

POSES = 200_000  # frames that a motion prior learns from at most


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
    return SourceDataset(build(recipe_of(name, split, kind, profile.data.train_images, profile.data, ""), workers))


def open_source_half(
    name: str, half: str, count: int, profile: Profile, kind: str = "stills", frames: int = 0
) -> Dataset:
    """Training pictures of one half of the people and scenes; nobody and no scene is in both halves.

    Args:
        half: one of HALVES. count: pictures at most. frames: of a clip; the profile's if 0.
        The rest: as `open_source`.
    """
    sizes = replace(profile.data, frames=frames or profile.data.frames)
    return SourceDataset(build(recipe_of(name, "train", kind, count, sizes, half)))


def picture_rows(train: Dataset) -> np.ndarray:
    """Rows of training pictures whose people and scenes are in the half "pictures"; see `open_source_half`."""
    recipe = recipe_of(train.manifest["name"], "train", "stills", 0, laptop().data, "pictures")
    own = np.unique(np.asarray(opened(recipe).texts["clip"][members(recipe)]))
    return np.flatnonzero(np.isin(train.texts["clip"], own))


def training_poses(name: str, length: int) -> list[np.ndarray]:
    """Motion of the people that train, (frames, 69) axis-angle each, `length` frames at least; POSES frames at most.

    Raises:
        PosebookError: the dataset has no body parameters.
    """
    recipe = recipe_of(name, "train", "sequences", 0, laptop().data, "")
    real, rows = opened(recipe), members(recipe)
    need(real, ("body_pose",), "a motion prior")
    sequence, frame = np.asarray(real.texts["sequence"][rows]), np.asarray(real.texts["frame"][rows])
    chosen = clips(sequence, frame, length, POSES)
    poses = np.asarray(real.arrays["body_pose"][rows[chosen]])
    return [poses[start:stop] for start, stop in runs(sequence[chosen], frame[chosen]).tolist()]
