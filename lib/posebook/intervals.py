"""Means and intervals of tables: over sequences by bootstrap, over seeds by min–max."""

import numpy as np
import pandas as pd

from posebook.metrics.statistics import bootstrap_interval


def sequence_matrix(runs: dict[int, pd.DataFrame], row: str, metric: str) -> np.ndarray | None:
    """Errors (S seeds, Q sequences) in mm of one row; None where a seed lacks them or the sequences differ.

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
    return pd.concat(columns, axis=1).sort_index().to_numpy().T


def interval(errors: np.ndarray) -> tuple[float, float]:
    """95 % bootstrap interval over sequences of the mean over seeds.

    Args:
        errors: (S, Q) mm.
    """
    return tuple(bootstrap_interval(errors.mean(axis=0)))
