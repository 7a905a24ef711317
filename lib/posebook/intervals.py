"""Means and intervals of tables: over sequences by bootstrap, over seeds by min–max."""

import numpy as np
import pandas as pd

from posebook.metrics.statistics import bootstrap_interval


def by_row(runs: dict[int, pd.DataFrame]) -> dict[int, dict[str, pd.DataFrame]]:
    """Every seed's per_sequence table cut into its rows, so that nobody searches the whole of it for each of them."""
    return {seed: dict(iter(t.groupby("row", sort=False))) if "row" in t else {} for seed, t in runs.items()}


def sequence_errors(runs: dict[int, pd.DataFrame], row: str, metric: str) -> pd.DataFrame | None:
    """Errors of one row, a line per sequence in sorted order and a column per seed; None where seeds differ in theirs.

    Args:
        runs: seed -> per_sequence table.
    """
    columns = []
    for table in runs.values():
        if metric not in table.columns or "row" not in table.columns:
            return None
        own = table[table["row"] == row].set_index("sequence")[metric].dropna()
        if own.empty or own.index.has_duplicates:
            return None
        columns.append(own)
    if not columns or any(set(other.index) != set(columns[0].index) for other in columns):
        return None
    return pd.concat(columns, axis=1).sort_index()


def sequence_matrix(runs: dict[int, pd.DataFrame], row: str, metric: str) -> np.ndarray | None:
    """`sequence_errors` as (S seeds, Q sequences)."""
    errors = sequence_errors(runs, row, metric)
    return None if errors is None else errors.to_numpy().T


def paired(one: pd.DataFrame | None, other: pd.DataFrame | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Two rows (S, Q) on the sequences that both have (a lag, say, is not known of each); None where there are none.

    Args:
        one, other: of `sequence_errors`, the same seeds.
    """
    if one is None or other is None or not len(both := one.index.intersection(other.index)):
        return None
    return one.loc[both].to_numpy().T, other.loc[both].to_numpy().T


def interval(errors: np.ndarray) -> tuple[float, float]:
    """95 % bootstrap interval over sequences of the mean over seeds.

    Args:
        errors: (S, Q) mm.
    """
    return tuple(bootstrap_interval(errors.mean(axis=0)))
