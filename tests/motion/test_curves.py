"""Curves against closed forms."""

import numpy as np
import pytest

from posebook.motion.curves import cycle, min_jerk, named_rng, pulse, times, wander


def test_min_jerk_passes_keys_and_rests_there():
    curve = min_jerk(61, [-1, 0, 1, 3], [0, 0, 5, 5])
    assert curve[0] == 0 and curve[15] == pytest.approx(2.5)
    np.testing.assert_allclose(curve[30:], 5)
    assert np.abs(np.diff(curve)).max() * 30 == pytest.approx(1.875 * 5, rel=0.01)  # peak speed of a minimum-jerk move


def test_min_jerk_refuses_disorder():
    with pytest.raises(ValueError, match="increase"):
        min_jerk(10, [0, 2, 1], [0, 1, 2])


def test_pulse_and_cycle():
    assert pulse(31, 0.2, 0.5, 0.8).max() == pytest.approx(1)
    phase = np.linspace(-2, 3, 500)
    np.testing.assert_allclose(cycle(phase, [0, 0.25, 0.5, 0.75], [1, 0, -1, 0]), np.cos(2 * np.pi * phase), atol=0.03)


def test_names_seed_and_wander_is_bounded():
    assert named_rng("a", "b").integers(1 << 40) == 129973148567  # recorded: seeds every clip
    assert named_rng("a", "b").integers(1 << 40) != named_rng("ab").integers(1 << 40)
    assert np.abs(wander(named_rng("x"), 900, 7.0)).max() <= 7.0
    assert times(31)[-1] == 1.0
