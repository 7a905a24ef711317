"""THE one place where heat-map cells and pixels are converted into one another.

Pixels are continuous: (0, 0) is the image corner, the first pixel's centre is (0.5, 0.5). Cells are continuous too:
cell i spans [i, i + 1), its centre is i + 0.5. So one scale factor maps one to the other, without a half-cell term:

    pixel = cell * size / grid

The papers differ only in what they call a cell: C2F reads an *index* (argmax) and means the centre of that cell
(specs/c2f.md section 5), I2L-MeshNet takes its expectation over indices as it is (specs/i2l.md). On a 16-cell grid the
difference is half a cell, about 55 mm on a person.
"""

import torch
from torch import Tensor

from posebook.errors import PosebookError

Extent = int | float | tuple[float, float]  # one number for squares, else (width, height)


def index_to_cells(index: Tensor) -> Tensor:
    """Turn cell indices into continuous cells: cell = index + 0.5, the centre (C2F).

    Args:
        index: any shape, integer or an expectation over integer indices.

    Returns:
        Same shape, floating point. I2L's coordinates are continuous already: do not pass them through here.
    """
    return index + 0.5


def _ratio(numerator: Extent, denominator: Extent, like: Tensor) -> Tensor:
    pairs = [v if isinstance(v, tuple) else (v, v) for v in (numerator, denominator)]
    if any(v <= 0 for pair in pairs for v in pair):
        raise PosebookError(f"Grid and image size must be positive, got {numerator} and {denominator}.")
    return torch.tensor([n / d for n, d in zip(*pairs, strict=True)], dtype=like.dtype, device=like.device)


def _scaled(points: Tensor, factor: Tensor) -> Tensor:
    if points.shape[-1] not in (2, 3) or not points.is_floating_point():
        raise PosebookError(
            f"Expected floating-point coordinates (..., 2) or (..., 3), got {tuple(points.shape)} {points.dtype}; "
            "convert indices with index_to_cells first."
        )
    return torch.cat((points[..., :2] * factor, points[..., 2:]), dim=-1)


def grid_to_pixels(cells: Tensor, grid: Extent, size: Extent) -> Tensor:
    """Map continuous grid cells to continuous pixels: pixel = cell * size / grid.

    Args:
        cells: (..., 2) or (..., 3) x, y[, z]; z is handed through untouched.
        grid: cells across the map (or (width, height)).
        size: pixels across the same area (or (width, height)).

    Returns:
        Same shape as `cells`, x and y in pixels of the crop.

    Raises:
        PosebookError: on wrong shapes, integer input or sizes that are not positive.

    Source: specs/c2f.md section 5, point 2.
    """
    return _scaled(cells, _ratio(size, grid, cells))


def pixels_to_grid(pixels: Tensor, grid: Extent, size: Extent) -> Tensor:
    """Map continuous pixels to continuous grid cells: cell = pixel * grid / size, the inverse of `grid_to_pixels`.

    Args:
        pixels: (..., 2) or (..., 3) x, y[, z]; z is handed through untouched.
        grid: cells across the map (or (width, height)).
        size: pixels across the same area (or (width, height)).

    Returns:
        Same shape as `pixels`, x and y in cells.
    """
    return _scaled(pixels, _ratio(grid, size, pixels))
