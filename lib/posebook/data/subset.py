"""Some rows of a dataset as a dataset; its arrays stay on disk."""

import copy

import numpy as np

from posebook.data.dataset import Dataset


class Rows:
    """Some rows of an array that stays on disk; indexed as an array is."""

    def __init__(self, array: np.ndarray, rows: np.ndarray):
        self.array, self.rows = array, rows
        self.shape, self.dtype = (len(rows), *array.shape[1:]), array.dtype

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key) -> np.ndarray:
        return self.array[self.rows[key]]

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.asarray(self.array[self.rows], dtype)


def subset(dataset: Dataset, rows: np.ndarray, name: str) -> Dataset:
    """A dataset of some rows of another; `name` tells its data version from the whole's."""
    part = copy.copy(dataset)
    part.arrays = {key: Rows(values, rows) for key, values in dataset.arrays.items()}
    part.texts = {key: values[rows] for key, values in dataset.texts.items()}
    version = f"{dataset.manifest['data_version']}-{name}"
    part.manifest = dataset.manifest | {"images": len(rows), "data_version": version}
    return part
