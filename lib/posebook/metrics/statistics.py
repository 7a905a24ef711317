"""Rows, seeds and verdicts.

Intervals are over sequences (`posebook.metrics.bootstrap`). Seeds are too few for an interval: they are shown as min
and max, never called 95 %. Arrays are (S, Q): S seeds, Q sequences, millimetres.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from posebook.errors import PosebookError
from posebook.metrics.bootstrap import (
    ALPHA,
    Interval,
    PairedDifference,
    as_rows,
    bootstrap_interval,
    interval_at,
    paired_difference,
    pooled_interval,
)

MIN_EFFECT_MM = 2.0  # smaller effects are not worth a claim, however certain
MIN_SEEDS = 3  # fewer leave a claim undecided
MIN_SEQUENCES = 6  # fewer cannot: even if all agree in sign, chance does so in more than 5 % (2 / 2^5 for five)

__all__ = [
    "Holm",
    "Interval",
    "PairedDifference",
    "Summary",
    "bootstrap_interval",
    "holm",
    "interval_at",
    "judge",
    "paired_difference",
    "pooled_interval",
    "sequence_means",
    "stack_seeds",
    "summarise",
    "verdict",
]


class Summary(NamedTuple):
    """One cell of a table."""

    mean: float  # over seeds and sequences, mm
    low: float  # 95 % interval over sequences, of the mean over seeds
    high: float
    seed_low: float  # smallest and largest mean of one seed; not an interval
    seed_high: float
    n_seeds: int
    n_sequences: int
    n_frames: int


class Holm(NamedTuple):
    """Holm's step-down procedure over m p-values, in their given order."""

    adjusted: np.ndarray  # (m,) p-values to compare with alpha
    level: np.ndarray  # (m,) the alpha each single interval is drawn at
    rejected: np.ndarray  # (m,) bool


def sequence_means(frames: pd.DataFrame) -> pd.DataFrame:
    """Mean of every metric column per sequence, from the per-frame table of `Protocol.evaluate`.

    Args:
        frames: columns sequence, optionally frame, and metrics in mm.

    Returns:
        One row per sequence, sorted by it: sequence, n_frames, then the metrics.
    """
    if "sequence" not in frames or frames.empty:
        raise PosebookError("expected a per-frame table with a 'sequence' column and at least one row.")
    groups = frames.drop(columns="frame", errors="ignore").groupby("sequence", sort=True)
    means = groups.mean(numeric_only=True)
    means.insert(0, "n_frames", groups.size())
    return means.reset_index()


def stack_seeds(tables: Sequence[pd.DataFrame], metric: str) -> np.ndarray:
    """Put one metric of several seeds' `sequence_means` tables into one array.

    Args:
        tables: S tables over the same sequences.
        metric: column name.

    Returns:
        (S, Q) mm, sequences in sorted order.

    Raises:
        PosebookError: tables over different sequences.
    """
    columns = [t.set_index("sequence")[metric].sort_index() for t in tables]
    if not columns or any(not c.index.equals(columns[0].index) for c in columns):
        raise PosebookError("seeds must be scored on the same sequences; got tables with different ones.")
    return np.stack([c.to_numpy(float) for c in columns])


def summarise(errors: np.ndarray, frames_per_sequence: Sequence[int] | int = 0, seed: int = 0) -> Summary:
    """Sum up one row: mean over seeds and sequences, interval over sequences, range over seeds.

    Args:
        errors: (S, Q) mm; all NaN (a scale-free row's MPJPE) gives NaN.
        frames_per_sequence: Q frame counts, or their total.
        seed: of the bootstrap.
    """
    errors = as_rows(errors, "errors", allow_missing=True)
    by_seed = errors.mean(1)
    low, high = bootstrap_interval(errors.mean(0), seed=seed)
    frames = int(np.sum(frames_per_sequence))
    return Summary(
        float(errors.mean()), low, high, float(by_seed.min()), float(by_seed.max()), *errors.shape, frames
    )  # fmt: skip


def holm(p_values: Sequence[float], alpha: float = ALPHA) -> Holm:
    """Holm's step-down over a family of m tests.

    In ascending order (k = 0, 1, ...) p_(k) is compared with alpha / (m - k) until one fails. The interval of each test
    is drawn at its own alpha / (m - k); those after the failure at the failing one's, so that no interval excludes 0
    where Holm does not reject.

    Args:
        p_values: m two-sided p-values.
        alpha: family-wise error.

    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    p = np.asarray(p_values, float)
    count, order = len(p), np.argsort(p, kind="stable")
    ranks = np.arange(count)
    adjusted_sorted = np.minimum(1, np.maximum.accumulate((count - ranks) * p[order]))
    failed = np.flatnonzero(p[order] > alpha / (count - ranks))
    stop = failed[0] if len(failed) else count
    adjusted, level, rejected = np.empty(count), np.empty(count), np.empty(count, bool)
    adjusted[order] = adjusted_sorted
    level[order] = alpha / (count - np.minimum(ranks, stop))
    rejected[order] = ranks < stop
    return Holm(adjusted, level, rejected)


def verdict(difference: PairedDifference, expected_sign: int, alpha: float = ALPHA) -> str:
    """Judge one claim: "reproduced", "contradicted" or "undecided", the last with its seeds if they are too few.

    Reproduced: the interval at level 1 - alpha excludes 0 on the claimed side AND every seed has the claimed sign AND
    |effect| >= 2 mm. Contradicted: the same on the other side. Fewer than three seeds or six sequences: undecided.

    Args:
        difference: of errors a - b.
        expected_sign: -1 if the claim says a is better (smaller error), +1 if b is.
        alpha: 1 - level of the interval; in a findings table Holm's, see `findings_table`.
    """
    return judge(difference, expected_sign, alpha)[0]


def judge(difference: PairedDifference, expected_sign: int, alpha: float = ALPHA) -> tuple[str, str]:
    """Verdict as in `verdict`, and in words why it is undecided ("" where it is not)."""
    if expected_sign not in (-1, 1):
        raise PosebookError(f"expected_sign must be -1 (a has the smaller error) or +1, got {expected_sign!r}.")
    seeds = len(difference.per_seed)
    if seeds < MIN_SEEDS:
        return f"undecided ({seeds} seed{'s' if seeds > 1 else ''})", f"fewer than {MIN_SEEDS} seeds"
    low, high = interval_at(difference, alpha)
    if difference.n < MIN_SEQUENCES:
        return "undecided", f"fewer than {MIN_SEQUENCES} sequences"
    if not (low > 0 or high < 0):
        return "undecided", "the interval includes 0"
    sign = 1 if low > 0 else -1
    if not all(effect * sign > 0 for effect in difference.per_seed):
        return "undecided", "the seeds differ in sign"
    if abs(difference.mean) < MIN_EFFECT_MM:
        return "undecided", f"the effect is under {MIN_EFFECT_MM:g} mm"
    return ("reproduced" if sign == expected_sign else "contradicted"), ""
