"""ResNet trunk with torchvision's key names, so that torchvision and SPIN-style checkpoints load without renaming.

conv1, bn1, layer{1..4}.{i}.conv{1..3} / bn{1..3} / downsample.{0,1}; there is no fc. The options cover the papers'
variants: I2L and VIBE (torchvision's), NBF stage 1 (2x2 max-pool), NBF stage 2 (2x2 max-pool, strides 2,2,2,1).
"""

import math
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from posebook.errors import PosebookError

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


class Features(NamedTuple):
    """What the five methods read from the trunk. The names state torchvision's strides."""

    stride4: Tensor  # (B, width, H/4, W/4), after the max-pool: what enters layer1
    stride32: Tensor  # (B, out_channels, H/32, W/32), output of layer4
    pooled: Tensor  # (B, out_channels), its global average


class Pyramid(NamedTuple):
    """Outputs of the four layers; strides 4, 8, 16, 32 with torchvision's settings, else `ResNet.pyramid_strides`."""

    layer1: Tensor
    layer2: Tensor
    layer3: Tensor
    layer4: Tensor


class BasicBlock(nn.Module):
    """y = relu(skip(x) + bn(conv3x3(relu(bn(conv3x3(x)))))), the block of ResNet-18 and 34."""

    expansion = 1

    def __init__(self, width_in: int, width: int, stride: int, stride_on: str):
        super().__init__()
        self.conv1 = nn.Conv2d(width_in, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _downsample(width_in, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width_in, H, W) -> (B, width, H/stride, W/stride)."""
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)), inplace=True)


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 with BN after each; the stride sits on the 3x3 (v1.5, torchvision) or on the first 1x1 (v1)."""

    expansion = 4

    def __init__(self, width_in: int, width: int, stride: int, stride_on: str):
        super().__init__()
        first, second = (1, stride) if stride_on == "3x3" else (stride, 1)
        self.conv1 = nn.Conv2d(width_in, width, 1, first, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, second, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, width * 4, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width * 4)
        self.downsample = _downsample(width_in, width * 4, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width_in, H, W) -> (B, 4 width, H/stride, W/stride)."""
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        y = self.bn3(self.conv3(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)), inplace=True)


def _downsample(width_in: int, width_out: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and width_in == width_out:
        return None
    return nn.Sequential(nn.Conv2d(width_in, width_out, 1, stride, bias=False), nn.BatchNorm2d(width_out))


class ResNet(nn.Module):
    """Residual network without classifier.

    Args:
        depth: 18, 34, 50 or 101.
        width: channels of the stem; 64 gives torchvision's sizes, everything else scales with it.
        stem_stride: stride of the 7x7 convolution, 2 (all papers) or 1 (small images).
        pool: max-pool after it: 3 (torchvision, 3x3 stride 2 pad 1), 2 (NBF, 2x2 stride 2) or 0 (none).
        strides: strides of layer1..4: (1, 2, 2, 2) torchvision, (2, 2, 2, 1) NBF stage 2, (1, 2, 2, 1) a denser layer4.
        stride_on: "3x3" or "1x1", the bottleneck's strided convolution.
        in_channels: of the picture; not 3 where part labels come one-hot.

    Raises:
        PosebookError: for an unknown depth or option.

    Source: specs/i2l.md 1.1, specs/nbf.md 2 and 3, specs/vibe.md; He et al. 2016. Initialisation as torchvision's.
    """

    def __init__(self, depth: int = 50, width: int = 64, stem_stride: int = 2, pool: int = 3,
                 strides: tuple[int, int, int, int] = (1, 2, 2, 2), stride_on: str = "3x3",
                 in_channels: int = 3):  # fmt: skip
        super().__init__()
        _check(depth, width, stem_stride, pool, strides, stride_on)
        block = Bottleneck if depth >= 50 else BasicBlock
        self.pool, self.stem_channels, self.out_channels = pool, width, width * 8 * block.expansion
        stem = stem_stride * (2 if pool else 1)
        self.pyramid_strides = tuple(stem * math.prod(strides[: i + 1]) for i in range(4))
        self.pyramid_channels = tuple(width * 2**i * block.expansion for i in range(4))
        self.conv1 = nn.Conv2d(in_channels, width, 7, stem_stride, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        width_in = width
        for i, (count, stride) in enumerate(zip(BLOCKS[depth], strides, strict=True)):
            blocks = [block(width_in, width * 2**i, stride, stride_on)]
            width_in = self.pyramid_channels[i]
            blocks += [block(width_in, width * 2**i, 1, stride_on) for _ in range(count - 1)]
            self.add_module(f"layer{i + 1}", nn.Sequential(*blocks))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, image: Tensor) -> Features:
        """Encode images.

        Args:
            image: (B, in_channels, H, W), normalised as the checkpoint wants it (ImageNet mean/std for torchvision's).

        Returns:
            Features: the stem's map, layer4's map and its global average.
        """
        x = self.forward_stem(image)
        y = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return Features(x, y, y.mean(dim=(2, 3)))

    def forward_pyramid(self, image: Tensor) -> Pyramid:
        """Outputs of layer1..layer4, (B, pyramid_channels[i], H/s, W/s) with s = pyramid_strides[i]."""
        maps = [self.forward_stem(image)]
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            maps.append(layer(maps[-1]))
        return Pyramid(*maps[1:])

    def forward_stem(self, image: Tensor) -> Tensor:
        """conv1, bn1, ReLU, max-pool: (B, 3, H, W) -> (B, width, H/4, W/4)."""
        x = F.relu(self.bn1(self.conv1(image)), inplace=True)
        if self.pool == 3:
            return F.max_pool2d(x, 3, 2, 1)
        return F.max_pool2d(x, 2) if self.pool else x


def _check(depth: int, width: int, stem_stride: int, pool: int, strides: tuple[int, ...], stride_on: str) -> None:
    if depth not in BLOCKS:
        raise PosebookError(f"ResNet depth must be one of {sorted(BLOCKS)}, got {depth}.")
    if width < 1 or stem_stride not in (1, 2) or pool not in (0, 2, 3):
        raise PosebookError(f"Expected width >= 1, stem_stride 1|2, pool 0|2|3; got {width}, {stem_stride}, {pool}.")
    if len(strides) != 4 or any(s not in (1, 2) for s in strides):
        raise PosebookError(f"strides must be four values of 1 or 2, one per layer, got {strides}.")
    if stride_on not in ("3x3", "1x1"):
        raise PosebookError(f"stride_on must be '3x3' (v1.5) or '1x1' (v1), got {stride_on!r}.")
    if stride_on == "1x1" and depth < 50:
        raise PosebookError(f"ResNet-{depth} has no strided 1x1 convolution to choose; use stride_on='3x3'.")
