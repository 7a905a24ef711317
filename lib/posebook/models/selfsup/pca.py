"""Principal components of 2D poses: the numbers that the flow sees. Source: specs/selfsup.md 1.7."""

from typing import NamedTuple

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.models.selfsup.poses import axis_major

FLAT = 1e-6  # a component below this share of the first one's deviation has no spread to learn


class PoseBasis(NamedTuple):
    """pose = mean + coefficients @ components, in the axis-major layout."""

    mean: Tensor  # (2 J,)
    components: Tensor  # (K, 2 J) orthonormal rows, largest spread first
    deviation: Tensor  # (K,) standard deviation of each coefficient over the set


def fit_basis(poses: Tensor, count: int) -> PoseBasis:
    """Fit the basis to a set of normalised poses (N, J, 2), in float64.

    Args:
        poses: (N, J, 2), N > count.
        count: K, at most 2 J - 2 (the root does not move).

    Returns:
        PoseBasis in the poses' type and on their device.

    Raises:
        PosebookError: too few poses, or a component without spread.
    """
    if poses.ndim != 3 or len(poses) <= count:
        raise PosebookError(f"{count} components need more than {count} poses (N, J, 2), got {tuple(poses.shape)}.")
    numbers = axis_major(poses).double()
    mean = numbers.mean(0)
    _, singular, rows = torch.linalg.svd(numbers - mean, full_matrices=False)
    deviation = singular / (len(poses) - 1) ** 0.5
    varied = int((deviation > FLAT * deviation[0]).sum())
    if varied < count:
        raise PosebookError(f"These poses vary in {varied} directions, {count} components asked for; use fewer.")
    return PoseBasis(*(part.to(poses.dtype) for part in (mean, rows[:count], deviation[:count])))
