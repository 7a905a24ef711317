"""From the mesh's joints to pose and shape parameters. Source: specs/i2l.md 1.5."""

from typing import NamedTuple

from torch import Tensor, nn

from posebook.rotations import axis_angle_to_matrix, matrix_to_axis_angle, rotation_6d_to_matrix


class BodyParameters(NamedTuple):
    """Parameters of the body model; R rotations, 24 for SMPL and 16 for MANO."""

    rotations: Tensor  # (B, R, 3, 3), relative to the parent; acts on column vectors
    pose: Tensor  # (B, 3 R) axis-angle, radians, angles in [0, pi]
    shape: Tensor  # (B, betas)


class ParamRegressor(nn.Module):
    """Two hidden layers on the flattened joints, then R rotations as six numbers each, and shape components.

    Args:
        joints: J.
        rotations: R.
        betas: shape components.

    Initialisation: linear layers normal 0.01, bias 0.
    """

    def __init__(self, joints: int, rotations: int = 24, betas: int = 10):
        super().__init__()
        self.rotations = rotations
        self.fc = nn.Sequential(
            nn.Linear(3 * joints, 1024), nn.BatchNorm1d(1024), nn.ReLU(inplace=True),
            nn.Linear(1024, 512), nn.BatchNorm1d(512), nn.ReLU(inplace=True),
        )  # fmt: skip
        self.fc_pose = nn.Sequential(nn.Linear(512, 6 * rotations))
        self.fc_shape = nn.Sequential(nn.Linear(512, betas))
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                nn.init.zeros_(module.bias)

    def forward(self, joints: Tensor) -> BodyParameters:
        """Regress parameters.

        Args:
            joints: (B, J, 3) x, y, z in raw heat-map units, not centred.

        Returns:
            BodyParameters. `pose` is a well-conditioned logarithm of `rotations`; feed the matrices to the body layer.
        """
        hidden = self.fc(joints.flatten(1))
        numbers = self.fc_pose(hidden).unflatten(-1, (self.rotations, 6))
        rotations = rotation_6d_to_matrix(numbers)  # (B, R, 3, 3)
        pose = matrix_to_axis_angle(rotations)
        return BodyParameters(rotations, pose.flatten(1), self.fc_shape(hidden))


def pose_to_rotations(pose: Tensor) -> Tensor:
    """(B, 3 R) axis-angle, radians -> (B, R, 3, 3)."""
    return axis_angle_to_matrix(pose.unflatten(-1, (-1, 3)))
