"""Consecutive frames among the rows of a prepared split: what test sets and temporal networks are made of."""

import numpy as np


def runs(sequence: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Rows that follow each other without a gap.

    Args:
        sequence: (N,) texts; the rows of a sequence are next to one another, in the order of its frames.
        frame: (N,) frame numbers. The smallest step of a sequence is its own: every fifth frame may be labelled.

    Returns:
        (R, 2) int64, first row of each run and the row after its last.
    """
    if not len(frame):
        return np.empty((0, 2), np.int64)
    _, number = np.unique(sequence, return_inverse=True)
    step = np.diff(frame)
    inside = (number[1:] == number[:-1]) & (step > 0)
    least = np.full(number.max() + 1, np.iinfo(np.int64).max)
    np.minimum.at(least, number[1:][inside], step[inside])
    joined = inside & (step == least[number[1:]])
    starts = np.flatnonzero(np.concatenate([[True], ~joined]))
    return np.stack([starts, np.append(starts[1:], len(frame))], 1)


def longest_run(sequence: np.ndarray, frame: np.ndarray) -> int:
    """Frames of the longest run; see `runs`."""
    found = runs(sequence, frame)
    return int((found[:, 1] - found[:, 0]).max()) if len(found) else 0


def clips(sequence: np.ndarray, frame: np.ndarray, length: int, limit: int) -> np.ndarray:
    """Rows of clips of `length` frames: of every run one stretch of whole clips from its middle, longer in longer runs.

    Args:
        sequence, frame: see `runs`. limit: rows at most; 0 for as many as there are.

    Returns:
        (n,) int64; empty where no run is long enough.
    """
    found = runs(sequence, frame)
    whole = (found[:, 1] - found[:, 0]) // length
    total = int(whole.sum())
    wanted = min(total, max(1, limit // length)) if limit else total
    if not wanted:
        return np.empty(0, np.int64)
    taken = np.diff(np.cumsum(whole) * wanted // total, prepend=0)
    starts = found[:, 0] + (found[:, 1] - found[:, 0] - taken * length) // 2
    return np.concatenate([np.arange(s, s + n * length) for s, n in zip(starts, taken, strict=True)])


def stretch_names(sequence: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """(N,) texts: the sequence's name, with +1, +2 … for what comes after a gap, so that no window crosses one."""
    found, seen = sequence.astype(object), {}
    for start, stop in runs(sequence, frame).tolist():
        name = str(sequence[start])
        later = seen.get(name, 0)
        seen[name] = later + 1
        if later:
            found[start:stop] = f"{name}+{later}"
    return found.astype(str)
