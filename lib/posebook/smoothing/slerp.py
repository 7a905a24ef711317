"""Running slerp: MEVA's and TCMR's filter, an exponential mean that only looks back.

Source: specs/vibe.md section 3.6 (`--filter`). The official code moves 0.3 of the way a frame, whatever the frame rate.
Here the ratio belongs to 30 fps, and other frame rates forget as fast in seconds: 1 - (1 - ratio)^(30 / fps).
"""

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from posebook.smoothing.checks import check_positive, check_rotations, check_vectors

RATIO, REFERENCE_FPS = 0.3, 30.0


def slerp(rotations: Tensor, fps: float, ratio: float = RATIO) -> Tensor:
    """F[t] = F[t-1] exp(a log(F[t-1]^T R[t])): spherical interpolation along the shorter arc.

    Args:
        rotations: (T, ..., 3, 3).
        fps: frames per second.
        ratio: share of the way to the new rotation in a frame at 30 fps, above 0, at most 1 (no smoothing).

    Returns:
        (T, ..., 3, 3), type of `rotations`. The first frame is unchanged; the rest is late by about (1 - a) / a frames.

    Raises:
        PosebookError: input that does not fit, or a parameter out of range.
    """
    wide, share = check_rotations(rotations), _share(fps, ratio)
    filtered = [wide[0]]
    for rotation in wide[1:]:
        step = matrix_to_axis_angle(filtered[-1].mT @ rotation)
        filtered.append(filtered[-1] @ axis_angle_to_matrix(share * step))
    return torch.stack(filtered).to(rotations.dtype)


def slerp_vectors(values: Tensor, fps: float, ratio: float = RATIO) -> Tensor:
    """Running linear interpolation F[t] = F[t-1] + a (x[t] - F[t-1]) of every number.

    Args:
        values: (T, ...).
        fps: frames per second.
        ratio: as in `slerp`.

    Returns:
        (T, ...), type of `values`.

    Raises:
        PosebookError: input that does not fit, or a parameter out of range.
    """
    wide, share = check_vectors(values), _share(fps, ratio)
    filtered = [wide[0]]
    for value in wide[1:]:
        filtered.append(filtered[-1] + share * (value - filtered[-1]))
    return torch.stack(filtered).to(values.dtype)


def _share(fps: float, ratio: float) -> float:
    check_positive(fps=fps, ratio=ratio)
    if ratio > 1:
        raise PosebookError(f"ratio must be at most 1, got {ratio}.")
    return 1 - (1 - ratio) ** (REFERENCE_FPS / fps)
