"""Training augmentation: one draw per sample, applied to crop, joints and body parameters. Source: specs/i2l.md 3.4.

Camera frame: x right, y down, z forward. Turning the cut-out area by +angle turns the picture, the points and the
body's root by -angle about the optical axis. A mirrored person is mirrored first, then scaled and turned.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.models.i2l.crop import CropAffine, crop_affine, flip_box, warp
from posebook.rotations import axis_angle_to_matrix, matrix_to_axis_angle

SCALE_SPREAD, SCALE_LIMIT = 0.25, 1.0
TURN_DEGREES, TURN_LIMIT, TURN_CHANCE = 30.0, 2.0, 0.6
COLOUR_SPREAD = 0.2
FLIP_CHANCE = 0.5  # of bodies; hands are never mirrored (FreiHAND holds right hands)


class Augmentation(NamedTuple):
    """What is done to one sample."""

    scale: float  # of the area that is cut out
    rotation: float  # radians, of the area that is cut out, x towards y
    flip: bool
    colour: Tensor  # (3,) factor per channel


NOTHING = Augmentation(1.0, 0.0, False, torch.ones(3))


def draw_augmentation(generator: torch.Generator, flip_chance: float = FLIP_CHANCE) -> Augmentation:
    """Scale 1 + 0.25 clip(N, -1, 1); 30 degrees clip(N, -2, 2) with probability 0.6; colours U(0.8, 1.2); flip.

    Args:
        generator: of the CPU; the same number of values is drawn each time.
        flip_chance: 0.5 for bodies, 0 for hands.
    """
    normal = torch.randn(2, generator=generator, dtype=torch.float64)
    uniform = torch.rand(5, generator=generator, dtype=torch.float64)
    scale = 1 + SCALE_SPREAD * float(normal[0].clamp(-SCALE_LIMIT, SCALE_LIMIT))
    turned = bool(uniform[0] < TURN_CHANCE)
    rotation = math.radians(TURN_DEGREES * float(normal[1].clamp(-TURN_LIMIT, TURN_LIMIT))) if turned else 0.0
    colour = (1 - COLOUR_SPREAD + 2 * COLOUR_SPREAD * uniform[2:]).float()
    return Augmentation(scale, rotation, bool(uniform[1] < flip_chance), colour)


def augmented_crop(image: Tensor, box: Tensor, augmentation: Augmentation, size: int = 256,
                   pixel_centre: float = 0.0) -> tuple[Tensor, CropAffine]:  # fmt: skip
    """The crop of a box, mirrored, scaled, turned and recoloured.

    Args:
        image: (3, H, W) RGB in [0, 1].
        box: (4,) the cleaned box in the picture as it is, pixels.
        augmentation: what to do.
        size: the crop's side, pixels.
        pixel_centre: as in `crop.warp`.

    Returns:
        crop (3, size, size), and the affine maps between it and the picture, *mirrored if the sample is*.
    """
    if augmentation.flip:
        image, box = image.flip(-1), flip_box(box, image.shape[-1])
    affine = crop_affine(box, size, augmentation.scale, augmentation.rotation)
    return recolour(warp(image, affine.to_image, size, pixel_centre), augmentation.colour), affine


def recolour(image: Tensor, colour: Tensor) -> Tensor:
    """Scale the channels of (..., 3, H, W) in [0, 1] by (3,) factors and clip to [0, 1]."""
    return (image * colour.to(image).view(3, 1, 1)).clamp(0, 1)


def turn_points(points: Tensor, rotation: float) -> Tensor:
    """Turn (..., N, 3) camera points by -rotation (radians) about the optical axis."""
    return points @ _turn(rotation, points).mT


def turn_root(pose: Tensor, rotation: float) -> Tensor:
    """Turn the body with its points: only the root's axis-angle changes, (..., 3 R) -> (..., 3 R), radians."""
    root = axis_angle_to_matrix(pose[..., :3])
    return torch.cat((matrix_to_axis_angle(_turn(rotation, pose) @ root), pose[..., 3:]), -1)


def flip_pose(pose: Tensor, partner: tuple[int, ...]) -> Tensor:
    """Mirror a pose in x: swap left and right rotations and negate y and z of their axis-angles.

    Args:
        pose: (..., 3 R) axis-angle, radians.
        partner: R numbers, each rotation's mirror twin (itself for the middle ones).

    Raises:
        PosebookError: another number of rotations.
    """
    if pose.shape[-1] != 3 * len(partner):
        raise PosebookError(f"The pose has {pose.shape[-1]} numbers, the partners are {len(partner)}; expected 3 each.")
    rows = pose.unflatten(-1, (-1, 3))[..., list(partner), :]
    return (rows * rows.new_tensor([1.0, -1.0, -1.0])).flatten(-2)


def flip_points(points: Tensor, partner: tuple[int, ...], root: int, fx: float, cx: float,
                width: int) -> Tensor:  # fmt: skip
    """Mirror a person so that the root's projection mirrors about the picture's centre, u -> width - 1 - u.

    x is mirrored about the root, then the person is moved sideways; the depths stay.

    Args:
        points: (N, 3) metres, camera frame.
        partner: N numbers, each point's mirror twin (a mesh's own numbering for vertices, which have twins only in a
            symmetric topology).
        root: number of the root point.
        fx, cx: focal length and principal point, pixels of the whole picture.
        width: of the picture, pixels.

    Returns:
        (N, 3).
    """
    centre = points[root]
    u = fx * centre[0] / centre[2] + cx
    new_x = (width - 1 - u - cx) / fx * centre[2]
    x = new_x - (points[..., 0] - centre[0])
    return torch.cat((x.unsqueeze(-1), points[..., 1:]), -1)[list(partner)]


def _turn(rotation: float, like: Tensor) -> Tensor:
    """Matrix that turns column vectors by -rotation about z."""
    cos, sin = math.cos(rotation), math.sin(rotation)
    return like.new_tensor([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
