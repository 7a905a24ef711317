"""Heads of one trunk: their read-outs against brute force, their sizes against arithmetic, what they refuse."""

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.i2l import REPRESENTATIONS, MeshNetwork, ParameterNetwork, answer_numbers, make_head
from posebook.models.i2l.representations import expected_index
from posebook.models.resnet import ResNet
from posebook.rotations import axis_angle_to_matrix

V, CELLS, CHANNELS = 7, 2, 64
MEAN = torch.rand(V, 3) * 64


def head(name, bins=16):
    torch.manual_seed(0)
    return make_head(name, V, CHANNELS, CELLS, 64 if name == "coordinates" else bins, 8, MEAN, 32).eval()


def features(batch=3):
    return torch.rand(batch, CHANNELS, CELLS, CELLS, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("dims", [2, 3])
def test_expected_index_is_the_mean_over_all_cells(dims):
    shape = (5, 4, 6)[-dims:]
    logits = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 3
    wanted = np.zeros((2, dims))
    for sample in range(2):
        weight = np.exp(logits[sample].numpy())
        weight /= weight.sum()
        for cell in np.ndindex(*shape):
            wanted[sample] += weight[cell] * np.array(cell[::-1])  # x first
    np.testing.assert_allclose(expected_index(logits, dims).numpy(), wanted, atol=1e-9)


def test_expected_index_keeps_its_precision_under_autocast():
    logits = torch.randn(4, 8, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = expected_index(logits, 3)
    torch.testing.assert_close(rounded, expected_index(logits, 3))


def test_voxels_of_independent_axes_say_what_their_lines_say():
    lines = [torch.randn(2, V, 8, generator=torch.Generator().manual_seed(i)) for i in range(3)]
    x, y, z = lines
    volume = z[..., :, None, None] + y[..., None, :, None] + x[..., None, None, :]  # logits add up
    index = torch.arange(8.0)
    wanted = torch.stack([(line.softmax(-1) * index).sum(-1) for line in lines], -1)
    torch.testing.assert_close(expected_index(volume, 3), wanted, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_every_head_says_vertices_inside_its_bins(name):
    found = head(name)(features())
    assert found.shape == (3, V, 3) and found.isfinite().all()
    if name != "coordinates":
        assert found.min() >= 0 and found.max() <= 15


def test_a_silent_coordinate_head_says_the_mean():
    made = head("coordinates")
    torch.nn.init.zeros_(made.fc[-1].weight)
    torch.testing.assert_close(made(features()), MEAN.expand(3, -1, -1))


def test_pixel_head_shares_one_softmax_over_the_plane():
    made = head("pixel+z")
    with torch.no_grad():
        found = made(features())
        logits = made.conv_xy(made.deconv(features()))
    weight = logits.flatten(2).softmax(-1).view_as(logits)
    wanted = (weight.sum(2) * torch.arange(16.0)).sum(-1)
    torch.testing.assert_close(found[..., 0], wanted, atol=1e-4, rtol=0)


@pytest.mark.parametrize(("bins", "steps"), [(4, 1), (8, 2), (16, 3), (32, 4)])
def test_bins_decide_the_number_of_upsamplings(bins, steps):
    made = head("lixel", bins)
    assert sum(isinstance(m, torch.nn.ConvTranspose2d) for m in made.deconv) == steps
    assert made.lixels(features()).x.shape == (3, V, bins)


# specs/i2l.md section 5.3, V = 6890
@pytest.mark.parametrize(
    ("name", "bins", "numbers"),
    [("parameters", 0, 82), ("coordinates", 0, 20_670), ("lixel", 64, 1_322_880), ("pixel+z", 64, 28_662_400),
     ("voxel", 8, 3_527_680), ("voxel", 64, 1_806_172_160)],
)  # fmt: skip
def test_numbers_of_an_answer(name, bins, numbers):
    assert answer_numbers(name, 6890, bins) == numbers


@pytest.mark.parametrize("name", ["lixel", "pixel+z", "voxel"])
def test_answer_numbers_are_those_of_the_head(name):
    made, seen = head(name, 8), []
    layers = [m for n, m in made.named_modules() if n in ("conv_x.0", "conv_y.0", "conv_z_2.0", "conv_xy", "conv_xyz")]
    for layer in layers:
        layer.register_forward_hook(lambda m, i, o: seen.append(o[0].numel()))
    made(features(1))
    assert sum(seen) == answer_numbers(name, V, 8)


def test_a_network_is_its_trunk_and_its_head():
    trunk = ResNet(18, 8)
    network = MeshNetwork(trunk, make_head("lixel", V, trunk.out_channels, 2, 16, 8)).eval()
    image = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(network(image), network.head(trunk(image).stride32))


def test_silent_parameters_are_the_mean_and_rotations_are_rotations():
    betas, pose = torch.randn(10), axis_angle_to_matrix(torch.randn(16, 3))
    network = ParameterNetwork(ResNet(18, 8), betas, pose).eval()
    spoken = network(torch.rand(2, 3, 64, 64)).rotations
    torch.testing.assert_close(spoken @ spoken.mT, torch.eye(3).expand(2, 16, 3, 3), atol=1e-4, rtol=0)
    torch.nn.init.zeros_(network.head.weight)
    found = network(torch.rand(2, 3, 64, 64))
    torch.testing.assert_close(found.rotations, pose.expand(2, -1, -1, -1), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.shape, betas.expand(2, -1))


def test_what_does_not_fit_is_refused():
    for options, told in (
        ({"name": "mesh"}, "Unknown representation"), ({"bins": 12}, "can be doubled"), ({"bins": 2}, "can be doubled"),
        ({"name": "coordinates", "mean": None}, "mean mesh"),
    ):  # fmt: skip
        given = {"name": "lixel", "points": V, "channels": CHANNELS, "cells": CELLS, "bins": 16, "hidden": 8}
        with pytest.raises(PosebookError, match=told):
            make_head(**given | options)
    with pytest.raises(PosebookError, match="Unknown representation"):
        answer_numbers("mesh", V, 8)
    with pytest.raises(PosebookError, match="at least 2"):
        head("lixel").train()(features(1))
