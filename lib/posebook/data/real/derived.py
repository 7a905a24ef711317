"""Arrays that are computed from stored ones when they are read, and arrays of nothing that need no memory."""

from collections.abc import Callable

import numpy as np


class Derived:
    """(N, …) array function(base[rows], boxes[rows]), evaluated for the rows that are asked for."""

    def __init__(self, base: np.ndarray, boxes: np.ndarray, function: Callable[[np.ndarray, np.ndarray], np.ndarray]):
        self.base, self.boxes, self.function = base, boxes, function
        self.shape, self.dtype, self.ndim = base.shape, base.dtype, base.ndim

    def __len__(self) -> int:
        return len(self.base)

    def __getitem__(self, key) -> np.ndarray:
        first, rest = (key[0], key[1:]) if isinstance(key, tuple) else (key, ())
        values = self.function(np.asarray(self.base[first]), np.asarray(self.boxes[first]))
        one_row = np.ndim(self.boxes[first]) == 1
        return values[rest if one_row else (slice(None), *rest)].astype(self.dtype)

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype)


def points_in_crop(size: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Function that takes points (…, J, 2 or 3) of the picture to the crop's pixels; a third number stays."""

    def move(points: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        corner, scale = boxes[..., None, :2], size / boxes[..., None, 2:3]
        return np.concatenate([(points[..., :2] - corner) * scale, points[..., 2:]], -1)

    return move


def K_in_crop(size: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Function that takes pinhole matrices (…, 3, 3) of the picture to the crop's."""

    def move(K: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        scale = (size / boxes[..., 2])[..., None]
        moved = np.array(K, dtype=np.float64)
        moved[..., :2, 2] -= boxes[..., :2]
        moved[..., :2, :] *= scale[..., None]
        return moved

    return move


def zeros(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Read-only zeros that take no memory."""
    return np.broadcast_to(np.zeros((), dtype), shape)
