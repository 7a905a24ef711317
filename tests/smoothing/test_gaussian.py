"""Gaussian filter against the weighted means written out."""

import math

import pytest
import torch

from posebook.rotations import axis_angle_to_matrix
from posebook.smoothing import gaussian, gaussian_vectors


def test_vectors_are_the_weighted_mean_of_all_frames():
    values = torch.randn(12, 2, generator=torch.Generator().manual_seed(0)).double()
    found = gaussian_vectors(values, 30, sigma=0.1)  # 3 frames: the window covers the clip
    for t in range(12):
        weights = torch.tensor([math.exp(-0.5 * ((k - t) / 3) ** 2) for k in range(12)]).double()
        torch.testing.assert_close(found[t], weights @ values / weights.sum())


def test_rotations_minimise_the_weighted_chordal_distance():
    generator = torch.Generator().manual_seed(0)
    clip = axis_angle_to_matrix(0.5 * torch.randn(9, 1, 3, generator=generator).double())
    found = gaussian(clip, 30, sigma=0.1)
    weights = torch.tensor([math.exp(-0.5 * ((k - 4) / 3) ** 2) for k in range(9)]).double()

    def distance(rotation):
        return (weights * (clip[:, 0] - rotation).square().sum((1, 2))).sum()

    best = distance(found[4, 0])
    for _ in range(20):
        nearby = axis_angle_to_matrix(0.02 * torch.randn(3, generator=generator).double())
        assert distance(found[4, 0] @ nearby) > best


def test_mean_of_two_turns_about_one_axis_is_half_way():
    turns = axis_angle_to_matrix(torch.tensor([[0.0, 0.2, 0.0], [0.0, 0.8, 0.0]]).double())[:, None]
    found = gaussian(turns, 30, sigma=1e3)
    expected = axis_angle_to_matrix(torch.tensor([0.0, 0.5, 0.0]).double())
    torch.testing.assert_close(found[0, 0], expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("sigma", [1e-6, 1e-3])
def test_a_narrow_window_changes_nothing(sigma):
    values = torch.arange(5.0) ** 2
    torch.testing.assert_close(gaussian_vectors(values, 30, sigma=sigma), values)
