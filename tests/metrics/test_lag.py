"""Lag in frames: shifted tracks, a filter of known delay, jitter, sequences of a table, bad input."""

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.metrics.lag import MAX_LAG, lag, lags


def swing(frames: int, late: float = 0.0) -> torch.Tensor:
    """(frames, 2, 3) metres of a motion without a period, `late` frames late."""
    t = torch.arange(frames).double() - late
    points = torch.stack((torch.sin(0.31 * t), torch.sin(0.13 * t + 1), torch.cos(0.23 * t)), -1)
    return 0.2 * torch.stack((points, points.flip(-1)), 1)


@pytest.mark.parametrize("late", [-3, 0, 1, 4])
def test_a_track_that_is_late_by_whole_frames(late):
    assert lag(swing(60, late), swing(60)) == pytest.approx(late, abs=0.05)


def test_a_fraction_of_a_frame_and_a_constant_error():
    assert lag(swing(60, 1.5) + 0.3, swing(60)) == pytest.approx(1.5, abs=0.1)


def test_jitter_is_no_lag_and_a_one_sided_mean_is_half_its_width():
    truth = swing(200)
    noise = 0.01 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(0)).double()
    assert abs(lag(truth + noise, truth)) < 0.1
    backward = torch.stack([truth[i - 4 : i + 1].mean(0) for i in range(4, 200)])  # the mean of 5 frames up to now
    assert lag(backward, truth[4:]) == pytest.approx(2, abs=0.1)


def test_more_than_the_largest_lag_is_the_largest_and_a_frozen_track_has_none():
    assert lag(swing(80, 7), swing(80)) == MAX_LAG
    assert np.isnan(lag(torch.zeros(60, 2, 3).double(), swing(60)))


def test_a_column_holds_each_sequence_of_its_own():
    pred = torch.cat((swing(40, 2), swing(32, 0)))
    truth = torch.cat((swing(40), swing(32)))
    found = lags(pred, truth, ["a"] * 40 + ["b"] * 32)
    assert found.shape == (72,) and len(set(found[:40])) == 1 and len(set(found[40:])) == 1
    assert found[0] == pytest.approx(2, abs=0.05) and found[-1] == pytest.approx(0, abs=0.05)


def test_refuses_a_track_too_short_to_be_shifted():
    with pytest.raises(PosebookError, match="at least 11 frames"):
        lag(swing(10), swing(10))
