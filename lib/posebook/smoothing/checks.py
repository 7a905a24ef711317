"""What every filter over time asks of its input."""

import torch
from torch import Tensor

from posebook.errors import PosebookError

TOLERANCE = 1e-2  # of |R^T R - 1|; float16 rotations pass


def check_rotations(rotations: Tensor) -> Tensor:
    """Rotations of one sequence in float64, in which recursive filters do not drift.

    Args:
        rotations: (T, ..., 3, 3), T at least 1.

    Raises:
        PosebookError: another shape or type, values that are not finite, matrices that are no rotations.
    """
    shape = tuple(getattr(rotations, "shape", ()))
    if not isinstance(rotations, Tensor) or len(shape) < 3 or shape[-2:] != (3, 3) or not rotations.is_floating_point():
        raise PosebookError(
            f"rotations: expected a floating point tensor (T, ..., 3, 3), got {type(rotations).__name__} {shape}. "
            "Turn axis-angle into matrices with posebook.rotations.axis_angle_to_matrix."
        )
    wide = _finite(rotations, "rotations")
    off = (wide.mT @ wide - torch.eye(3, dtype=wide.dtype, device=wide.device)).abs().max()
    if off > TOLERANCE or (torch.linalg.det(wide) < 0).any():
        raise PosebookError(
            f"rotations: expected rotation matrices, got some with |R^T R - 1| up to {float(off):.2g} or a reflection. "
            "Project them with posebook.rotations.project_to_rotation first."
        )
    return wide


def check_vectors(values: Tensor) -> Tensor:
    """Numbers of one sequence, (T, ...) with T at least 1, in float64.

    Raises:
        PosebookError: another shape or type, values that are not finite.
    """
    if not isinstance(values, Tensor) or values.dim() < 1 or not values.is_floating_point():
        found = f"{type(values).__name__} {tuple(getattr(values, 'shape', ()))}"
        raise PosebookError(f"values: expected a floating point tensor (T, ...), got {found}.")
    return _finite(values, "values")


def check_positive(**numbers: float) -> None:
    """Refuse numbers that are not above zero, by name.

    Raises:
        PosebookError: with the name of the first of them.
    """
    for name, number in numbers.items():
        if not number > 0:
            raise PosebookError(f"{name} must be positive, got {number}.")


def _finite(values: Tensor, name: str) -> Tensor:
    if not len(values):
        raise PosebookError(f"{name}: expected at least one frame, got shape {tuple(values.shape)}.")
    bad = ~torch.isfinite(values).flatten(1).all(1) if values.dim() > 1 else ~torch.isfinite(values)
    if bad.any():
        first = int(bad.nonzero()[0])
        raise PosebookError(f"{name}: frame {first} is not finite. Filter the stretches between missing frames alone.")
    return values.double()
