"""Square crops of a person. Pixels are continuous: (0, 0) is the picture's corner, pixel i covers [i, i + 1)."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from posebook.errors import PosebookError

MARGIN = 1.2  # VIBE's demo uses 1.1, SPIN's features 1.2 or 1.3 (specs/vibe.md section 2.3)
LARGEST = 50  # sides of the picture that a box may have


class Crop(NamedTuple):
    """A crop and where it comes from."""

    image: np.ndarray  # (S, S, 3) uint8
    affine: np.ndarray  # (2, 3) float64: crop = affine @ (x, y, 1) of picture pixels, both continuous


def square(box, margin: float = MARGIN) -> np.ndarray:
    """(4,) square box with the centre of `box` (x, y, width, height) and a side of margin max(width, height)."""
    x, y, width, height = np.asarray(box, dtype=np.float64)
    side = margin * max(width, height)
    return np.array([x + (width - side) / 2, y + (height - side) / 2, side, side])


def crop_affine(box, size: int) -> np.ndarray:
    """(2, 3) that takes the picture's pixels to those of a size x size crop of a square `box`."""
    x, y, side = np.asarray(box, dtype=np.float64)[:3]
    scale = size / side
    return np.array([[scale, 0, -scale * x], [0, scale, -scale * y]])


def apply_affine(affine: np.ndarray, points) -> np.ndarray:
    """Points (..., 2) through an affine map (2, 3)."""
    return np.asarray(points) @ affine[:, :2].T + affine[:, 2]


def invert_affine(affine: np.ndarray) -> np.ndarray:
    """(2, 3) of the way back, here from crop to picture."""
    back = np.linalg.inv(affine[:, :2])
    return np.concatenate([back, -back @ affine[:, 2:]], axis=1)


def square_crop(image: np.ndarray, box, size: int, margin: float = MARGIN) -> Crop:
    """Cut a square round a box and scale it, zeros beyond the picture.

    Scaling down averages over all pixels it covers (the official cv2.warpAffine picks single ones, which flickers).

    Args:
        image: (H, W, 3) uint8.
        box: (4,) x, y, width, height, continuous pixels; may lie partly or wholly outside.
        size: S, pixels of the crop's side.
        margin: factor on the longer side of the box.

    Raises:
        PosebookError: pictures or boxes that are none, a box many times larger than the picture.
    """
    image, box = np.asarray(image), np.asarray(box, dtype=np.float64)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise PosebookError(f"image: expected (H, W, 3) uint8, got {image.shape} {image.dtype}.")
    if box.shape != (4,) or not np.isfinite(box).all() or (box[2:] <= 0).any() or not margin > 0 or size < 1:
        raise PosebookError(
            f"Expected a box x, y, width, height with an extent above 0, a margin above 0 and a size of at least 1; "
            f"got {box.tolist()}, {margin} and {size}."
        )
    whole = square(box, margin)
    if whole[2] > LARGEST * max(image.shape[:2]):
        raise PosebookError(
            f"The box {box.tolist()} is more than {LARGEST} times the picture's {image.shape[1]} x {image.shape[0]} "
            "pixels. Is it in this picture's pixels?"
        )
    low = np.floor(whole[:2]).astype(int)
    high = np.ceil(whole[:2] + whole[2:]).astype(int)
    around = Image.fromarray(image).crop((*low.tolist(), *high.tolist()))  # zeros beyond the picture
    inside = (*(whole[:2] - low).tolist(), *(whole[:2] + whole[2:] - low).tolist())
    scaled = around.resize((size, size), Image.Resampling.BILINEAR, box=inside)
    return Crop(np.array(scaled), crop_affine(whole, size))
