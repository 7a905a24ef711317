"""Windows of sequences: which rows of a table of frames a temporal network sees together.

A table of frames lists all sequences one after the other; `sequence_names` names the sequence of each row.
TCMR's window around every frame: `models.tcmr_clip`. Source: specs/vibe.md section 2.3.
"""

from collections.abc import Sequence

import numpy as np

from posebook.errors import PosebookError
from posebook.sequences import sequence_ranges

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


def _check(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise PosebookError(f"{name}: expected at least 1 frame, got {number}.")
