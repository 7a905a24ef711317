"""Crops: continuous pixels, zeros beyond the picture, and a map that says where everything went."""

import numpy as np
import pytest

from posebook.data.camera import crop_K
from posebook.errors import PosebookError
from posebook.video import apply_affine, crop_affine, invert_affine, square_crop

ACROSS, DOWN = np.meshgrid(np.arange(0, 200, 2), np.arange(0, 160, 2))
RAMP = np.stack([ACROSS, DOWN, 0 * DOWN], -1).astype(np.uint8)


def test_a_whole_pixel_crop_is_a_slice():
    found = square_crop(RAMP, [20, 10, 40, 30], 40, margin=1.0)
    np.testing.assert_array_equal(found.image, RAMP[5:45, 20:60])
    np.testing.assert_allclose(apply_affine(found.affine, [[20, 5], [60, 45]]), [[0, 0], [40, 40]])


@pytest.mark.parametrize(("box", "size"), [([30.3, 20.6, 31, 24], 64), ([5.5, 3.2, 70, 61], 32)])
def test_pixels_are_where_the_affine_says(box, size):
    """The ramp's red is 2 x and its green 2 y, at pixel middles 2 (x - 1/2): read a crop's pixel, find its place."""
    found = square_crop(RAMP, box, size, margin=1.1)
    rows, columns = np.mgrid[size // 4 : 3 * size // 4, size // 4 : 3 * size // 4]
    places = apply_affine(invert_affine(found.affine), np.stack([columns + 0.5, rows + 0.5], -1))
    np.testing.assert_allclose(found.image[rows, columns, :2], 2 * (places - 0.5), atol=1.01)


def test_zeros_beyond_the_picture():
    white = np.full((50, 50, 3), 255, np.uint8)
    found = square_crop(white, [-25, 0, 50, 50], 50, margin=1.0).image
    assert not found[:, :25].any() and (found[:, 25:] == 255).all()
    assert not square_crop(white, [500, 500, 50, 50], 8).image.any()


@pytest.mark.parametrize("margin", [1.1, 1.2, 1.3])
def test_the_margin_scales_the_longer_side_about_the_centre(margin):
    affine = square_crop(RAMP, [30, 20, 20, 40], 100, margin).affine
    assert affine[0, 0] == pytest.approx(100 / (40 * margin))
    np.testing.assert_allclose(apply_affine(affine, [40, 40]), [50, 50])


def test_it_is_the_crop_of_a_pinhole_camera():
    K, box = np.array([[500.0, 0, 60], [0, 500, 40], [0, 0, 1]]), np.array([12.0, 7, 33, 33])
    expected = np.concatenate([crop_affine(box, 64), [[0, 0, 1]]]) @ K
    np.testing.assert_allclose(crop_K(K, box, 64), expected)


def test_scaling_down_averages():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    found = square_crop(stripes, [0, 0, 64, 64], 8, margin=1.0).image
    assert np.abs(found[2:-2, 2:-2].astype(int) - 100).max() <= 3


def test_what_is_no_picture_or_no_box_is_refused():
    for image in (RAMP.astype(float), RAMP[..., 0]):
        with pytest.raises(PosebookError, match=r"expected \(H, W, 3\) uint8"):
            square_crop(image, [0, 0, 5, 5], 8)
    for box in ([0, 0, 0, 5], [0, 0, np.inf, 5], [0, 0, 5]):
        with pytest.raises(PosebookError, match="Expected a box"):
            square_crop(RAMP, box, 8)
    with pytest.raises(PosebookError, match="50 times"):
        square_crop(RAMP, [0, 0, 1e6, 5], 8)
