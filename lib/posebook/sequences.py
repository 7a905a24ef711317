"""Where sequences lie in a table of frames, which lists all of them one after the other."""

from collections.abc import Sequence

import numpy as np

from posebook.errors import PosebookError


def sequence_ranges(sequence_names: Sequence) -> list[tuple[int, int]]:
    """(first row, row after the last) of each sequence, in order of first appearance.

    Raises:
        PosebookError: a sequence that comes back after another one.
    """
    names = np.asarray(sequence_names)
    if names.ndim != 1:
        raise PosebookError(f"sequence_names: expected one name a row, got shape {names.shape}.")
    if not len(names):
        return []
    edges = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist(), len(names)]
    seen = set()
    for first in edges[:-1]:
        if names[first] in seen:
            raise PosebookError(
                f"sequence_names: {str(names[first])!r} comes back at row {first} after another sequence. Sort the "
                "rows by sequence and frame, or give the pieces names of their own."
            )
        seen.add(names[first])
    return list(zip(edges[:-1], edges[1:], strict=True))
