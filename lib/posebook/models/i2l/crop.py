"""From a person's box to the network's square crop and back. Source: specs/i2l.md 2.1.

Boxes are x, y, width, height in pixels. Coordinates are continuous: the box's edges map to 0 and the crop's side.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from posebook.errors import PosebookError

MARGIN = 1.25  # the widened box's side over the person's longer side


class CropAffine(NamedTuple):
    """Two maps of homogeneous pixels, each the other's inverse."""

    to_crop: Tensor  # (2, 3) float64, picture -> crop pixels
    to_image: Tensor  # (2, 3) float64, crop -> picture pixels


def clean_box(box: Tensor, width: int, height: int, margin: float = MARGIN) -> Tensor | None:
    """Cut a box to the picture, widen it to a square about its centre, and add a margin.

    Args:
        box: (4,) x, y, width, height as a detector or an annotation gives it, pixels.
        width, height: of the picture, pixels.
        margin: factor on both sides.

    Returns:
        (4,) float64, may reach over the picture; None if nothing of the box is in the picture. Boxes of RootNet's
        result files have been through this already.

    Raises:
        PosebookError: not four numbers.
    """
    x, y, w, h = _four(box).tolist()
    left, top = max(0.0, x), max(0.0, y)
    right = min(width - 1.0, left + max(0.0, w - 1))
    bottom = min(height - 1.0, top + max(0.0, h - 1))
    if not w * h > 0 or right < left or bottom < top:
        return None
    w, h = right - left, bottom - top
    side = max(w, h) * margin
    if side <= 0:
        return None  # a single pixel
    centre = left + w / 2, top + h / 2
    return torch.tensor([centre[0] - side / 2, centre[1] - side / 2, side, side], dtype=torch.float64)


def crop_affine(box: Tensor, size: int = 256, scale: float = 1.0, rotation: float = 0.0) -> CropAffine:
    """Affine map that takes the box to the crop, by three points.

    The box's centre, the middle of its lower and of its right edge, the last two turned and scaled about the centre,
    go to (s/2, s/2), (s/2, s), (s, s/2).

    Args:
        box: (4,) the cleaned box, pixels.
        size: s, the crop's side, pixels.
        scale: of the area that is cut out; above 1 the person gets smaller.
        rotation: radians, x towards y: the area turns by it, so the picture in the crop turns back by it.

    Returns:
        CropAffine.

    Raises:
        PosebookError: a box without area.
    """
    x, y, w, h = _four(box).tolist()
    if not (w > 0 and h > 0 and scale > 0):
        raise PosebookError(f"A crop needs a box with an area and a scale > 0, got box {[x, y, w, h]}, scale {scale}.")
    centre = torch.tensor([x + w / 2, y + h / 2], dtype=torch.float64)
    cos, sin = math.cos(rotation), math.sin(rotation)
    turn = torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)
    linear = scale * turn @ torch.diag(torch.tensor([w, h], dtype=torch.float64)) / size  # crop -> picture
    inverse = torch.linalg.inv(linear)
    half = torch.full((2,), size / 2, dtype=torch.float64)
    to_crop = torch.cat((inverse, (half - inverse @ centre).unsqueeze(1)), 1)
    return CropAffine(to_crop, torch.cat((linear, (centre - linear @ half).unsqueeze(1)), 1))


def flip_box(box: Tensor, width: int) -> Tensor:
    """Box in the mirrored picture, centre x -> width - x - 1 (the official index convention)."""
    box = _four(box)
    x = width - (box[0] + box[2] / 2) - 1 - box[2] / 2
    return torch.stack((x, box[1], box[2], box[3]))


def apply_affine(affine: Tensor, points: Tensor) -> Tensor:
    """Map points: (..., 2, 3) and (..., N, 2) pixels -> (..., N, 2) pixels."""
    return points @ affine[..., :2].mT + affine[..., 2].unsqueeze(-2)


def warp(image: Tensor, to_image: Tensor, size: int = 256, pixel_centre: float = 0.0) -> Tensor:
    """Cut a crop: bilinear, black outside the picture.

    Args:
        image: (C, H, W) floating point.
        to_image: (2, 3) crop -> picture pixels.
        size: the crop's side, pixels.
        pixel_centre: where in itself a pixel is sampled. 0: the official code's (OpenCV's), whose weights and
            annotations count pixels by their index; 0.5: this project's continuous pixels. They differ by up to half a
            picture pixel.

    Returns:
        (C, size, size).
    """
    height, width = image.shape[-2:]
    index = torch.arange(size, device=image.device, dtype=torch.float64) + pixel_centre
    y, x = torch.meshgrid(index, index, indexing="ij")
    at = apply_affine(to_image.to(y), torch.stack((x, y), -1).flatten(0, 1)).view(size, size, 2) - pixel_centre
    extent = torch.tensor([width, height], device=image.device, dtype=torch.float64)
    grid = (2 * at + 1) / extent - 1  # grid_sample's own coordinates, with pixel 0's centre at -1 + 1/extent
    return F.grid_sample(image[None], grid[None].to(image.dtype), padding_mode="zeros", align_corners=False)[0]


def _four(box: Tensor) -> Tensor:
    box = torch.as_tensor(box, dtype=torch.float64)
    if box.shape != (4,) or not box.isfinite().all():
        raise PosebookError(f"Expected a box of four finite numbers x, y, width, height in pixels, got {box}.")
    return box
