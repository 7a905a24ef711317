"""A real dataset whole, as `posebook shards` writes it: the chapters' splits and labels, every frame, nothing kept."""

from collections.abc import Callable

import numpy as np

from posebook.data.chunks import array_shape
from posebook.data.dataset import Dataset
from posebook.data.real.derived import zeros
from posebook.data.real.recipe import CropRecipe, known, picked, recipe_of
from posebook.data.real.source import SourceDataset
from posebook.profile import Profile


class ReadRows:
    """(N, …) array whose rows are read or computed when they are asked for.

    Args:
        read: function of row numbers of the prepared split. rows: those that this array has. shape, dtype: of all.
    """

    def __init__(self, read: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, shape: tuple[int, ...], dtype: str):
        self.read, self.rows, self.shape, self.dtype, self.ndim = read, rows, shape, np.dtype(dtype), len(shape)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key) -> np.ndarray:
        chosen = self.rows[key]
        found = np.asarray(self.read(np.atleast_1d(chosen)), self.dtype)
        return found if np.ndim(chosen) else found[0]

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.asarray(self[:], dtype)


class WholeDataset(SourceDataset):
    """All rows of a recipe, straight from the prepared split."""

    def __init__(self, recipe: CropRecipe):
        self.folder, self.manifest, self.texts = recipe.folder(), recipe.manifest(), recipe.index()
        read, rows = known(recipe).read, picked(recipe)
        self.arrays = {}
        for name, (dims, dtype) in self.fields.items():
            shape = array_shape(dims, len(rows), recipe.image_size)
            self.arrays[name] = ReadRows(read[name], rows, shape, dtype) if name in read else zeros(shape, dtype)


def open_whole(name: str, split: str, profile: Profile) -> Dataset:
    """Every frame of a split as the chapters divide the dataset, in the place of `open_dataset`'s thinned one.

    Args:
        name: of the catalogue. split: train, val or test. profile: its image size is that of the crops.

    Raises:
        PosebookError: as `open_dataset`.
    """
    kind = "stills" if split == "train" else "sequences"
    return WholeDataset(recipe_of(name, split, kind, 0, profile.data, ""))
