"""Box, affine maps and warp against recorded official values and an independent resampler."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform

from posebook.errors import PosebookError
from posebook.models.i2l.crop import apply_affine, clean_box, crop_affine, flip_box, warp


@pytest.mark.parity
def test_clean_box_repeats_the_recorded_ones(recorded):
    for case in recorded["geometry"]["process_bbox"]:
        found = clean_box(torch.tensor(case["box"]), case["width"], case["height"])
        if case["out"] is None:
            assert found is None
        else:
            torch.testing.assert_close(found, case["out"], atol=1e-5, rtol=0)


def test_demo_box_and_affine():
    """The check values printed in specs/i2l.md 2.1."""
    box = clean_box(torch.tensor([139.41, 102.25, 222.39, 241.57]), 640, 392)
    torch.testing.assert_close(box, torch.tensor([99.74875, 72.17875, 300.7125, 300.7125]).double(), atol=1e-4, rtol=0)
    to_crop, to_image = crop_affine(box)
    wanted = [[0.8513115, 0, -84.917259], [0, 0.8513116, -61.446625]]
    torch.testing.assert_close(to_crop, torch.tensor(wanted).double(), atol=1e-4, rtol=1e-6)
    wanted = [[1.1746582, 0, 99.748749], [0, 1.1746581, 72.178772]]
    torch.testing.assert_close(to_image, torch.tensor(wanted).double(), atol=1e-4, rtol=1e-6)


@pytest.mark.parity
def test_affine_repeats_the_recorded_ones(recorded):
    for case in recorded["geometry"]["affine"]:
        w, h = case["width"], case["height"]
        box = torch.tensor([case["cx"] - w / 2, case["cy"] - h / 2, w, h], dtype=torch.float64)
        found = crop_affine(box, 256, case["scale"], math.radians(case["rot_deg"]))
        torch.testing.assert_close(found.to_crop, case["img2bb"].double(), atol=1e-3, rtol=0)
        torch.testing.assert_close(found.to_image, case["bb2img"].double(), atol=1e-3, rtol=0)


@pytest.mark.parity
def test_flipped_demo_repeats_the_recorded_one(recorded):
    demo = recorded["geometry"]["demo"]
    box = flip_box(demo["bbox"], demo["image_shape"][1])
    found = crop_affine(box, 256, 0.9, math.radians(20))
    torch.testing.assert_close(found.to_crop, demo["flip"]["img2bb"].double(), atol=1e-3, rtol=0)
    torch.testing.assert_close(found.to_image, demo["flip"]["bb2img"].double(), atol=1e-3, rtol=0)


def test_box_edges_map_to_the_crops_edges():
    box = torch.tensor([10.0, 20, 60, 60])
    found = crop_affine(box, 256)
    corners = torch.tensor([[10.0, 20], [70, 20], [70, 80]]).double()
    crop = apply_affine(found.to_crop, corners)
    torch.testing.assert_close(crop, torch.tensor([[0.0, 0], [256, 0], [256, 256]]).double())
    torch.testing.assert_close(apply_affine(found.to_image, crop), corners)


@pytest.mark.parametrize("pixel_centre", [0.0, 0.5])
def test_warp_is_bilinear_with_a_black_border(pixel_centre):
    """scipy's resampler, in index coordinates, with the border blended as OpenCV's constant border is."""
    image = torch.rand(3, 30, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    affine = crop_affine(torch.tensor([-6.0, 3, 35, 35]), 48, 0.9, 0.3).to_image
    found = warp(image, affine, 48, pixel_centre)
    turn = affine[:, :2].numpy()[::-1, ::-1]  # rows before columns
    shift = (affine[:, :2].sum(1) * pixel_centre + affine[:, 2] - pixel_centre).numpy()[::-1]
    for channel, ours in zip(image.numpy(), found, strict=True):
        wanted = affine_transform(channel, turn, shift, (48, 48), order=1, mode="grid-constant", cval=0.0)
        np.testing.assert_allclose(ours, wanted, atol=1e-9)


def test_whole_picture_warps_to_itself():
    image = torch.rand(3, 32, 32)
    for pixel_centre in (0.0, 0.5):
        same = warp(image, crop_affine(torch.tensor([0.0, 0, 32, 32]), 32).to_image, 32, pixel_centre)
        torch.testing.assert_close(same, image, atol=1e-5, rtol=0)


def test_boxes_without_sense():
    for box in ([400, 10, 50, 50], [-100, 10, 50, 0], [10, 500, 20, 20]):
        assert clean_box(torch.tensor(box, dtype=torch.float64), 320, 240) is None
    for box in ([1, 2, 3], [1, 2, 3, float("nan")]):
        with pytest.raises(PosebookError, match="four finite numbers"):
            clean_box(torch.tensor(box), 320, 240)
    with pytest.raises(PosebookError, match="area"):
        crop_affine(torch.tensor([1.0, 1, 0, 5]))
