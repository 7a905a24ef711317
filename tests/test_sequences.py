"""Ranges of sequences, against lists of rows."""

import pytest

from posebook.errors import PosebookError
from posebook.sequences import sequence_ranges


def test_ranges_are_the_rows_of_each_name():
    names = ["b"] * 3 + ["a"] + ["c"] * 2
    ranges = sequence_ranges(names)
    assert [names[first:end] for first, end in ranges] == [["b"] * 3, ["a"], ["c"] * 2]
    assert sequence_ranges([]) == []


def test_a_sequence_that_comes_back_is_refused():
    with pytest.raises(PosebookError, match="'a' comes back at row 2"):
        sequence_ranges(["a", "b", "a"])
    with pytest.raises(PosebookError, match="one name a row"):
        sequence_ranges([["a"]])
