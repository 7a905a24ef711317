"""Lift, turn, project, and all of it back: the cycle that replaces labels. Source: specs/selfsup.md 2.2.

A unit-focal camera at distance 10 from the root: v_j = (x_j z_j, y_j z_j, z_j), z_j = max(d_j + 10, 1), d_root = 0, and
lifted poses are root-centred, V = v - v_root. Units are those of posebook.models.selfsup.poses.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from posebook.models.selfsup.lifter import Lifted
from posebook.models.selfsup.poses import DISTANCE
from posebook.models.selfsup.rotation import Views

NEAREST = 1.0  # nothing is lifted nearer to the camera; no gradient where this bites


class Cycle(NamedTuple):
    """All stations of one cycle."""

    pose: Tensor  # (B, J, 2) y
    first: Lifted  # of y
    points: Tensor  # (B, J, 3) V, root at 0
    views: Views
    turned: Tensor  # (B, J, 3) V~ = R V
    turned_pose: Tensor  # (B, J, 2) y~, V~ seen by the second camera
    turned_again: Tensor  # (B, J, 3) V~', y~ lifted
    points_again: Tensor  # (B, J, 3) V' = R^T V~'
    pose_again: Tensor  # (B, J, 2) y', V' seen by the first camera


def lift(pose: Tensor, depth: Tensor, root: int = 0) -> Tensor:
    """2D and depth to 3D.

    Args:
        pose: (..., J, 2) normalised.
        depth: (..., J) offsets from the distance 10; the root's is replaced by 0 and has no gradient.
        root: joint at the origin.

    Returns:
        (..., J, 3), root at 0.
    """
    is_root = torch.arange(depth.shape[-1], device=depth.device) == root
    z = (depth.masked_fill(is_root, 0.0) + DISTANCE).clamp(min=NEAREST)
    points = torch.cat((pose * z.unsqueeze(-1), z.unsqueeze(-1)), -1)
    return points - points[..., [root], :]


def project(points: Tensor, distance: float = DISTANCE) -> Tensor:
    """Pinhole of focal length 1: (..., J, 3) root-centred -> (..., J, 2) x / (z + distance), y / (z + distance)."""
    return points[..., :2] / (points[..., 2:] + distance)


def turn(rotation: Tensor, points: Tensor) -> Tensor:
    """R on column vectors: (B, 3, 3), (B, J, 3) -> (B, J, 3)."""
    return points @ rotation.transpose(-2, -1)


def run_cycle(lifter: Callable[[Tensor], Lifted], pose: Tensor, views: Callable[[Tensor], Views],
              root: int = 0) -> Cycle:  # fmt: skip
    """Lift, turn, project, lift again, turn back, project.

    One lifter for both lifts; the elevation it gives to the second one is not used.

    Args:
        lifter: (B, J, 2) -> Lifted.
        pose: (B, J, 2) normalised.
        views: makes the second views from the first lift's angles (B,).
        root: joint at the origin.
    """
    first = lifter(pose)
    points = lift(pose, first.depth, root)
    second = views(first.angle)
    turned = turn(second.rotation, points)
    turned_pose = project(turned)
    turned_again = lift(turned_pose, lifter(turned_pose).depth, root)
    points_again = turn(second.rotation.transpose(-2, -1), turned_again)
    return Cycle(pose, first, points, second, turned, turned_pose, turned_again, points_again, project(points_again))
