"""The body or hand model inside the network: posed from rotation matrices, and kept out of its state_dict.

Official checkpoints hold a copy of the licensed SMPL arrays, because the layer is a submodule there; here its arrays
move with the network (`to`, `half`) but are neither saved nor asked for on loading. Source: specs/i2l.md 1.7, 6.
"""

import torch
from smplx.lbs import lbs
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.rotations import axis_angle_to_matrix, matrix_to_axis_angle

_ARRAYS = ("v_template", "shapedirs", "posedirs", "J_regressor", "parents", "lbs_weights")


class PosedBody(nn.Module):
    """Linear blend skinning with the arrays of a `smplx.SMPL` or `smplx.MANO` layer.

    Args:
        body: the layer. MANO's mean hand pose (`flat_hand_mean=False`) is added to the axis-angles, as FreiHAND means
            them; PCA is not used.

    Raises:
        PosebookError: an object without a body layer's arrays.
    """

    def __init__(self, body: nn.Module):
        super().__init__()
        missing = [name for name in _ARRAYS if not isinstance(getattr(body, name, None), Tensor)]
        if missing:
            raise PosebookError(f"Expected an smplx.SMPL or smplx.MANO layer, got {type(body).__name__} ({missing}).")
        for name in _ARRAYS:
            self.register_buffer(name, getattr(body, name).detach(), persistent=False)
        mean = getattr(body, "pose_mean", None)
        mean = mean.detach() if isinstance(mean, Tensor) and mean.any() else None
        self.register_buffer("pose_mean", mean, persistent=False)

    @property
    def rotations(self) -> int:
        """R: 24 for SMPL, 16 for MANO."""
        return len(self.parents)

    def forward(self, rotations: Tensor, shape: Tensor) -> Tensor:
        """Pose the surface.

        Args:
            rotations: (B, R, 3, 3) relative to the parents.
            shape: (B, betas).

        Returns:
            (B, V, 3) metres, in the axes of the root rotation (camera axes), near the model's own origin.
        """
        if self.pose_mean is not None:
            turn = matrix_to_axis_angle(rotations).flatten(1) + self.pose_mean
            rotations = axis_angle_to_matrix(turn.unflatten(-1, (-1, 3)))
        shapedirs = self.shapedirs[..., : shape.shape[-1]]
        vertices, _ = lbs(shape, rotations, self.v_template, shapedirs, self.posedirs, self.J_regressor, self.parents,
                          self.lbs_weights, pose2rot=False)  # fmt: skip
        return vertices


def joint_regressor(rows: Tensor, points: tuple[int, ...], order: tuple[int, ...] | None = None) -> Tensor:
    """The network's own joint regressor: the body model's rows, then one-hot rows of surface points, re-ordered.

    Args:
        rows: (K, V) the body model's regressor.
        points: vertex numbers, e.g. SMPL_POINTS or MANO_TIPS, or those of another mesh.
        order: joints of the result among the K + len(points) rows, e.g. MANO_ORDER; None keeps them.

    Returns:
        (J, V), dtype and device of `rows`.

    Raises:
        PosebookError: a vertex that the regressor does not have.

    Source: specs/i2l.md 1.6.
    """
    vertices = rows.shape[1]
    if any(not 0 <= p < vertices for p in points):
        raise PosebookError(f"Points {points} are not all vertices of a mesh of {vertices}; give this mesh's own.")
    one_hot = torch.zeros(len(points), vertices, dtype=rows.dtype, device=rows.device)
    one_hot[range(len(points)), list(points)] = 1
    stacked = torch.cat((rows, one_hot))
    return stacked if order is None else stacked[list(order)]


SMPL_POINTS = (331, 2802, 6262, 3489, 3990)  # nose, left eye, right eye, left ear, right ear: joints 24..28
# Thumb, index, middle, ring, pinky. The official layer's own middle tip is vertex 444, one beside the network's.
MANO_TIPS = (745, 317, 445, 556, 673)
MANO_ORDER = (0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20)  # wrist, thumb .. pinky 1-4
