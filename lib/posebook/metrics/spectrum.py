"""Spectrum of a track's accelerations: motion lives at a few hertz, jitter everywhere up to half the frame rate.

With the second difference a_t of N = T - 2 frames and its discrete Fourier transform A_k over time,
S_k^2 = c_k |A_k|^2 / N^2, mean over joints, sum over axes; c_k = 2 where the frequency has a negative twin, else 1.
So that sum_k S_k^2 = mean_t |a_t|^2 (Parseval).
"""

from typing import NamedTuple

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.metrics.checks import MM, as_metres


class Spectrum(NamedTuple):
    """Root mean square of a track's accelerations by frequency."""

    frequency: Tensor  # (K,) Hz
    amplitude: Tensor  # (K,) mm/frame^2


def acceleration_spectrum(joints: Tensor, fps: float) -> Spectrum:
    """Of one track.

    Args:
        joints: (T, J, 3) metres, T >= 4.
        fps: frames per second.

    Raises:
        PosebookError: shapes or units that do not fit, a track under 4 frames, a frame rate that is not positive.
    """
    joints = as_metres(joints, "joints", least_dims=3).double()
    if joints.dim() != 3 or len(joints) < 4:
        raise PosebookError(f"expected one track (T, J, 3) of at least 4 frames, got shape {tuple(joints.shape)}.")
    if fps <= 0:
        raise PosebookError(f"fps must be positive, got {fps}.")
    second = MM * joints.diff(n=2, dim=0)  # (T - 2, J, 3)
    count = len(second)
    power = torch.fft.rfft(second, dim=0).abs().square().sum(-1).mean(-1) / count**2  # (K,)
    power[1 : (count + 1) // 2] *= 2  # all but 0 Hz and half the frame rate have a negative twin
    return Spectrum(torch.fft.rfftfreq(count, 1 / fps).to(power), power.sqrt())
