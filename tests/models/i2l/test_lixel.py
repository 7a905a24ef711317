"""Soft-argmax against closed forms; the head's axes."""

import pytest
import torch

from posebook.models.i2l import Lixels, lixel_coordinates, lixel_spread, soft_argmax
from posebook.models.i2l.lixel import LixelHead, Upsampling


def test_soft_argmax_of_two_equal_peaks_is_their_middle():
    logits = torch.full((1, 1, 64), -1e9)
    logits[..., [10, 20]] = 0.0
    assert soft_argmax(logits).item() == pytest.approx(15)
    assert lixel_spread(Lixels(logits, logits, logits))[0, 0, 0].item() == pytest.approx(5)


def test_soft_argmax_of_a_gaussian_is_its_mean():
    mean, sigma = 31.3, 2.5
    index = torch.arange(64, dtype=torch.float64)
    logits = (-0.5 * ((index - mean) / sigma) ** 2)[None, None]
    line = Lixels(logits, logits, logits)
    torch.testing.assert_close(lixel_coordinates(line), torch.full((1, 1, 3), mean, dtype=torch.float64))
    torch.testing.assert_close(lixel_spread(line), torch.full((1, 1, 3), sigma, dtype=torch.float64))


def test_uniform_line_gives_the_middle_without_a_half_bin():
    assert soft_argmax(torch.zeros(2, 3, 64)).unique().item() == pytest.approx(31.5)


def test_x_follows_the_width_and_y_the_height():
    """Roll the upsampled map sideways: only the x line may roll with it."""
    torch.manual_seed(0)
    head = LixelHead(3, channels=4, hidden=5, bins=16).eval()
    plane = torch.rand(2, 5, 16, 16)
    features = torch.rand(2, 4, 2, 2)
    head.deconv = torch.nn.Module()
    outputs = []
    for shown in (plane, plane.roll(3, -1)):
        head.deconv.forward = lambda _, shown=shown: shown
        outputs.append(head(features))
    still, rolled = outputs
    torch.testing.assert_close(rolled.x, still.x.roll(3, -1))
    torch.testing.assert_close(rolled.y, still.y)
    torch.testing.assert_close(rolled.z, still.z)


def test_fresh_head_starts_as_the_official_one():
    torch.manual_seed(0)
    head = LixelHead(5, channels=64, hidden=64, bins=16)
    assert head.deconv[0].weight.std().item() == pytest.approx(0.001, rel=0.05)
    assert head.conv_x[0].bias.abs().max() > 0  # Conv1d keeps torch's own start


@pytest.mark.parametrize(("batch", "side"), [(1, 8), (2, 8), (3, 2), (3, 8)])
def test_upsampling_is_the_transposed_convolution(batch, side):
    """Few positions (a matrix product) and many (torch's own), values and gradients."""
    torch.manual_seed(0)
    layer = Upsampling(5, 3).double()
    results = []
    for call in (layer, lambda x: torch.nn.functional.conv_transpose2d(x, layer.weight, stride=2, padding=1)):
        layer.zero_grad()
        x = torch.rand(batch, 5, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        out = call(x.requires_grad_())
        out.square().sum().backward()
        results.append((out, x.grad, layer.weight.grad.clone()))
    assert results[0][0].shape == (batch, 3, 2 * side, 2 * side)
    for ours, torchs in zip(*results, strict=True):
        torch.testing.assert_close(ours, torchs)
