"""Virtual cameras: the rotation between a lifted pose and its second view, with a learned or a fixed elevation.

Right-handed rotations of column vectors; x right, y down, z away from the camera; radians.
Source: specs/selfsup.md 2.2.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from posebook.errors import PosebookError

ELEVATIONS, COMPOSITIONS = ("learned", "fixed"), ("elepose", "paper")
FIXED_RANGE = math.radians(20)


class ViewNoise(NamedTuple):
    """The random numbers of a batch of views; all are drawn whatever is used, so that variants share them."""

    azimuth: Tensor  # (B,) uniform in [-pi, pi]
    normal: Tensor  # (B,) standard normal, for a learned elevation
    uniform: Tensor  # (B,) uniform in [-1, 1], for a fixed range of elevations


class Views(NamedTuple):
    """Second views of a batch."""

    elevation: Tensor  # (B,) of the second view's tilt, the left factor
    azimuth: Tensor  # (B,)
    levelling: Tensor  # (B,) the right factor, which takes the first camera's tilt away
    rotation: Tensor  # (B, 3, 3) Rx(elevation) Ry(azimuth) Rx(levelling)


def rotation_x(angle: Tensor) -> Tensor:
    """[[1, 0, 0], [0, c, -s], [0, s, c]]: (...) -> (..., 3, 3)."""
    c, s, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    return torch.stack([one, zero, zero, zero, c, -s, zero, s, c], -1).unflatten(-1, (3, 3))


def rotation_y(angle: Tensor) -> Tensor:
    """[[c, 0, s], [0, 1, 0], [-s, 0, c]]: (...) -> (..., 3, 3)."""
    c, s, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    return torch.stack([c, zero, s, zero, one, zero, -s, zero, c], -1).unflatten(-1, (3, 3))


def rotation_z(angle: Tensor) -> Tensor:
    """[[c, -s, 0], [s, c, 0], [0, 0, 1]]: (...) -> (..., 3, 3)."""
    c, s, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    return torch.stack([c, -s, zero, s, c, zero, zero, zero, one], -1).unflatten(-1, (3, 3))


def euler_xyz(angles: Tensor) -> Tensor:
    """Rx(a) Ry(b) Rz(c): (..., 3) -> (..., 3, 3)."""
    a, b, c = angles.unbind(-1)
    return rotation_x(a) @ rotation_y(b) @ rotation_z(c)


def draw_noise(count: int, generator: torch.Generator | None = None) -> ViewNoise:
    """Random numbers for `count` views, on the generator's device."""
    options = {"generator": generator, "device": None if generator is None else generator.device}
    azimuth = (2 * torch.rand(count, **options) - 1) * math.pi
    return ViewNoise(azimuth, torch.randn(count, **options), 2 * torch.rand(count, **options) - 1)


def second_views(angle: Tensor, noise: ViewNoise, elevation: str = "learned", composition: str = "elepose") -> Views:
    """Compose the rotations of a batch.

    "learned": mu and sigma are mean and unbiased deviation of the batch's own elevations, e a draw from N(mu, sigma).
    Neither they nor the angles are detached, which is the only way the elevation head learns. Then

    * "elepose": R = Rx(-mu + sigma eps) Ry(a) Rx(angle), the right factor the sample's own elevation;
    * "paper": R = Rx(e)^T Ry(a) Rx(e) with the drawn elevation on both sides, our reading of Sosa and Hogg's text.

    "fixed": R = Rx(e) Ry(a), e uniform within 20 degrees, whatever the angles are.

    Args:
        angle: (B,) radians, from the lifter.
        noise: of B views.
        elevation: "learned" or "fixed".
        composition: "elepose" or "paper"; without effect on "fixed".

    Raises:
        PosebookError: unknown names, or one sample with a learned elevation, of which there is no deviation.
    """
    if elevation not in ELEVATIONS or composition not in COMPOSITIONS:
        raise PosebookError(
            f"Expected elevation in {ELEVATIONS} and composition in {COMPOSITIONS}, "
            f"got {elevation!r} and {composition!r}."
        )
    if elevation == "fixed":
        tilt, levelling = FIXED_RANGE * noise.uniform, torch.zeros_like(angle)
    else:
        check_batch(len(angle))
        spread = angle.std() * noise.normal
        if composition == "elepose":
            tilt, levelling = spread - angle.mean(), angle
        else:
            levelling = angle.mean() + spread
            tilt = -levelling
    rotation = rotation_x(tilt) @ rotation_y(noise.azimuth) @ rotation_x(levelling)
    return Views(tilt, noise.azimuth, levelling, rotation)


def check_batch(count: int) -> None:
    """Refuse a batch of one: it has no deviation of elevations and no pair for the deformation loss."""
    if count < 2:
        raise PosebookError(
            f"Self-supervised lifting needs at least 2 poses in a batch (elevations' spread, pairs of the deformation "
            f"loss), got {count}. Use a larger batch, or drop the last incomplete one."
        )
