"""The two image networks: image -> skeleton picture (Phi), skeleton picture -> 2D pose (Omega).

KeypointGAN's, whose image auto-encoder's first half is Phi in our reading (specs/selfsup.md 1.1, 1.2). Pictures and
images are in [-1, 1]; poses are (x, y) in [-1, 1], x right, y down.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posebook.errors import PosebookError

STEM = 7  # side of the first convolution
STRIDE = 8  # of the last map


def initialise(network: nn.Module) -> None:
    """Convolutions N(0, 0.02), biases 0, batch norm's factors N(1, 0.02), as KeypointGAN starts."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
        if getattr(module, "bias", None) is not None:
            nn.init.zeros_(module.bias)


def check_size(size: int, least: int = 2 * STRIDE) -> None:
    """Refuse sides that three halvings do not divide, or that leave a last map of one pixel."""
    if size % STRIDE or size < least:
        raise PosebookError(f"Pictures must have a side divisible by {STRIDE} and of at least {least}, got {size}.")


def block(channels_in: int, channels: int, norm: str, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, normalisation, ReLU; a bias only without batch norm."""
    convolution = nn.Conv2d(channels_in, channels, kernel, stride, kernel // 2, bias=norm != "batch")
    return nn.Sequential(convolution, _NORMS[norm](channels), nn.ReLU(inplace=True))


_NORMS = {"batch": nn.BatchNorm2d, "instance": nn.InstanceNorm2d}


class Encoder(nn.Module):
    """Four stages of two blocks, each but the first at half the size and twice the channels.

    Args:
        channels_in: of the picture.
        width: channels of the first stage; 32 in the paper.
        norm: "batch" or "instance" (without factors).
    """

    def __init__(self, channels_in: int, width: int = 32, norm: str = "batch"):
        super().__init__()
        self.channels = tuple(width * 2**i for i in range(4))
        stages = [nn.Sequential(block(channels_in, width, norm, STEM), block(width, width, norm))]
        for before, after in zip(self.channels, self.channels[1:], strict=False):
            stages.append(nn.Sequential(block(before, after, norm, stride=2), block(after, after, norm)))
        self.stages = nn.ModuleList(stages)

    def forward(self, picture: Tensor) -> list[Tensor]:
        """(B, C, S, S) -> maps at S, S/2, S/4 and S/8."""
        maps = []
        for stage in self.stages:
            picture = stage(picture)
            maps.append(picture)
        return maps


class SkeletonPainter(nn.Module):
    """Phi: image -> skeleton picture at full resolution, without an output activation.

    Args:
        width: channels of the first stage; 32 in the paper (3,124,801 parameters).
        painter: "decoder", our reading; "encoder": the other one, no decoder, the last map is upsampled.
    """

    def __init__(self, width: int = 32, painter: str = "decoder"):
        super().__init__()
        if painter not in ("decoder", "encoder"):
            raise PosebookError(f"painter must be 'decoder' or 'encoder', got {painter!r}.")
        self.encoder = Encoder(3, width)
        *skips, deep = self.encoder.channels
        self.bottom = nn.Conv2d(deep, deep if painter == "decoder" else 1, 1, bias=painter != "decoder")
        self.steps = nn.ModuleList()
        if painter == "decoder":
            blocks = nn.Sequential(block(deep, deep, "batch"), block(deep, deep, "batch"))
            self.steps.append(blocks)
            for skip in reversed(skips):  # S/4, S/2, S
                self.steps.append(_decoder_step(deep, skip, last=skip == skips[0]))
                deep = deep // 2
        initialise(self)

    def forward(self, image: Tensor) -> Tensor:
        """Paint.

        Args:
            image: (B, 3, S, S) in [-1, 1], S divisible by 8 and at least 16.

        Returns:
            (B, 1, S, S), about -1 to 1.

        Raises:
            PosebookError: a wrong shape.
        """
        if image.ndim != 4 or image.shape[1] != 3 or image.shape[2] != image.shape[3]:
            raise PosebookError(f"Expected square images (B, 3, S, S), got {tuple(image.shape)}.")
        check_size(image.shape[2])
        *skips, deep = self.encoder(image)
        x = self.bottom(deep)
        if not self.steps:
            return F.interpolate(x, scale_factor=STRIDE, mode="bilinear")
        x = self.steps[0](x)
        for step, skip in zip(self.steps[1:], reversed(skips), strict=True):
            x = step(torch.cat((F.interpolate(x, scale_factor=2, mode="bilinear"), skip), 1))
        return x


def _decoder_step(deep: int, skip: int, last: bool) -> nn.Sequential:
    """A bare 1x1 to `deep` channels, then two blocks of half as many, or one and the bare output convolution."""
    merged = nn.Conv2d(deep + skip, deep, 1, bias=False)
    if last:
        return nn.Sequential(merged, block(deep, skip, "batch"), nn.Conv2d(skip, 1, 3, padding=1))
    return nn.Sequential(merged, block(deep, deep // 2, "batch"), block(deep // 2, deep // 2, "batch"))


class PoseReader(nn.Module):
    """Omega: skeleton picture -> 2D pose by one map per joint and a marginal soft-argmax.

    Args:
        num_joints: J.
        width: channels of the first stage; 32 in the paper (1,177,329 parameters with 17 joints).
    """

    def __init__(self, num_joints: int = 17, width: int = 32):
        super().__init__()
        self.encoder = Encoder(1, width, "instance")
        self.maps = nn.Conv2d(self.encoder.channels[-1], num_joints, 1)
        initialise(self)

    def forward(self, picture: Tensor) -> Tensor:
        """Read.

        Args:
            picture: (B, 1, S, S) in [-1, 1], S divisible by 8 and at least 16.

        Returns:
            (B, J, 2) x and y in [-1, 1].

        Raises:
            PosebookError: a wrong shape.
        """
        if picture.ndim != 4 or picture.shape[1] != 1 or picture.shape[2] != picture.shape[3]:
            raise PosebookError(f"Expected square skeleton pictures (B, 1, S, S), got {tuple(picture.shape)}.")
        check_size(picture.shape[2])
        return marginal_soft_argmax(self.maps(self.encoder(picture)[-1]))


def marginal_soft_argmax(maps: Tensor) -> Tensor:
    """Expected place under the softmax of each axis' mean, not of the joint map: p_x = sum_i g_i softmax_i(mean_rows).

    Args:
        maps: (B, J, H, W) logits; g = linspace(-1, 1, W), for y of H.

    Returns:
        (B, J, 2).
    """
    places = []
    for line in (maps.mean(2), maps.mean(3)):  # (B, J, W), (B, J, H)
        grid = torch.linspace(-1, 1, line.shape[-1], dtype=line.dtype, device=line.device)
        places.append((line.softmax(-1) * grid).sum(-1))
    return torch.stack(places, -1)
