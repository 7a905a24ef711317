"""Acceleration spectrum: Parseval, a single frequency, bad input."""

import math

import pytest
import torch

from posebook.errors import PosebookError
from posebook.metrics.spectrum import acceleration_spectrum


@pytest.mark.parametrize("frames", [5, 32, 33])
def test_squares_add_up_to_the_mean_square_of_the_accelerations(frames):
    joints = 0.01 * torch.randn(frames, 4, 3, generator=torch.Generator().manual_seed(0)).double()
    second = 1000 * (joints[2:] - 2 * joints[1:-1] + joints[:-2])
    found = acceleration_spectrum(joints, 30.0)
    assert float(found.amplitude.square().sum()) == pytest.approx(float(second.square().sum(-1).mean()))
    assert len(found.frequency) == len(found.amplitude) == (frames - 2) // 2 + 1


def test_a_swing_has_one_line_at_its_frequency():
    fps, hertz, metres = 30.0, 3.0, 0.01
    time = torch.arange(42).double() / fps  # 40 second differences, four whole swings
    joints = torch.zeros(42, 1, 3).double()
    joints[:, 0, 1] = metres * torch.sin(2 * math.pi * hertz * time)
    found = acceleration_spectrum(joints, fps)
    at = int(found.amplitude.argmax())
    assert float(found.frequency[at]) == pytest.approx(hertz)
    second = 2 - 2 * math.cos(2 * math.pi * hertz / fps)  # what the second difference does to a sine
    assert float(found.amplitude[at]) == pytest.approx(1000 * metres * second / math.sqrt(2))
    others = torch.cat((found.amplitude[:at], found.amplitude[at + 1 :]))
    assert float(others.max()) < 1e-9


def test_refuses_what_has_no_spectrum():
    with pytest.raises(PosebookError, match="at least 4 frames"):
        acceleration_spectrum(torch.zeros(3, 2, 3), 30.0)
    with pytest.raises(PosebookError, match="fps"):
        acceleration_spectrum(torch.zeros(8, 2, 3), 0.0)
