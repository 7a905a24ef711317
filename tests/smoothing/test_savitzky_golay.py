"""Savitzky-Golay against scipy's, and against what a polynomial must keep."""

import pytest
import torch
from scipy.signal import savgol_filter

from posebook.errors import PosebookError
from posebook.rotations import axis_angle_to_matrix
from posebook.smoothing import savitzky_golay, savitzky_golay_vectors


@pytest.mark.parametrize(("window", "frames", "degree"), [(0.3, 9, 2), (0.5, 15, 3), (0.4, 13, 1)])
def test_vectors_are_scipy_s(window, frames, degree):
    values = torch.randn(40, 2, generator=torch.Generator().manual_seed(0)).double()
    expected = savgol_filter(values.numpy(), frames, degree, axis=0, mode="interp")
    found = savitzky_golay_vectors(values, 30, window, degree)
    torch.testing.assert_close(found, torch.from_numpy(expected), atol=1e-10, rtol=0)


def test_turns_about_one_axis_are_scipy_s_too_even_past_pi():
    noise = 0.05 * torch.randn(60, generator=torch.Generator().manual_seed(0)).double()
    angles = torch.linspace(0, 10, 60).double() + noise
    axis = torch.tensor([0.6, 0.0, 0.8]).double()
    found = savitzky_golay(axis_angle_to_matrix(angles[:, None] * axis), 30, 0.3, 2)
    expected = torch.from_numpy(savgol_filter(angles.numpy(), 9, 2, mode="interp"))
    torch.testing.assert_close(found, axis_angle_to_matrix(expected[:, None] * axis), atol=1e-9, rtol=0)


def test_polynomials_of_its_degree_pass_unchanged():
    time = torch.arange(20.0).double()
    torch.testing.assert_close(savitzky_golay_vectors(time**2, 30), time**2, atol=1e-9, rtol=0)


def test_a_window_that_cannot_smooth_is_refused():
    with pytest.raises(PosebookError, match="is 3 frames at 30 fps.*at least 4"):
        savitzky_golay_vectors(torch.zeros(9), 30, window=0.1)
