"""Filters over time, on rotations (T, ..., 3, 3) and on vectors (T, ...); all take the frame rate."""

from posebook.smoothing.gaussian import gaussian, gaussian_vectors
from posebook.smoothing.official import official_one_euro_axis_angle
from posebook.smoothing.one_euro import one_euro, one_euro_vectors
from posebook.smoothing.savitzky_golay import savitzky_golay, savitzky_golay_vectors
from posebook.smoothing.slerp import slerp, slerp_vectors
from posebook.smoothing.smooth import FILTERS, smooth, smooth_vectors

__all__ = [
    "FILTERS",
    "gaussian",
    "gaussian_vectors",
    "official_one_euro_axis_angle",
    "one_euro",
    "one_euro_vectors",
    "savitzky_golay",
    "savitzky_golay_vectors",
    "slerp",
    "slerp_vectors",
    "smooth",
    "smooth_vectors",
]
