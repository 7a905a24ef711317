"""Coordinate-regression baseline."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.coordinate import CoordinateRegressor, coordinate_loss, coordinate_targets, split_coordinates
from posebook.models.hourglass import HourglassConfig

CONFIG = HourglassConfig(width=16, levels=2, joints=17)


@pytest.mark.parametrize("size", [16, 32, 64])
def test_shapes(size):
    net = CoordinateRegressor(HourglassConfig(width=16, levels=1), image_size=size, hidden=32)
    assert net(torch.rand(2, 3, size, size)).shape == (2, 17, 3)
    assert net.regress[0].in_features == 16 * 16  # 4 x 4 cells of 16 features: where things are is kept


def test_every_parameter_is_used():
    net = CoordinateRegressor(CONFIG, image_size=32)
    coordinate_loss(net(torch.rand(2, 3, 32, 32)), torch.rand(2, 17, 3)).backward()
    assert [n for n, p in net.named_parameters() if p.grad is None] == []


def test_targets_and_their_inverse():
    pixels, depth = torch.tensor([[[0.0, 64.0], [32.0, 16.0]]]), torch.tensor([[0.3, -0.2]])
    target = coordinate_targets(pixels, depth, 64)
    torch.testing.assert_close(target, torch.tensor([[[-1.0, 1.0, 0.3], [0.0, -0.5, -0.2]]]))
    parts = split_coordinates(target, 64)
    torch.testing.assert_close(parts.pixels, pixels)
    torch.testing.assert_close(parts.relative_depth, depth)


def test_loss_is_the_mean_squared_distance():
    prediction, target = torch.zeros(1, 2, 3), torch.tensor([[[1.0, 2.0, 2.0], [0.0, 3.0, 4.0]]])
    assert coordinate_loss(prediction, target) == (9 + 25) / 2
    target[0, 1] = float("nan")
    assert coordinate_loss(prediction, target, valid=torch.tensor([[True, False]])) == 9


def test_it_learns():
    torch.manual_seed(0)
    images, pixels = torch.rand(4, 3, 32, 32), 32 * torch.rand(4, 17, 2)
    net = CoordinateRegressor(CONFIG, image_size=32, hidden=32)
    target = coordinate_targets(pixels, torch.zeros(4, 17), 32)
    optimiser, losses = torch.optim.Adam(net.parameters(), 2e-3), []
    for _ in range(20):
        losses.append(coordinate_loss(net(images), target))
        optimiser.zero_grad()
        losses[-1].backward()
        optimiser.step()
    assert losses[-1] < 0.6 * losses[0]


def test_bad_input_is_refused():
    for size in (24, 48, 8):
        with pytest.raises(PosebookError):
            CoordinateRegressor(CONFIG, image_size=size)
    with pytest.raises(PosebookError, match="32 px"):
        CoordinateRegressor(CONFIG, image_size=32)(torch.zeros(1, 3, 64, 64))
