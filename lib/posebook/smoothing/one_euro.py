"""One-Euro filter: a low-pass filter whose cutoff rises with speed, so that rest is steady and motion is not late.

At frame t: filter the speed with a fixed cutoff; cutoff = min_cutoff + beta |speed|; move from the last filtered value
towards the new one by alpha(cutoff), alpha(c) = r / (r + 1) with r = 2 pi c / fps (Casiez, Roussel, Vogel, CHI 2012).

The speed is that between two raw values, as in the authors' current code. VIBE's demo takes the step from the last
filtered value instead (`official_one_euro_axis_angle`): the lag then counts as speed, the more the higher the frame
rate, so its parameters mean something else at each rate.
"""

import math

import torch
from torch import Tensor

from posebook.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from posebook.smoothing.checks import check_positive, check_rotations, check_vectors

MIN_CUTOFF, BETA, DERIVATIVE_CUTOFF = 1.0, 0.7, 1.0  # Hz, Hz per unit/s, Hz


def one_euro(
    rotations: Tensor,
    fps: float,
    min_cutoff: float = MIN_CUTOFF,
    beta: float = BETA,
    derivative_cutoff: float = DERIVATIVE_CUTOFF,
) -> Tensor:
    """One-Euro filter on SO(3): F[t] = F[t-1] exp(alpha w), w = log(F[t-1]^T R[t]).

    The speed is that of log(R[t-1]^T R[t]) fps, the angular velocity in the joint's own axes, and one cutoff serves all
    three. Multiplying all rotations by one rotation from the left turns the result alike, and an angle may pass pi.

    Args:
        rotations: (T, ..., 3, 3).
        fps: frames per second.
        min_cutoff: Hz at rest; smaller is steadier.
        beta: Hz per rad/s; larger is less late.
        derivative_cutoff: Hz of the filter on the speed.

    Returns:
        (T, ..., 3, 3), type of `rotations`. The first frame is unchanged.

    Raises:
        PosebookError: input that does not fit, or a parameter out of range.
    """
    wide = check_rotations(rotations)
    _check(fps, min_cutoff, beta, derivative_cutoff)
    filtered = [wide[0]]
    velocity = wide.new_zeros(wide.shape[1:-1])
    fixed = smoothing_factor(derivative_cutoff, fps)
    turns = matrix_to_axis_angle(wide[:-1].mT @ wide[1:]) * fps  # (T - 1, ..., 3) rad/s
    for turn, rotation in zip(turns, wide[1:], strict=True):
        velocity = velocity + fixed * (turn - velocity)
        alpha = smoothing_factor(min_cutoff + beta * velocity.norm(dim=-1, keepdim=True), fps)
        step = matrix_to_axis_angle(filtered[-1].mT @ rotation)
        filtered.append(filtered[-1] @ axis_angle_to_matrix(alpha * step))
    return torch.stack(filtered).to(rotations.dtype)


def one_euro_vectors(
    values: Tensor,
    fps: float,
    min_cutoff: float = MIN_CUTOFF,
    beta: float = BETA,
    derivative_cutoff: float = DERIVATIVE_CUTOFF,
) -> Tensor:
    """One-Euro filter on every number by itself: positions, betas, cameras.

    Args:
        values: (T, ...), any unit.
        fps: frames per second.
        min_cutoff, derivative_cutoff: Hz.
        beta: Hz per unit/s; the unit of `values` matters.

    Returns:
        (T, ...), type of `values`. The first frame is unchanged.

    Raises:
        PosebookError: input that does not fit, or a parameter out of range.
    """
    wide = check_vectors(values)
    _check(fps, min_cutoff, beta, derivative_cutoff)
    filtered, speed = [wide[0]], torch.zeros_like(wide[0])
    fixed = smoothing_factor(derivative_cutoff, fps)
    for last, value in zip(wide[:-1], wide[1:], strict=True):
        speed = speed + fixed * ((value - last) * fps - speed)
        filtered.append(filtered[-1] + smoothing_factor(min_cutoff + beta * speed.abs(), fps) * (value - filtered[-1]))
    return torch.stack(filtered).to(values.dtype)


def smoothing_factor(cutoff, fps: float):
    """Share of the way to a new value, r / (r + 1) with r = 2 pi cutoff / fps; cutoff in Hz, a number or a tensor."""
    ratio = 2 * math.pi * cutoff / fps
    return ratio / (ratio + 1)


def _check(fps: float, min_cutoff: float, beta: float, derivative_cutoff: float) -> None:
    check_positive(fps=fps, min_cutoff=min_cutoff, derivative_cutoff=derivative_cutoff)
    if beta != 0:
        check_positive(beta=beta)
