"""RefineNet part segmentation, the first stage of Neural Body Fitting: ResNet encoder, RefineNet decoder, 3x3 head.

Maps travel in the encoder's order, finest first (ResNet.forward_pyramid); `widths` follow the papers, coarsest first.
Deviations and choices where the source is silent: the coarsest unit has nothing to fuse, so it has no fusion
convolutions; each fusion convolution maps its input to the finer unit's width, which is where 512 meets 256; the heads
are initialised like the decoder; the heat maps are ours.
Source: specs/nbf.md section 2; Lin et al., "RefineNet", 2017.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.models.resnet import ResNet

MEAN_RGB = (122.68, 116.67, 104.01)  # of ImageNet, on 0..255
WEIGHT_STD = 0.005
WIDTHS = (512, 256, 256, 256)
POOLINGS = 4


class Segmentation(NamedTuple):
    """What the first stage predicts, at the decoder's resolution (h = H / 4, w = W / 4 in the paper)."""

    logits: Tensor  # (B, classes, h, w), class 0 is the background
    heat: Tensor | None  # (B, heat_maps, h, w), or None without that head


def normalise(image: Tensor) -> Tensor:
    """Prepare an image as the paper does: 255 image - mean, without scaling.

    Args:
        image: (B, 3, H, W) floating RGB in [0, 1].

    Returns:
        (B, 3, H, W), about -123..151.

    Raises:
        PosebookError: another shape or an integer image.
    """
    if image.dim() != 4 or image.shape[1] != 3 or not image.is_floating_point():
        raise PosebookError(
            f"expected floating RGB images (B, 3, H, W) in [0, 1], got {image.dtype} {tuple(image.shape)}. "
            "Divide uint8 images by 255 and put the channels second."
        )
    mean = torch.tensor(MEAN_RGB, dtype=image.dtype, device=image.device)
    return 255 * image - mean[:, None, None]


def upsample_logits(logits: Tensor, size: int) -> Tensor:
    """Bilinear to the picture's size: (B, C, h, w) -> (B, C, size, size); pixel centres at half integers."""
    return F.interpolate(logits, size=(size, size), mode="bilinear", align_corners=False)


def _conv3x3(width_in: int, width_out: int) -> nn.Conv2d:
    return nn.Conv2d(width_in, width_out, 3, padding=1)


class ResidualUnit(nn.Module):
    """y = x + f(x), or the official 2 x + f(x) if doubled; f is ReLU, 3x3, ReLU, 3x3.

    Official: the unit returns x + f(x) and its caller adds x once more.
    """

    def __init__(self, width: int, doubled: bool):
        super().__init__()
        self.conv1, self.conv2 = _conv3x3(width, width), _conv3x3(width, width)
        self.gain = 2.0 if doubled else 1.0

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) -> the same shape."""
        return self.gain * x + self.conv2(F.relu(self.conv1(F.relu(x)), inplace=True))


class ChainedPooling(nn.Module):
    """y = p_0 + ... + p_4 with p_0 = ReLU(x) and p_k = maxpool5x5(conv3x3(p_(k-1))), all at stride 1."""

    def __init__(self, width: int):
        super().__init__()
        self.convs = nn.ModuleList(_conv3x3(width, width) for _ in range(POOLINGS))

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) -> the same shape."""
        step = total = F.relu(x)
        for conv in self.convs:
            step = F.max_pool2d(conv(step), 5, stride=1, padding=2)
            total = total + step
        return total


class RefineUnit(nn.Module):
    """One decoder unit: 3x3 to `width`, two residual units, fusion, chained residual pooling, one residual unit.

    Fusion: 3x3(this) + up(3x3(coarser)), both to `width`, up bilinear to this map's size.

    Args:
        channels: of the encoder's map.
        width: of the unit.
        coarser: width of the coarser unit; None for the coarsest, which skips the fusion.
        doubled_residual: True for the official 2 x + f(x), False for x + f(x).
    """

    def __init__(self, channels: int, width: int, coarser: int | None = None, doubled_residual: bool = True):
        super().__init__()
        self.adapt = _conv3x3(channels, width)
        self.before = nn.Sequential(*(ResidualUnit(width, doubled_residual) for _ in range(2)))
        self.fuse_own = None if coarser is None else _conv3x3(width, width)
        self.fuse_coarser = None if coarser is None else _conv3x3(coarser, width)
        self.pooling = ChainedPooling(width)
        self.after = ResidualUnit(width, doubled_residual)

    def forward(self, x: Tensor, coarser: Tensor | None = None) -> Tensor:
        """(B, channels, H, W) and, unless it is the coarsest, (B, coarser, h, w) -> (B, width, H, W)."""
        if (coarser is None) != (self.fuse_coarser is None):
            raise PosebookError("a RefineUnit takes a coarser map exactly if it was built with `coarser`, its width.")
        y = self.before(self.adapt(x))
        if coarser is not None:
            up = F.interpolate(self.fuse_coarser(coarser), y.shape[-2:], mode="bilinear", align_corners=False)
            y = self.fuse_own(y) + up
        return self.after(self.pooling(y))


class RefineNet(nn.Module):
    """Decoder: refines a pyramid of maps from the coarsest to the finest. No batch norm; weights N(0, 0.005), biases 0.

    Args:
        channels: of the encoder's maps, finest first, as ResNet.pyramid_channels.
        widths: of the units, coarsest first, one per map.
        doubled_residual: True for the official 2 x + f(x), False for x + f(x).

    Raises:
        PosebookError: not one width per map.
    """

    def __init__(self, channels: Sequence[int], widths: Sequence[int] = WIDTHS, doubled_residual: bool = True):
        super().__init__()
        if not channels or len(channels) != len(widths) or min(*channels, *widths) < 1:
            raise PosebookError(
                f"expected one positive width per map (widths coarsest first, channels finest first); "
                f"got channels {tuple(channels)} and widths {tuple(widths)}."
            )
        coarser = (None, *widths[:-1])
        units = zip(reversed(channels), widths, coarser, strict=True)
        self.units = nn.ModuleList(RefineUnit(*sizes, doubled_residual) for sizes in units)  # coarsest first
        self.channels, self.out_channels = tuple(channels), widths[-1]
        _initialise(self)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Refine.

        Args:
            maps: (B, channels[i], H_i, W_i), finest first, as ResNet.forward_pyramid returns them.

        Returns:
            (B, widths[-1], H_0, W_0), at the finest map's size.

        Raises:
            PosebookError: another number of maps, or other channels.
        """
        got = tuple(m.shape[1] for m in maps)
        if got != self.channels:
            raise PosebookError(f"expected maps of {self.channels} channels, finest first, got {got}.")
        y = None
        for unit, x in zip(self.units, reversed(maps), strict=True):
            y = unit(x, y)
        return y


class Segmenter(nn.Module):
    """First stage of NBF: ResNet, RefineNet, 3x3 head; the defaults are the paper's.

    Args:
        classes: labels with the background, 13 in the paper.
        depth, width, stem_stride, pool: of the ResNet; strides are 1, 2, 2, 2.
        widths: of the decoder, coarsest first.
        stride_on: "1x1" or "3x3", the bottleneck's strided convolution; None is "1x1" (v1) from depth 50, else "3x3".
        heat_maps: channels of a second 3x3 head for 2D joints, 0 for none. Ours, not the paper's.
        doubled_residual: True for the official 2 x + f(x), False for x + f(x).

    Raises:
        PosebookError: for options that do not fit.
    """

    def __init__(self, classes: int = 13, depth: int = 101, width: int = 64, widths: Sequence[int] = WIDTHS,
                 stem_stride: int = 2, pool: int = 2, stride_on: str | None = None, heat_maps: int = 0,
                 doubled_residual: bool = True):  # fmt: skip
        super().__init__()
        if classes < 2 or heat_maps < 0:
            raise PosebookError(f"expected classes >= 2 (background and a part) and heat_maps >= 0; "
                                f"got {classes} and {heat_maps}.")  # fmt: skip
        stride_on = stride_on or ("1x1" if depth >= 50 else "3x3")
        self.encoder = ResNet(depth, width, stem_stride, pool, stride_on=stride_on)
        self.decoder = RefineNet(self.encoder.pyramid_channels, widths, doubled_residual)
        self.head = _conv3x3(self.decoder.out_channels, classes)
        self.heat_head = _conv3x3(self.decoder.out_channels, heat_maps) if heat_maps else None
        self.stride = self.encoder.pyramid_strides[0]  # of the logits
        _initialise(self.head)
        if self.heat_head is not None:
            _initialise(self.heat_head)

    def forward(self, image: Tensor) -> Segmentation:
        """Segment.

        Args:
            image: (B, 3, H, W), from `normalise`; H and W divisible by `self.stride`, 4 in the paper.

        Returns:
            Segmentation at (H / stride, W / stride); see `upsample_logits`.

        Raises:
            PosebookError: another shape, or a size that the decoder's grid does not divide.
        """
        if image.dim() != 4 or image.shape[1] != 3 or any(n < 1 or n % self.stride for n in image.shape[2:]):
            raise PosebookError(
                f"expected images (B, 3, H, W) with H and W divisible by {self.stride}, got {tuple(image.shape)}. "
                "Resize or pad them."
            )
        y = self.decoder(self.encoder.forward_pyramid(image))
        return Segmentation(self.head(y), None if self.heat_head is None else self.heat_head(y))


def _initialise(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.normal_(part.weight, std=WEIGHT_STD)
            nn.init.zeros_(part.bias)
