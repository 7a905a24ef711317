"""Targets and losses against brute force and the numbers of specs/c2f.md section 4."""

import math

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.volumetric import (
    gaussian_volume,
    stack_targets,
    volume_cross_entropy,
    volume_mse,
    zero_answer_cost,
)


def _brute_force(cell, grid, depth, sigma, reach, sigma_z, reach_z):
    """One volume, cell by cell."""
    volume = torch.zeros(depth, grid, grid, dtype=torch.float64)
    cx, cy, cz = (math.floor(v) for v in cell)
    for z in range(depth):
        for y in range(grid):
            for x in range(grid):
                if abs(x - cx) <= reach and abs(y - cy) <= reach and abs(z - cz) <= reach_z:
                    planar = ((x - cx) ** 2 + (y - cy) ** 2) / (2 * sigma**2)
                    volume[z, y, x] = math.exp(-planar - (z - cz) ** 2 / (2 * sigma_z**2))
    return volume


@pytest.mark.parametrize(
    ("grid", "depth", "sigma", "numbers"),
    [
        (64, 8, "paper", (2, 99, 0.25, 99)),
        (64, 8, "torch7", (3.25, 6, 0.75, 1)),
        (16, 16, "paper", (0.5, 99, 0.5, 99)),
        (16, 16, "torch7", (1.25, 2, 1.25, 2)),
    ],
)
def test_target_equals_brute_force(grid, depth, sigma, numbers):
    cell = (0.31 * grid, 0.87 * grid, 0.4 * depth)
    ours = gaussian_volume(torch.tensor([[cell]], dtype=torch.float64), grid, depth, sigma=sigma)[0, 0]
    torch.testing.assert_close(ours, _brute_force(cell, grid, depth, *numbers), atol=1e-12, rtol=0)
    assert ours.max() == 1


@pytest.mark.parametrize(("depth", "length"), [(1, 1), (2, 1), (4, 1), (8, 3), (16, 5), (32, 7), (64, 13), (128, 25)])
def test_torch7_depth_kernel_lengths(depth, length):
    volume = gaussian_volume(torch.tensor([[[32.0, 32.0, depth / 2]]]), 64, depth, sigma="torch7")
    profile = volume[0, 0, :, 32, 32]
    assert int((profile > 0).sum()) == length
    assert (volume[0, 0, depth // 2, 32] > 0).sum() == 13
    edge = math.exp(-0.5 * ((length // 2) / (0.25 * length)) ** 2)
    assert profile[profile > 0].min().item() == pytest.approx(edge, abs=1e-6)
    if length == 13:
        assert edge == pytest.approx(0.18, abs=0.003)  # still 0.18 where it is cut


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("sigma", ["paper", "torch7"])
@pytest.mark.parametrize("centre", ["floor", "continuous"])
def test_coarse_targets_are_one_hot_in_depth(depth, sigma, centre):
    cells = torch.tensor([[[30.2, 30.9, 0.93 * depth]]])
    volume = gaussian_volume(cells, 64, depth, sigma=sigma, centre=centre)[0, 0]
    per_bin = volume.flatten(1).amax(1)
    assert per_bin.argmax() == depth - 1 and per_bin.max() > 0.9
    assert per_bin[: depth - 1].sum() < 1e-6


def test_coarse_bins_follow_the_released_rule():
    zind = torch.arange(1, 65)
    cells = torch.stack((torch.full((64,), 8.5), torch.full((64,), 8.5), zind - 0.5), -1).unsqueeze(0)  # (1, 64, 3)
    for depth, target in zip((1, 2, 4, 64), stack_targets(cells, 16, (1, 2, 4, 64), sigma="torch7"), strict=True):
        expected = [math.ceil(z * depth / 64) - 1 for z in zind.tolist()]
        assert target[0].flatten(2).amax(2).argmax(1).tolist() == expected


def test_continuous_centre_has_its_mass_at_the_joint():
    cells = torch.tensor([[[30.2, 27.9, 31.4]]], dtype=torch.float64)
    volume = gaussian_volume(cells, 64, 64, centre="continuous")[0, 0]
    weight, index = volume / volume.sum(), torch.arange(64, dtype=torch.float64) + 0.5
    mean = [(weight.sum(axes) * index).sum().item() for axes in ((0, 1), (0, 2), (1, 2))]
    assert mean == pytest.approx([30.2, 27.9, 31.4], abs=1e-6)


def test_scale_is_relative_to_64_cells():
    cells = torch.tensor([[[8.5, 8.5, 8.5]]])
    row = gaussian_volume(cells, 16, 16, scale=0.5)[0, 0, 8, 8]
    assert row[9].item() == pytest.approx(math.exp(-0.5), abs=1e-6)  # sigma 2 * 0.5 = 1 cell
    column = gaussian_volume(cells, 16, 32, scale=0.5)[0, 0].amax((1, 2))
    assert column[9].item() == pytest.approx(math.exp(-0.5 * (1 / 2) ** 2), abs=1e-6)  # twice the bins, twice sigma


def test_joints_without_annotation_stay_zero():
    cells = torch.full((1, 4, 3), 8.5)
    cells[0, 1] = float("nan")
    cells[0, 3] = torch.tensor([-40.0, 8.5, 8.5])  # far off the map
    volume = gaussian_volume(cells, 16, 16, valid=torch.tensor([[True, True, False, True]]), sigma="torch7")
    assert (volume.flatten(2).amax(-1) > 0).tolist() == [[True, False, False, False]]
    assert torch.isfinite(volume).all()


def test_relative_depth_outside_the_bins_goes_to_the_last_one():
    cells = torch.tensor([[[8.5, 8.5, 17.0], [8.5, 8.5, -3.0]]])
    assert gaussian_volume(cells, 16, 16)[0].amax((2, 3)).argmax(1).tolist() == [15, 0]


@pytest.mark.parametrize(("depth", "cost"), [(1, "0.0080"), (2, "0.0040"), (4, "0.0020"), (64, "0.00072")])
def test_zero_answer_cost_repeats_the_spec(depth, cost):
    value = zero_answer_cost(64, depth)
    assert f"{value:.{len(cost) - 2}f}" == cost
    target = gaussian_volume(torch.tensor([[[30.5, 30.5, depth / 2]]]), 64, depth, sigma="torch7")
    assert volume_mse([torch.zeros_like(target)], [target]).item() == pytest.approx(value, rel=1e-4)


def test_mse_sums_stacks_and_averages_elements():
    generator = torch.Generator().manual_seed(0)
    shapes = [(2, 3, 1, 4, 5), (2, 3, 8, 4, 5)]
    volumes, targets = ([torch.rand(s, generator=generator) for s in shapes] for _ in range(2))
    expected = sum(((v - t) ** 2).sum().item() / v.numel() for v, t in zip(volumes, targets, strict=True))
    assert volume_mse(volumes, targets).item() == pytest.approx(expected, rel=1e-5)


def test_cross_entropy_equals_its_definition_and_is_least_at_the_target():
    cells = torch.rand(2, 3, 3, dtype=torch.float64) * 8
    target = gaussian_volume(cells, 8, 8, scale=0.5)
    logits = torch.randn(2, 3, 8, 8, 8, dtype=torch.float64)
    p = target.flatten(2) / target.flatten(2).sum(-1, keepdim=True)
    expected = -(p * logits.flatten(2).softmax(-1).log()).sum(-1).mean()
    torch.testing.assert_close(volume_cross_entropy([logits], [target]), expected)
    entropy = -(p * p.clamp(min=1e-300).log()).sum(-1).mean()
    perfect = volume_cross_entropy([target.clamp(min=1e-300).log()], [target])
    torch.testing.assert_close(perfect, entropy)
    assert perfect < expected


def test_cross_entropy_ignores_joints_without_target():
    target = gaussian_volume(torch.full((1, 2, 3), 4.5), 8, 8, valid=torch.tensor([[True, False]]))
    logits = torch.randn(1, 2, 8, 8, 8, requires_grad=True)
    loss = volume_cross_entropy([logits], [target])
    loss.backward()
    assert logits.grad[0, 1].abs().max() == 0 and logits.grad[0, 0].abs().max() > 0
    torch.testing.assert_close(loss, volume_cross_entropy([logits[:, :1]], [target[:, :1]]))


@pytest.mark.parametrize("loss", [volume_mse, volume_cross_entropy])
def test_losses_of_autocast_volumes_are_float32(loss):
    target = gaussian_volume(torch.full((2, 3, 3), 4.5), 8, 8)
    volume = torch.randn(2, 3, 8, 8, 8).bfloat16().requires_grad_()
    value = loss([volume], [target])
    value.backward()
    assert value.dtype == torch.float32 and torch.isfinite(volume.grad).all()


def test_bad_input_is_refused():
    cells = torch.zeros(1, 2, 3)
    for options in ({"sigma": "wide"}, {"centre": "middle"}):
        with pytest.raises(PosebookError):
            gaussian_volume(cells, 8, 8, **options)
    with pytest.raises(PosebookError, match="cells"):
        gaussian_volume(torch.zeros(2, 3), 8, 8)
    volume = torch.zeros(1, 2, 8, 8, 8)
    with pytest.raises(PosebookError, match="one target per stack"):
        volume_mse([volume], [volume[:, :1]])
    with pytest.raises(PosebookError, match="one target per stack"):
        volume_mse([volume, volume], [volume])
