"""Windows against the recording of VIBE's own, and against loops over sequences."""

import numpy as np
import pytest

from posebook.data.windows import windows
from posebook.errors import PosebookError

NAMES = ["b"] * 20 + ["a"] * 7 + ["c"] * 40


@pytest.mark.parity
@pytest.mark.parametrize(("stride", "entry"), [(None, "chunks16"), (16, "chunks16"), (4, "chunks16_stride4")])
def test_windows_are_the_official_ones(parity, stride, entry):
    data = parity.load("vibe.pt")["data"]
    assert windows(data["vid"], 16, stride).tolist() == data[entry]


def test_forty_frames_hold_two_windows_and_short_sequences_none():
    assert windows(["v"] * 40).tolist() == [[0, 15], [16, 31]]
    assert windows(["v"] * 15).shape == (0, 2) == windows([]).shape
    assert windows(NAMES, 20, 10).tolist() == [[0, 19], [27, 46], [37, 56], [47, 66]]


def test_stride_one_sees_every_window_of_every_sequence():
    names = np.array(NAMES)
    expected = [[i, i + 6] for i in range(len(names) - 6) if len(set(names[i : i + 7])) == 1]
    assert windows(names, 7, 1).tolist() == expected


def test_what_does_not_fit_is_refused():
    with pytest.raises(PosebookError, match="'a' comes back at row 2"):
        windows(["a", "b", "a"])
    with pytest.raises(PosebookError, match="stride: expected at least 1"):
        windows(NAMES, 16, 0)
    with pytest.raises(PosebookError, match="one name a row"):
        windows([["a"]])
