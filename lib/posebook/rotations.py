"""Rotation maps that networks regress: nearest rotation of a 3x3 matrix, 6D, axis-angle.

All of them are roma's; here they get the papers' conventions, one place to be tested, and one name in every chapter.
Rotations act on column vectors, R x.
"""

import roma
import torch
from torch import Tensor

from posebook.errors import PosebookError


def project_to_rotation(matrix: Tensor, fix_determinant: bool = True) -> Tensor:
    """Nearest rotation U diag(1, 1, det(U V^T)) V^T of M = U S V^T.

    With s the singular values (the last with the determinant's sign), A = U^T (dL/dR) V and R = U V^T:
    dL/dM = U [(A - A^T)_ij / (s_i + s_j)] V^T. Equal singular values are harmless there (at the identity the
    denominators are 2), while back-propagation through torch.linalg.svd divides by s_i^2 - s_j^2 and gives NaN. Where
    s_i + s_j vanishes, so that the nearest rotation is not unique, roma damps the division: finite, never NaN.

    Args:
        matrix: (..., 3, 3), any.
        fix_determinant: False leaves out the sign: U V^T with determinant +1 or -1, as the released Neural Body
            Fitting does, where reflections pass (specs/nbf.md section 3).

    Returns:
        (..., 3, 3), determinant +1.

    Raises:
        PosebookError: another shape.
    """
    _check(matrix, (3, 3), "matrix")
    return roma.procrustes(matrix, force_rotation=fix_determinant)


def rotation_6d_to_matrix(numbers: Tensor) -> Tensor:
    """Six numbers, read row by row as a 3x2 matrix, to a rotation: Gram-Schmidt, third column by the cross product.

    Numbers 0, 2, 4 are the first column and 1, 3, 5 the second, as in SPIN, VIBE and I2L-MeshNet (specs/i2l.md 1.5);
    PyTorch3D's 6D holds the two first *rows* one after the other and is another layout.

    Args:
        numbers: (..., 6); the two columns must not be parallel, or the result is no rotation.

    Returns:
        (..., 3, 3).

    Raises:
        PosebookError: another shape.
    """
    _check(numbers, (6,), "numbers")
    return roma.special_gramschmidt(numbers.unflatten(-1, (3, 2)), epsilon=1e-12)


def matrix_to_rotation_6d(rotation: Tensor) -> Tensor:
    """Inverse of `rotation_6d_to_matrix`: the first two columns, row by row; (..., 3, 3) -> (..., 6)."""
    _check(rotation, (3, 3), "rotation")
    return rotation[..., :2].flatten(-2)


def axis_angle_to_matrix(axis_angle: Tensor) -> Tensor:
    """Rodrigues: (..., 3) radians times unit axis -> (..., 3, 3); smooth at zero."""
    _check(axis_angle, (3,), "axis_angle")
    return roma.rotvec_to_rotmat(axis_angle)


def matrix_to_axis_angle(rotation: Tensor) -> Tensor:
    """Logarithm: (..., 3, 3) -> (..., 3), angle in [0, pi]. At pi the sign of the axis is arbitrary."""
    _check(rotation, (3, 3), "rotation")
    return roma.rotmat_to_rotvec(rotation)


def mirrored_rotations(rotations: Tensor, flip) -> Tensor:
    """Rotations of every joint as seen in a mirror that turns x round: M R M with left and right exchanged.

    Args:
        rotations: (..., J, 3, 3), each relative to its parent, or each in the camera frame.
        flip: J joint numbers, the partner of each.

    Returns:
        (..., J, 3, 3).
    """
    signs = torch.tensor([-1.0, 1.0, 1.0], dtype=rotations.dtype, device=rotations.device)
    return rotations[..., list(flip), :, :] * signs[:, None] * signs


def _check(values: Tensor, shape: tuple[int, ...], name: str) -> None:
    if tuple(values.shape[-len(shape) :]) != shape or not values.is_floating_point():
        sizes = ", ".join(map(str, shape))
        raise PosebookError(
            f"{name}: expected floating point (..., {sizes}), got {values.dtype} {tuple(values.shape)}. "
            f"Reshape it so that its last dimensions are ({sizes})."
        )
