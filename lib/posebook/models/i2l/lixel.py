"""Lixels: one heat map per point and axis, and the head that makes them (PoseNet and MeshNet are the same block).

A coordinate is the expectation of the bin index under the softmax of a line of bins, in heat-map units: 0..bins - 1,
without a half-bin shift (see posebook.models.i2l.units). Source: specs/i2l.md 1.2 and 1.4.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posebook.errors import PosebookError


class Lixels(NamedTuple):
    """Logits of three 1D heat maps per point, before the softmax. N is J or V."""

    x: Tensor  # (B, N, bins)
    y: Tensor  # (B, N, bins)
    z: Tensor  # (B, N, bins)


def soft_argmax(logits: Tensor) -> Tensor:
    """Expected bin index, sum_i i softmax(logits)_i: (..., bins) -> (...), in 0..bins - 1; half becomes float32."""
    chance, index = _chances(logits)
    return (chance * index).sum(-1)  # no matrix product: autocast would round it to a quarter of a bin


def lixel_coordinates(lixels: Lixels) -> Tensor:
    """Soft-argmax of all three axes: (B, N, 3) x, y, z in heat-map units."""
    return torch.stack([soft_argmax(axis) for axis in lixels], dim=-1)


def lixel_spread(lixels: Lixels) -> Tensor:
    """Standard deviation of the bin index under each softmax, the network's own uncertainty: (B, N, 3) bins."""
    spreads = []
    for logits in lixels:
        chance, index = _chances(logits)
        away = index - (chance * index).sum(-1, keepdim=True)
        spreads.append((chance * away.square()).sum(-1).sqrt())
    return torch.stack(spreads, dim=-1)


def _chances(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Softmax over the bins and the bins' indices, at least in float32."""
    logits = logits if logits.dtype == torch.float64 else logits.float()
    return logits.softmax(-1), torch.arange(logits.shape[-1], device=logits.device, dtype=logits.dtype)


class UpsampledHead(nn.Module):
    """What heads that draw heat maps share: transposed convolutions, and depth features by a full connection.

    Args:
        channels: of the trunk's last map; 2048 in the paper.
        hidden: channels of the upsampled map; 256 in the paper.
        bins: bins of a line, 2^doublings times the trunk's last map; 64 in the paper.
        doublings: transposed convolutions; 3 in the paper.

    Initialisation: transposed convolutions normal 0.001, the rest as torch does it (specs/i2l.md 1.2: the official
    function tests for exact types, so Conv1d and BatchNorm1d keep torch's defaults).

    Raises:
        PosebookError: no transposed convolution.
    """

    def __init__(self, channels: int, hidden: int, bins: int, doublings: int):
        super().__init__()
        if doublings < 1:
            raise PosebookError(f"A heat-map head needs at least one transposed convolution, got {doublings}.")
        self.hidden, self.bins = hidden, bins
        steps = (_double(channels if i == 0 else hidden, hidden) for i in range(doublings))
        self.deconv = nn.Sequential(*(module for step in steps for module in step))
        for module in self.deconv:
            if isinstance(module, nn.ConvTranspose2d):
                nn.init.normal_(module.weight, std=0.001)

    def depth_branch(self, channels: int, points: int) -> tuple[nn.Module, nn.Module]:
        """The two layers of the z lines: a full connection to hidden * bins numbers, and one line per point."""
        wide = self.hidden * self.bins
        full = nn.Sequential(nn.Conv1d(channels, wide, 1), nn.BatchNorm1d(wide), nn.ReLU(inplace=True))
        return full, nn.Sequential(nn.Conv1d(self.hidden, points, 1))

    def plane(self, features: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, hidden, bins, bins).

        Raises:
            PosebookError: training with one sample, of which batch norm cannot take a spread.
        """
        if self.training and len(features) < 2:
            raise PosebookError(
                "I2L-MeshNet trains on at least 2 samples per device (its z branch normalises over the batch alone), "
                "got 1. Use a larger batch, drop the last incomplete one, or call eval()."
            )
        return self.deconv(features)

    def depth_lines(self, features: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, hidden, bins), for heads that have made `conv_z_1` with `depth_branch`."""
        depth = self.conv_z_1(features.mean((2, 3)).unsqueeze(-1))  # (B, hidden * bins, 1), the channel slow
        return depth.view(-1, self.hidden, self.bins)


class LixelHead(UpsampledHead):
    """Three transposed convolutions, then x and y lines by averaging over the other axis, z by a full connection.

    Args:
        points: N, joints or vertices.
        channels, hidden, bins, doublings: see UpsampledHead.
    """

    def __init__(self, points: int, channels: int = 2048, hidden: int = 256, bins: int = 64, doublings: int = 3):
        super().__init__(channels, hidden, bins, doublings)
        self.conv_x = nn.Sequential(nn.Conv1d(hidden, points, 1))
        self.conv_y = nn.Sequential(nn.Conv1d(hidden, points, 1))
        self.conv_z_1, self.conv_z_2 = self.depth_branch(channels, points)

    def forward(self, features: Tensor) -> Lixels:
        """Draw the lines.

        Args:
            features: (B, channels, h, w), the trunk's last map; h = w = bins / 2^doublings.

        Returns:
            Lixels, logits (B, N, bins) per axis.

        Raises:
            PosebookError: training with one sample.
        """
        plane = self.plane(features)  # (B, hidden, bins, bins)
        depth = self.depth_lines(features)
        return Lixels(self.conv_x(plane.mean(2)), self.conv_y(plane.mean(3)), self.conv_z_2(depth))


def _double(channels: int, hidden: int) -> tuple[nn.Module, ...]:
    """Twice the height and width."""
    return Upsampling(channels, hidden), nn.BatchNorm2d(hidden), nn.ReLU(inplace=True)


class Upsampling(nn.ConvTranspose2d):
    """4x4 transposed convolution, stride 2, padding 1, without bias: twice the height and width.

    On a map of few positions the weights are the larger part (32 MB against 0.5 MB at the first one of the paper's, for
    one image), and re-ordering them, as the CPU's convolution does, costs more than the arithmetic: there it is one
    matrix product, whose 4x4 patches are added up.
    """

    few = 128  # positions in the batch: two images of 8x8

    def __init__(self, channels: int, hidden: int):
        super().__init__(channels, hidden, 4, stride=2, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, hidden, 2 h, 2 w)."""
        height, width = x.shape[2:]
        if len(x) * height * width > self.few:
            return super().forward(x)
        patches = self.weight.flatten(1).mT @ x.flatten(2)  # (B, hidden * 16, h * w)
        return F.fold(patches, (2 * height, 2 * width), 4, padding=1, stride=2)
