"""Acceleration against tracks whose acceleration is known."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.metrics import accel, accel_error


def falling(frames=10, joints=14):
    """Every joint falls with y = t^2 / 100 metres: the second difference is exactly 20 mm per frame^2."""
    t = torch.arange(frames, dtype=torch.float64)[:, None]
    track = torch.zeros(frames, joints, 3, dtype=torch.float64)
    track[..., 1] = t**2 / 100
    return track


def test_constant_acceleration():
    track = falling()
    torch.testing.assert_close(accel(track, "none"), torch.full((8,), 20.0, dtype=torch.float64))
    torch.testing.assert_close(accel(track, fps=30.0), torch.tensor(20.0 * 900, dtype=torch.float64))  # mm/s^2


def test_constant_velocity_has_none():
    drift = torch.arange(10.0, dtype=torch.float64)[:, None, None] * torch.tensor([0.1, 0.2, 0.3])
    assert accel(drift.expand(10, 14, 3)) < 1e-9
    torch.testing.assert_close(accel_error(falling() + drift, falling()), torch.zeros((), dtype=torch.float64))


def test_error_is_of_the_difference_not_a_difference_of_sizes():
    up = falling() * torch.tensor([1.0, -1.0, 1.0])  # the same size in the opposite direction
    torch.testing.assert_close(accel_error(up, falling()), torch.tensor(40.0, dtype=torch.float64))


def test_visible_triples():
    visible = torch.tensor([True, True, True, True, False, True, True, True, True, False])
    track = falling()
    track[4] += 9.0  # unseen: must not count
    assert accel(track, "none", visible=visible).shape == (4,)  # centres 1, 2, 6, 7
    torch.testing.assert_close(accel_error(track, 0 * track, visible=visible), torch.tensor(20.0, dtype=torch.float64))


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"joints": torch.zeros(2, 14, 3)}, "at least 3 frames"),
        ({"joints": torch.zeros(2, 5, 14, 3)}, "one track"),
        ({"joints": torch.zeros(5, 14, 3), "visible": torch.ones(4, dtype=torch.bool)}, "one per frame"),
        ({"joints": torch.zeros(5, 14, 3), "visible": torch.zeros(5, dtype=torch.bool)}, "no three frames"),
        ({"joints": torch.zeros(5, 14, 3), "fps": 0.0}, "fps"),
    ],
)
def test_bad_tracks(kwargs, message):
    with pytest.raises(PosebookError, match=message):
        accel(**kwargs)
