"""The lifter: 2D pose -> depth of every joint, and the elevation of the camera. Source: specs/selfsup.md 1.5.

phi = LeakyReLU(0.01); res(x) = x + phi(L2 phi(L1 x)); h = phi(res_common(upscale x));
depth = L_d phi(res_pose2 phi(res_pose1 h)); angle = L_a phi(res_angle2 phi(res_angle1 h)).
"""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.models.selfsup.poses import axis_major


class Lifted(NamedTuple):
    """What the lifter says of a normalised 2D pose."""

    depth: Tensor  # (B, J) offset from the distance 10, in units of the set's scale; the root's is not used
    angle: Tensor  # (B,) elevation of the camera, radians


class ResidualLayers(nn.Module):
    """x + phi(l2 phi(l1 x)), (B, width) -> (B, width).

    Args:
        width: of both layers.
        official_norms: also hold `bn1` and `bn2`, which official checkpoints list and never apply.
    """

    def __init__(self, width: int, official_norms: bool = False):
        super().__init__()
        self.l1 = nn.Linear(width, width)
        if official_norms:
            self.bn1 = nn.BatchNorm1d(width)
        self.l2 = nn.Linear(width, width)
        if official_norms:
            self.bn2 = nn.BatchNorm1d(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width) -> (B, width)."""
        return x + F.leaky_relu(self.l2(F.leaky_relu(self.l1(x))))


class Lifter(nn.Module):
    """ElePose's lifter with its parameter names; without dropout or normalisation.

    Args:
        num_joints: J.
        width: of all layers; 1024 in the paper (10,550,290 parameters with 17 joints).
        official_norms: hold the 20,480 batch-norm parameters of the official module, which it never applies, so that
            an official state_dict loads strictly.
    """

    def __init__(self, num_joints: int = 17, width: int = 1024, official_norms: bool = False):
        super().__init__()
        self.num_joints = num_joints
        self.upscale = nn.Linear(2 * num_joints, width)
        for name in ("res_common", "res_pose1", "res_pose2", "res_angle1", "res_angle2"):
            self.add_module(name, ResidualLayers(width, official_norms))
        self.depth = nn.Linear(width, num_joints)
        self.angles = nn.Linear(width, 1)

    def forward(self, pose: Tensor) -> Lifted:
        """Lift poses.

        Args:
            pose: (B, J, 2) normalised, see posebook.models.selfsup.poses.

        Returns:
            Lifted.

        Raises:
            PosebookError: a wrong shape.
        """
        if pose.ndim != 3 or tuple(pose.shape[1:]) != (self.num_joints, 2):
            raise PosebookError(f"Expected poses (B, {self.num_joints}, 2), got {tuple(pose.shape)}.")
        shared = F.leaky_relu(self.res_common(self.upscale(axis_major(pose))))  # (B, width)
        depth = self.res_pose2(F.leaky_relu(self.res_pose1(shared)))
        angle = self.res_angle2(F.leaky_relu(self.res_angle1(shared)))
        return Lifted(self.depth(F.leaky_relu(depth)), self.angles(F.leaky_relu(angle)).squeeze(1))
