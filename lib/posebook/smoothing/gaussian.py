"""Gaussian filter over time: a weighted mean of past and future, no lag, all frames needed."""

import math

import torch
from torch import Tensor

from posebook.rotations import project_to_rotation
from posebook.smoothing.checks import check_positive, check_rotations, check_vectors

SIGMA = 0.05  # seconds
TRUNCATE = 4.0  # sigmas on each side


def gaussian(rotations: Tensor, fps: float, sigma: float = SIGMA) -> Tensor:
    """Weighted chordal mean: the rotation nearest to sum_k g[k - t] R[k], g a Gaussian in time.

    The chordal mean minimises sum g |R - R[k]|^2 (Frobenius). It needs no sign of a quaternion and no chart, so it
    commutes with rotations from either side. Within the window rotations should stay within 90 degrees of one another.

    Args:
        rotations: (T, ..., 3, 3).
        fps: frames per second.
        sigma: standard deviation in seconds.

    Returns:
        (T, ..., 3, 3), type of `rotations`. Beyond the ends there is nothing: the weights there are renormalised.

    Raises:
        PosebookError: input that does not fit, or a parameter out of range.
    """
    mean = _mean(check_rotations(rotations), fps, sigma)
    return project_to_rotation(mean).to(rotations.dtype)


def gaussian_vectors(values: Tensor, fps: float, sigma: float = SIGMA) -> Tensor:
    """Weighted mean sum_k g[k - t] x[k] of every number, weights renormalised at the ends.

    Args:
        values: (T, ...).
        fps: frames per second.
        sigma: standard deviation in seconds.

    Returns:
        (T, ...), type of `values`.

    Raises:
        PosebookError: input that does not fit, or a parameter out of range.
    """
    return _mean(check_vectors(values), fps, sigma).to(values.dtype)


def _mean(wide: Tensor, fps: float, sigma: float) -> Tensor:
    check_positive(fps=fps, sigma=sigma)
    reach = min(math.ceil(TRUNCATE * sigma * fps), len(wide) - 1)
    total, weight = torch.zeros_like(wide), wide.new_zeros(len(wide))
    for shift in range(-reach, reach + 1):
        own, other = slice(max(0, -shift), len(wide) - max(0, shift)), slice(max(0, shift), len(wide) + min(0, shift))
        share = math.exp(-0.5 * (shift / (sigma * fps)) ** 2)
        total[own] += share * wide[other]
        weight[own] += share
    return total / weight.reshape(-1, *[1] * (wide.dim() - 1))
