"""From joints to an image feature: a 3D Gaussian per joint, and the convolution that reads them beside the early map.

The Gaussian at bin (z, y, x) of joint j factorises,

    exp(-((x - x_j)^2 + (y - y_j)^2 + (z - z_j)^2) / 2 s^2) = g_z(z) g_y(y) g_x(x),

so a 3x3 convolution over its J * D channels never needs the volume:

    out_o(y, x) = sum_j sum_a g_y(y + a - 1) sum_b g_x(x + b - 1) K_ojab,   K_ojab = sum_d w_ojdab g_z(d)

Bins outside the map count as zero, as in the convolution's padding. Source: specs/i2l.md 1.3; the folding is ours.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posebook.errors import PosebookError

SIGMA = 2.5  # bins, at every grid size of the official code


def gaussian_lines(joints: Tensor, bins: int, sigma: float = SIGMA) -> tuple[Tensor, Tensor, Tensor]:
    """The three factors exp(-(i - c)^2 / 2 s^2), i = 0..bins - 1: (B, J, 3) heat-map units -> x, y, z, (B, J, bins)."""
    index = torch.arange(bins, device=joints.device, dtype=joints.dtype)
    lines = torch.exp(-0.5 * ((index - joints.unsqueeze(-1)) / sigma).square())  # (B, J, 3, bins)
    return lines.unbind(2)


def gaussian_volume(joints: Tensor, bins: int, sigma: float = SIGMA) -> Tensor:
    """Unnormalised 3D Gaussians with peak 1, by outer products.

    Args:
        joints: (B, J, 3) x, y, z in heat-map units.
        bins: D = H = W.
        sigma: bins.

    Returns:
        (B, J, D, H, W).
    """
    x, y, z = gaussian_lines(joints, bins, sigma)
    plane = y.unsqueeze(-1) * x.unsqueeze(-2)  # (B, J, H, W)
    return z[..., None, None] * plane.unsqueeze(2)


class Pose2Feat(nn.Module):
    """3x3 convolution of [early feature; Gaussians as J * D channels] to the early feature's width, BN, ReLU.

    Args:
        joints: J.
        channels: of the early feature; 64 in the paper.
        bins: D, also the early feature's height and width; 64 in the paper.
        sigma: of the Gaussians, bins.
        materialise: True makes the (B, J, D, H, W) volume and convolves it, as the official code does; False folds the
            Gaussians into the convolution: equal results, a small share of the arithmetic and none of the memory.
    """

    def __init__(self, joints: int, channels: int = 64, bins: int = 64, sigma: float = SIGMA,
                 materialise: bool = False):  # fmt: skip
        super().__init__()
        self.joints, self.channels, self.bins, self.sigma = joints, channels, bins, sigma
        self.materialise = materialise
        self.conv = nn.Sequential(
            nn.Conv2d(channels + joints * bins, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
        )
        nn.init.normal_(self.conv[0].weight, std=0.001)
        nn.init.zeros_(self.conv[0].bias)

    @torch.no_grad()
    def start_from_image(self) -> None:
        """Let the convolution start as the identity on the early feature, so that a pretrained trunk reads on unharmed.

        The official start, normal 0.001 for all weights, hides the picture behind a random mixture, which a paper-size
        training has time to undo and a short one has not. The Gaussians' weights stay as they are.
        """
        own = self.conv[0].weight[:, : self.channels]
        own.zero_()[:, :, 1, 1].fill_diagonal_(1)

    def forward(self, early: Tensor, joints: Tensor) -> Tensor:
        """Merge joints into the early feature.

        Args:
            early: (B, channels, bins, bins), what enters layer1 of the first trunk.
            joints: (B, J, 3) x, y, z in heat-map units.

        Returns:
            (B, channels, bins, bins).

        Raises:
            PosebookError: shapes that do not fit the layer.
        """
        expected = (self.channels, self.bins, self.bins), (self.joints, 3)
        if (tuple(early.shape[1:]), tuple(joints.shape[1:])) != expected:
            raise PosebookError(
                f"Pose2Feat expects (B, C, H, W) and (B, J, 3) of {expected}, got {tuple(early.shape)} and "
                f"{tuple(joints.shape)}. Build it with the trunk's stem width, its grid and the number of joints."
            )
        convolution, norm, relu = self.conv
        merged = self._whole(early, joints) if self.materialise else self._folded(convolution, early, joints)
        return relu(norm(merged))

    def _whole(self, early: Tensor, joints: Tensor) -> Tensor:
        channels = torch.cat((early, gaussian_volume(joints, self.bins, self.sigma).flatten(1, 2)), dim=1)
        return self.conv[0](channels)

    def _folded(self, convolution: nn.Conv2d, early: Tensor, joints: Tensor) -> Tensor:
        merged = F.conv2d(early, convolution.weight[:, : self.channels], convolution.bias, padding=1)
        return merged + convolve_gaussians(
            convolution.weight[:, self.channels :], *gaussian_lines(joints, self.bins, self.sigma)
        )


def convolve_gaussians(weight: Tensor, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """3x3 convolution, zero padding 1, of J * D channels that are outer products of lines.

    Args:
        weight: (O, J * D, 3, 3), joint the slow index.
        x, y, z: (B, J, W), (B, J, H), (B, J, D).

    Returns:
        (B, O, H, W).
    """
    per_joint = weight.unflatten(1, z.shape[1:])  # (O, J, D, 3, 3)
    kernels = torch.einsum("ojdac,bjd->bojac", per_joint, z)  # K, (B, O, J, 3, 3)
    along_x = torch.einsum("bojac,bjcx->bojax", kernels, _shifted(x))  # (B, O, J, 3, W)
    return _shifted(y).flatten(1, 2).mT.unsqueeze(1) @ along_x.flatten(2, 3)  # (B, 1, H, 3J) @ (B, O, 3J, W)


def _shifted(line: Tensor) -> Tensor:
    """What the three taps of a kernel see: (B, J, n) -> (B, J, 3, n), line[i - 1], line[i], line[i + 1], 0 outside."""
    n = line.shape[-1]
    padded = F.pad(line, (1, 1))
    return torch.stack([padded[..., a : a + n] for a in range(3)], dim=2)
