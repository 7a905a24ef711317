"""Savitzky-Golay filter: a polynomial through the frames around each frame, read off at that frame.

On rotations the polynomial lives in the tangent space of the window's middle, not in the numbers of a quaternion:
logarithms relative to the frame itself have no sign to keep continuous, turn with the whole body, and are exact for a
rotation about one axis.
"""

import math

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from posebook.smoothing.checks import check_positive, check_rotations, check_vectors

WINDOW, DEGREE = 0.3, 2  # seconds, of the polynomial


def savitzky_golay(rotations: Tensor, fps: float, window: float = WINDOW, degree: int = DEGREE) -> Tensor:
    """R[t] exp(sum_k c[k] log(R[t]^T R[k])), c the Savitzky-Golay weights of the window.

    Within a window all rotations must stay within 180 degrees of its middle.

    Args:
        rotations: (T, ..., 3, 3).
        fps: frames per second.
        window: seconds; the odd number of frames at most one longer, cut to the clip's length.
        degree: of the polynomial; higher follows fast motion and noise more closely.

    Returns:
        (T, ..., 3, 3), type of `rotations`. The first and last half window are read off the first and last window.

    Raises:
        PosebookError: input that does not fit, or a window too short for the degree.
    """
    wide = check_rotations(rotations)
    starts, weights = _fit(len(wide), fps, window, degree, wide)
    moved = wide.new_zeros(wide.shape[:-1])
    for k in range(weights.shape[1]):
        step = matrix_to_axis_angle(wide.mT @ wide[starts + k])
        moved += weights[:, k].reshape(-1, *[1] * (step.dim() - 1)) * step
    return (wide @ axis_angle_to_matrix(moved)).to(rotations.dtype)


def savitzky_golay_vectors(values: Tensor, fps: float, window: float = WINDOW, degree: int = DEGREE) -> Tensor:
    """The same polynomial on every number; equals scipy.signal.savgol_filter with mode "interp".

    Args:
        values: (T, ...).
        fps: frames per second.
        window: seconds; the odd number of frames at most one longer, cut to the clip's length.
        degree: of the polynomial.

    Returns:
        (T, ...), type of `values`.

    Raises:
        PosebookError: input that does not fit, or a window too short for the degree.
    """
    wide = check_vectors(values)
    starts, weights = _fit(len(wide), fps, window, degree, wide)
    total = torch.zeros_like(wide)
    for k in range(weights.shape[1]):
        total += weights[:, k].reshape(-1, *[1] * (wide.dim() - 1)) * wide[starts + k]
    return total.to(values.dtype)


def _fit(length: int, fps: float, window: float, degree: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """First frame (T,) of every frame's window, and the weight (T, W) of each of its frames."""
    check_positive(fps=fps, window=window)
    size = 2 * math.floor(window * fps / 2 + 1e-6) + 1
    if degree < 0 or size <= degree + 1:
        raise PosebookError(
            f"A window of {window:g} s is {size} frames at {fps:g} fps, and a polynomial of degree {degree} needs at "
            f"least {degree + 2} to smooth. Widen the window or lower the degree."
        )
    size = min(size, length)
    frames = torch.arange(length, device=like.device)
    starts = (frames - size // 2).clamp(0, length - size)
    powers = torch.arange(min(degree, size - 1) + 1, device=like.device)
    times = torch.arange(size, dtype=like.dtype, device=like.device) - (size - 1) / 2  # centred: well conditioned
    solve = torch.linalg.pinv(times[:, None] ** powers)  # (powers, W)
    own = times[frames - starts]
    return starts, own[:, None] ** powers @ solve
