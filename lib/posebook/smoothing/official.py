"""VIBE's demo smoothing as it is, to show what it does; `one_euro` is the filter to use.

Faults (specs/vibe.md section 3.6): axis-angle numbers are filtered one by one, so a rotation that passes pi, where
the axis changes sign, is filtered as a jump of up to 2 pi; and time is the frame index, so the same clip at 60 fps is
smoothed differently from the one at 30. Its speed is the step from the last filtered value, so lag counts as speed.
"""

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.smoothing.checks import check_vectors
from posebook.smoothing.one_euro import smoothing_factor

DERIVATIVE_CUTOFF = 1.0  # cycles per frame


def official_one_euro_axis_angle(axis_angle: Tensor, min_cutoff: float = 0.004, beta: float = 0.7) -> Tensor:
    """One-Euro filter of every axis-angle number by itself, time = frame index.

    Args:
        axis_angle: (T, ...) radians, e.g. (T, 72).
        min_cutoff: cycles per frame.
        beta: cycles per radian.

    Returns:
        (T, ...). The first frame is unchanged.

    Raises:
        PosebookError: rotation matrices instead of axis-angle.
    """
    if tuple(axis_angle.shape[-2:]) == (3, 3):
        raise PosebookError(
            f"axis_angle: expected (T, 72) or (T, J, 3) radians, got matrices {tuple(axis_angle.shape)}. "
            "Use posebook.rotations.matrix_to_axis_angle, or better the filter posebook.smoothing.one_euro."
        )
    wide = check_vectors(axis_angle)
    filtered, speed = [wide[0]], torch.zeros_like(wide[0])
    for value in wide[1:]:
        step = value - filtered[-1]
        speed = speed + smoothing_factor(DERIVATIVE_CUTOFF, 1) * (step - speed)
        filtered.append(filtered[-1] + smoothing_factor(min_cutoff + beta * speed.abs(), 1) * step)
    return torch.stack(filtered).to(axis_angle.dtype)
