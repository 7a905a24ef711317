"""One-Euro against the paper's algorithm as a low-pass loop; on SO(3) against that for turns about one axis."""

import math

import pytest
import torch

from posebook.errors import PosebookError
from posebook.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from posebook.smoothing import one_euro, one_euro_vectors


def test_about_one_axis_it_is_the_scalar_filter():
    angles = torch.randn(50, generator=torch.Generator().manual_seed(0)).double().cumsum(0) * 0.05
    axis = torch.tensor([2.0, -1.0, 2.0]).double() / 3
    found = matrix_to_axis_angle(one_euro(axis_angle_to_matrix(angles[:, None] * axis), 30))
    torch.testing.assert_close(found @ axis, one_euro_vectors(angles, 30), atol=1e-9, rtol=0)


def test_numbers_follow_the_paper_s_algorithm():
    """Algorithm 1 and 2 of the paper: two exponential low-pass filters written as weighted sums."""
    values = torch.randn(40, generator=torch.Generator().manual_seed(1)).double().tolist()
    rate, expected, slope, last = 25.0, [values[0]], 0.0, values[0]

    def alpha(cutoff):
        tau = 1 / (2 * math.pi * cutoff)
        return 1 / (1 + tau * rate)

    for value in values[1:]:
        slope = alpha(2.0) * (value - last) * rate + (1 - alpha(2.0)) * slope
        share = alpha(0.5 + 0.3 * abs(slope))
        expected.append(share * value + (1 - share) * expected[-1])
        last = value
    found = one_euro_vectors(torch.tensor(values).double(), rate, min_cutoff=0.5, beta=0.3, derivative_cutoff=2)
    torch.testing.assert_close(found, torch.tensor(expected).double())


def test_a_high_cutoff_lets_everything_pass_and_beta_lets_fast_motion_pass():
    values = torch.randn(40, generator=torch.Generator().manual_seed(1)).double()
    torch.testing.assert_close(one_euro_vectors(values, 30, min_cutoff=1e9), values, atol=1e-6, rtol=0)
    step = torch.cat([torch.zeros(20), torch.ones(5)]).double()
    late, quick = (one_euro_vectors(step, 30, beta=beta)[-1] for beta in (0.0, 5.0))
    assert quick > 0.95 > 0.7 > late


def test_parameters_out_of_range():
    for parameters in ({"min_cutoff": 0}, {"beta": -1}, {"derivative_cutoff": 0}):
        with pytest.raises(PosebookError, match="must be positive"):
            one_euro_vectors(torch.zeros(3), 30, **parameters)
