"""Smooth random curves over time: the raw material of the procedural actions. Time in seconds, values in any unit."""

import hashlib

import numpy as np
from scipy.interpolate import CubicSpline

from posebook.motion.clip import FPS


def named_rng(*names: str) -> np.random.Generator:
    """Random generator seeded by names through sha256, so that it is the same on every machine and in every process."""
    digest = hashlib.sha256(":".join(names).encode()).digest()
    words = np.frombuffer(digest[:16], dtype="<u4")
    return np.random.default_rng(np.random.SeedSequence([int(w) for w in words]))


def times(frames: int) -> np.ndarray:
    """Time of each frame in seconds. Returns (T,)."""
    return np.arange(frames) / FPS


def wander(rng: np.random.Generator, frames: int, amplitude: float, slow: float = 0.1, fast: float = 0.6) -> np.ndarray:
    """Sum of three sinusoids of random frequency (Hz) and phase, about `amplitude` high. Returns (T,)."""
    t = times(frames)[:, None]
    hertz, phase = rng.uniform(slow, fast, 3), rng.uniform(0, 2 * np.pi, 3)
    weight = rng.dirichlet(np.ones(3)) * amplitude
    return (weight * np.sin(2 * np.pi * hertz * t + phase)).sum(1)


def min_jerk(frames: int, at: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Go through key values as a hand does: each move follows 10 s^3 - 15 s^4 + 6 s^5, at rest at both ends.

    Args:
        frames: T.
        at: (K,) key times in seconds, increasing.
        values: (K,) or (K, D) key values.

    Returns:
        (T,) or (T, D).

    Source: Flash and Hogan 1985, minimum-jerk point-to-point movement.
    """
    at, values, t = np.asarray(at, float), np.asarray(values, float), times(frames)
    if np.any(np.diff(at) <= 0):
        raise ValueError(f"key times must increase, got {at}")
    i = np.clip(np.searchsorted(at, t, side="right") - 1, 0, len(at) - 2)
    s = np.clip((t - at[i]) / (at[i + 1] - at[i]), 0, 1)
    s = s**3 * (10 - 15 * s + 6 * s**2)
    s = s.reshape(-1, *[1] * (values.ndim - 1))
    return values[i] * (1 - s) + values[i + 1] * s


def pulse(frames: int, start: float, peak: float, end: float) -> np.ndarray:
    """0 -> 1 -> 0 with minimum-jerk flanks; start < peak < end in seconds. Returns (T,)."""
    return min_jerk(frames, [start - 1, start, peak, end, end + 1], [0, 0, 1, 0, 0])


def hold(frames: int, start: float, up: float, down: float, end: float) -> np.ndarray:
    """0 -> 1 (start..up), stay, 1 -> 0 (down..end). Returns (T,)."""
    return min_jerk(frames, [start - 1, start, up, down, end, end + 1], [0, 0, 1, 1, 0, 0])


def flow(frames: int, at: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Go through key values without stopping (natural cubic spline). Shapes as `min_jerk`."""
    return CubicSpline(at, values, bc_type="natural")(times(frames))


def cycle(phase: np.ndarray, knots: list[float], values: list[float]) -> np.ndarray:
    """Periodic cubic spline over one gait cycle.

    Args:
        phase: (T,) in cycles, any real number.
        knots: increasing in [0, 1), the first is 0.
        values: one per knot.

    Returns:
        (T,) values.
    """
    spline = CubicSpline([*knots, 1.0], [*values, values[0]], bc_type="periodic")
    return spline(np.mod(phase, 1.0))
