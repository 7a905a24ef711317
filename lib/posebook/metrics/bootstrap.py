"""Bootstrap over sequences: intervals of means and of paired differences.

The unit that varies is the sequence: frames of one clip are nearly copies, so whole sequences are resampled, and every
sequence counts the same. Arrays are (S, Q): S seeds, Q sequences, millimetres.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from posebook.errors import PosebookError

ALPHA = 0.05
RESAMPLES_ROW = 2000  # one row of a table at 95 %
RESAMPLES_PAIR = 10_000  # the smallest Holm level of a findings table still has whole samples in its tail

DRAWS_AT_ONCE = 1_000_000  # memory


class Interval(NamedTuple):
    """Percentile interval of a mean."""

    low: float
    high: float


class PairedDifference(NamedTuple):
    """Difference a - b of two rows on the same sequences and seeds."""

    mean: float  # mm
    low: float  # 95 % interval over sequences unless asked otherwise
    high: float
    per_seed: tuple[float, ...]  # mean difference of each seed, mm
    p_value: float  # two-sided, of the same bootstrap
    n: int  # sequences
    differences: tuple[float, ...]  # per sequence, mean over seeds: what the bootstrap draws from


def bootstrap_interval(
    values: np.ndarray, level: float = 1 - ALPHA, resamples: int = RESAMPLES_ROW, seed: int = 0
) -> Interval:
    """Percentile bootstrap interval of the mean over sequences.

    Args:
        values: (Q,) one value per sequence.
        level: e.g. 0.95.
        resamples: number of resampled means.
        seed: fixed, so that a table can be made again.

    Returns:
        Interval; NaN for a single sequence (it says nothing of others), infinite where the level needs more resamples.
    """
    values = np.asarray(values, float)
    if len(values) < 2 or np.isnan(values).any():
        return Interval(float("nan"), float("nan"))
    return _percentiles(_resampled_means(values, resamples, seed), 1 - level)


def pooled_interval(
    sums: np.ndarray, counts: np.ndarray, level: float = 1 - ALPHA, resamples: int = RESAMPLES_ROW, seed: int = 0
) -> Interval:
    """Interval of mean over groups a of sum_q sums[q, a] / sum_q counts[q, a]: means over frames or over actions.

    Whole sequences are resampled, so a longer one weighs more in each resample, as it does in the mean itself. Groups
    of which a resample holds no frame are left out of its mean.

    Args:
        sums: (Q, A) sums of errors over the frames of a sequence in a group, mm.
        counts: (Q, A) numbers of these frames; A = 1 for the mean over all frames.
        level, resamples, seed: as in `bootstrap_interval`.

    Returns:
        Interval; NaN for a single sequence.
    """
    sums, counts = np.asarray(sums, float), np.asarray(counts, float)
    if len(sums) < 2:
        return Interval(float("nan"), float("nan"))
    rng, means = np.random.default_rng(seed), np.empty(resamples)
    for i in range(resamples):
        rows = rng.integers(0, len(sums), len(sums))
        frames = counts[rows].sum(0)
        there = frames > 0
        means[i] = (sums[rows].sum(0)[there] / frames[there]).mean()
    return _percentiles(np.sort(means), 1 - level)


def paired_difference(
    errors_a: np.ndarray, errors_b: np.ndarray, alpha: float = ALPHA, resamples: int = RESAMPLES_PAIR, seed: int = 0
) -> PairedDifference:
    """Compare two rows sequence by sequence: d_q = mean over seeds of (a - b), bootstrapped over sequences.

    p = 2 (1 + c) / (1 + resamples), c the resampled means on the rarer side of 0: p <= alpha exactly when the interval
    at level 1 - alpha excludes 0.

    Args:
        errors_a, errors_b: (S, Q) mm, the same seeds and sequences in the same order.
        alpha: 1 - level of the interval.
        resamples: number of resampled means.
        seed: fixed, so that a table can be made again.

    Returns:
        PairedDifference; negative means a is better.

    Raises:
        PosebookError: shapes that differ or missing values.
    """
    errors_a, errors_b = as_rows(errors_a, "errors_a"), as_rows(errors_b, "errors_b")
    if errors_a.shape != errors_b.shape:
        raise PosebookError(
            f"paired rows must share seeds and sequences: got {errors_a.shape}, {errors_b.shape} (seeds, sequences). "
            "Repeat a row without seeds explicitly, e.g. np.repeat(row, 3, axis=0)."
        )
    difference = errors_a - errors_b
    by_sequence, per_seed = difference.mean(0), tuple(difference.mean(1).tolist())
    low, high, p = float("nan"), float("nan"), 1.0
    if len(by_sequence) > 1:
        means = _resampled_means(by_sequence, resamples, seed)
        low, high = _percentiles(means, alpha)
        p = min(1.0, 2 * (1 + min((means <= 0).sum(), (means >= 0).sum())) / (1 + resamples))
    return PairedDifference(
        float(by_sequence.mean()), low, high, per_seed, float(p), len(by_sequence), tuple(by_sequence.tolist())
    )  # fmt: skip


def interval_at(difference: PairedDifference, alpha: float, resamples: int = RESAMPLES_PAIR, seed: int = 0) -> Interval:
    """Interval of a paired difference at level 1 - alpha, from the same bootstrap as the first one."""
    return bootstrap_interval(np.asarray(difference.differences), 1 - alpha, resamples, seed)


def as_rows(errors, name: str, allow_missing: bool = False) -> np.ndarray:
    """Check an (S, Q) array of errors; missing values are refused unless all are missing and that is allowed."""
    errors = np.asarray(errors, float)
    if errors.ndim != 2 or 0 in errors.shape:
        raise PosebookError(f"{name}: expected (S seeds, Q sequences), got shape {errors.shape}.")
    missing = np.isnan(errors)
    if missing.any() and not (allow_missing and missing.all()):
        raise PosebookError(f"{name}: {missing.sum()} of {errors.size} values are missing (NaN).")
    return errors


def _resampled_means(values: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Means of `resamples` draws of Q sequences with replacement, sorted."""
    return np.sort(np.concatenate([values[drawn].mean(1) for drawn in _draws(len(values), resamples, seed)]))


@lru_cache(maxsize=4)
def _draws(count: int, resamples: int, seed: int) -> tuple[np.ndarray, ...]:
    """Numbers (R, count) of the drawn sequences, a part of the resamples each; the same for every row of a table."""
    rng, rows = np.random.default_rng(seed), max(1, DRAWS_AT_ONCE // count)
    sizes = [min(rows, resamples - start) for start in range(0, resamples, rows)]
    return tuple(rng.integers(0, count, (size, count)) for size in sizes)


def _percentiles(means: np.ndarray, alpha: float) -> Interval:
    """Order statistics k and B + 1 - k of B sorted means, k = floor(alpha / 2 (B + 1))."""
    k = int(np.floor(alpha / 2 * (len(means) + 1) + 1e-9))
    if k < 1:
        return Interval(float("-inf"), float("inf"))
    return Interval(float(means[k - 1]), float(means[-k]))
