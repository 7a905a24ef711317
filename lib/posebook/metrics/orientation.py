"""Angle between rotations and its mean over joints, NBF's err_quat. Radians unless asked for degrees.

Both rotations of a pair are in one frame: global with global, relative to the parent with relative to the parent.
"""

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.metrics.checks import alike, reduce

ORTHOGONAL = 1e-2  # largest |R^T R - I| entry of a rotation, wide enough for half precision


def rotation_angle(pred: Tensor, target: Tensor) -> Tensor:
    """Angle of the rotation from one matrix to the other, theta in [0, pi].

    With D = pred^T target: theta = atan2(|d|, trace(D) - 1), d = (D32 - D23, D13 - D31, D21 - D12), as |d| = 2 sin
    theta and trace(D) - 1 = 2 cos theta. Equal to arccos(2 <q, q'>^2 - 1), which loses half its digits near 0 and pi.

    Args:
        pred, target: (..., 3, 3) rotation matrices (orthogonal, determinant +1), equal shapes, on one device.

    Returns:
        (...) radians.

    Raises:
        PosebookError: shapes or devices that differ, integers, matrices that are not rotations. NaN passes through.

    Source: specs/nbf.md section 7.
    """
    pred, target = alike(_as_rotations(pred, "pred"), _as_rotations(target, "target"))
    step = pred.mT @ target  # (..., 3, 3)
    skew = step - step.mT
    axial = torch.stack([skew[..., 2, 1], skew[..., 0, 2], skew[..., 1, 0]], dim=-1)
    cosine = step.diagonal(dim1=-2, dim2=-1).sum(-1) - 1  # doubled, like the sine
    return torch.atan2(torch.linalg.vector_norm(axial, dim=-1), cosine)


def err_quat(pred: Tensor, target: Tensor, reduction: str = "mean", degrees: bool = False) -> Tensor:
    """Mean over joints of the angle between predicted and true rotation.

    Args:
        pred, target: (..., J, 3, 3) rotation matrices, equal shapes, in one frame.
        reduction: "mean" -> scalar, "none" -> (...) per frame.
        degrees: False for radians, as the official code; True for degrees.

    Returns:
        Radians, or degrees.

    Raises:
        PosebookError: as `rotation_angle`; no joint dimension; another reduction.

    Source: specs/nbf.md section 7 (err_quat).
    """
    angles = rotation_angle(pred, target)
    if angles.dim() < 1:
        raise PosebookError("expected rotations of joints (..., J, 3, 3), got one matrix; use rotation_angle for it.")
    mean = reduce(angles.mean(-1), reduction)
    return torch.rad2deg(mean) if degrees else mean


def _as_rotations(matrix, name: str) -> Tensor:
    matrix = torch.as_tensor(matrix)
    if matrix.dim() < 2 or matrix.shape[-2:] != (3, 3) or matrix.numel() == 0 or not matrix.is_floating_point():
        raise PosebookError(
            f"{name}: expected floating rotation matrices (..., 3, 3), got {matrix.dtype} {tuple(matrix.shape)}."
        )
    matrix = matrix.float() if matrix.dtype in (torch.float16, torch.bfloat16) else matrix
    with torch.no_grad():
        off = (matrix.mT @ matrix - torch.eye(3, dtype=matrix.dtype, device=matrix.device)).abs().amax((-2, -1))
        first, second, third = matrix.unbind(-1)
        mirrored = (torch.linalg.cross(first, second) * third).sum(-1) < 0  # the determinant
        wrong = (off > ORTHOGONAL) | mirrored
        if wrong.any():
            raise PosebookError(
                f"{name}: expected rotations, but {int(wrong.sum())} of {wrong.numel()} matrices are not orthogonal "
                "with determinant +1. Clean them up with posebook.rotations.project_to_rotation."
            )
    return matrix
