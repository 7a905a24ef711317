"""Clips of consecutive frames against counting by hand."""

import numpy as np

from posebook.data.real.clips import clips, longest_run, runs, stretch_names

SEQUENCE = np.array(["a"] * 7 + ["b"] * 4 + ["c"])
FRAME = np.array([0, 1, 2, 3, 4, 6, 7, 10, 15, 20, 30, 0])  # a: a gap after 4; b: every fifth frame, a gap after 20


def test_runs_end_at_gaps_and_with_sequences():
    assert runs(SEQUENCE, FRAME).tolist() == [[0, 5], [5, 7], [7, 10], [10, 11], [11, 12]]
    assert longest_run(SEQUENCE, FRAME) == 5
    assert runs(SEQUENCE[:0], FRAME[:0]).shape == (0, 2) and longest_run(SEQUENCE[:0], FRAME[:0]) == 0
    backwards = np.array([3, 2, 1])
    assert runs(np.array(["a"] * 3), backwards).tolist() == [[0, 1], [1, 2], [2, 3]]


def test_clips_lie_in_the_middle_of_runs():
    assert clips(SEQUENCE, FRAME, 2, 0).tolist() == [0, 1, 2, 3, 5, 6, 7, 8]
    assert clips(SEQUENCE, FRAME, 3, 0).tolist() == [1, 2, 3, 7, 8, 9]
    assert clips(SEQUENCE, FRAME, 6, 0).tolist() == []


def test_a_limit_takes_the_same_share_of_every_run():
    sequence, frame = np.repeat(["a", "b", "c"], 100), np.tile(np.arange(100), 3)
    rows = clips(sequence, frame, 10, 150)
    assert len(rows) == 150 and np.unique(sequence[rows], return_counts=True)[1].tolist() == [50, 50, 50]
    assert (np.diff(rows.reshape(-1, 10)) == 1).all()
    few = clips(sequence, frame, 10, 10)
    assert len(few) == 10 and len(set(sequence[few])) == 1


def test_what_follows_a_gap_has_a_name_of_its_own():
    named = stretch_names(SEQUENCE, FRAME).tolist()
    assert named == ["a"] * 5 + ["a+1"] * 2 + ["b"] * 3 + ["b+1"] + ["c"]
