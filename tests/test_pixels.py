"""The one mapping between grid cells and pixels."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.pixels import grid_to_pixels, index_to_cells, pixels_to_grid


def test_cell_centres_land_in_the_middle_of_their_pixels():
    """Brute force: on 64 px and 16 cells, cell i covers pixels 4i..4i+3, whose centres average to 4i + 2."""
    index = torch.arange(16).float()
    covered = torch.stack([torch.arange(4 * i, 4 * i + 4).float() + 0.5 for i in range(16)]).mean(1)
    points = index_to_cells(torch.stack((index, index), -1))
    torch.testing.assert_close(grid_to_pixels(points, 16, 64)[:, 0], covered)


def test_corners_map_to_corners_and_z_is_untouched():
    corners = torch.tensor([[0.0, 0.0, 7.25], [16.0, 16.0, -1.0]])
    expected = torch.tensor([[0.0, 0.0, 7.25], [64.0, 64.0, -1.0]])
    assert torch.equal(grid_to_pixels(corners, 16, 64), expected)


def test_inverse_and_unequal_sides():
    pixels = torch.rand(5, 7, 3, dtype=torch.float64) * 100
    back = grid_to_pixels(pixels_to_grid(pixels, (12, 20), (96, 80)), (12, 20), (96, 80))
    torch.testing.assert_close(back, pixels)
    assert pixels_to_grid(torch.tensor([[96.0, 40.0]]), (12, 20), (96, 80)).tolist() == [[12.0, 10.0]]


@pytest.mark.parametrize(
    ("points", "grid"), [(torch.zeros(3, 2).long(), 16), (torch.zeros(3, 4), 16), (torch.zeros(3, 2), 0)]
)
def test_bad_input_is_refused(points, grid):
    with pytest.raises(PosebookError):
        grid_to_pixels(points, grid, 64)
