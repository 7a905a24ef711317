"""Windows of sequences: which rows of a table of frames a temporal network sees together.

A table of frames lists all sequences one after the other; `sequence_names` names the sequence of each row.
Source: specs/vibe.md sections 1.4 (TCMR's padding) and 2.3.
"""

from collections.abc import Sequence

import numpy as np

from posebook.errors import PosebookError

LENGTH = 16  # frames, of VIBE and TCMR


def windows(sequence_names: Sequence, length: int = LENGTH, stride: int | None = None) -> np.ndarray:
    """Sliding windows inside each sequence, as VIBE cuts its training data.

    Sequences shorter than `length` and rows left over at a sequence's end are dropped: 40 frames hold two windows of
    16, and the last 8 frames are never seen.

    Args:
        sequence_names: one a row.
        length: frames.
        stride: frames between the starts of two windows; `length` (no overlap) by default.

    Returns:
        (N, 2) int64, first and last row of each window, both inside it.

    Raises:
        PosebookError: a sequence whose rows are not next to one another, length or stride below 1.
    """
    stride = length if stride is None else stride
    _check(length=length, stride=stride)
    found = [
        (start, start + length - 1)
        for first, end in sequence_ranges(sequence_names)
        for start in range(first, end - length + 1, stride)
    ]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def padded_windows(sequence_names: Sequence, length: int = LENGTH) -> np.ndarray:
    """One window for every row, as TCMR evaluates: frame t is at index length // 2 of its window.

    Where a window would reach over an end of the sequence, it is `length` copies of frame t: for 16 frames the first 8
    and the last 7. A sequence shorter than a window is made of such copies only.

    Args:
        sequence_names: one a row.
        length: frames.

    Returns:
        (rows, length) int64, row numbers.

    Raises:
        PosebookError: a sequence whose rows are not next to one another, length below 1.
    """
    _check(length=length)
    offsets = np.arange(length) - length // 2
    parts = [np.empty((0, length), dtype=np.int64)]
    for first, end in sequence_ranges(sequence_names):
        rows = np.arange(first, end)[:, None]
        reach = rows + offsets
        whole = (reach[:, :1] >= first) & (reach[:, -1:] < end)
        parts.append(np.where(whole, reach, rows))
    return np.concatenate(parts)


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


def _check(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise PosebookError(f"{name}: expected at least 1 frame, got {number}.")
