"""Linking: one person, two who cross, gaps, false alarms."""

import numpy as np
import pytest

from posebook.errors import PosebookError
from posebook.video import box_table, fill_gaps, iou, link, tracks_of


def test_iou_by_counting_pixels():
    boxes = np.array([[0, 0, 4, 4], [2, 1, 4, 6], [10, 10, 2, 2]])
    masks = np.zeros((3, 12, 12), bool)
    for mask, (x, y, w, h) in zip(masks, boxes, strict=True):
        mask[y : y + h, x : x + w] = True
    expected = [[(a & b).sum() / (a | b).sum() for b in masks] for a in masks]
    np.testing.assert_allclose(iou(boxes, boxes), expected)


def test_one_walker_is_one_track(walker):
    (track,) = link([[box] for box in walker[1]])
    assert track.track == 0 and track.frames.tolist() == list(range(30)) and track.gaps == []
    np.testing.assert_array_equal(track.boxes, walker[1])
    assert track.stretches == [slice(0, 30)]


def test_two_people_who_cross_keep_their_numbers_whatever_the_order(crossing):
    rng = np.random.default_rng(0)
    first, second = link([rng.permutation(pair) for pair in crossing])
    np.testing.assert_array_equal(first.boxes, crossing[:, 0])
    np.testing.assert_array_equal(second.boxes, crossing[:, 1])


def test_prediction_bridges_a_gap_in_which_the_box_has_moved_by_its_own_width(walker):
    boxes = [[box] for box in walker[1]]
    boxes[10:20] = [None] * 10  # 20 pixels: no overlap with where it was
    (track,) = link(boxes)
    assert track.gaps == [(10, 19)] and track.stretches == [slice(0, 10), slice(10, 20)]
    filled = fill_gaps(track)
    np.testing.assert_allclose(filled.boxes, walker[1])
    assert np.flatnonzero(filled.filled).tolist() == list(range(10, 20)) and filled.gaps == []
    assert fill_gaps(track, max_gap=9).gaps == [(10, 19)]


def test_a_gap_beyond_the_limit_ends_the_track(walker):
    boxes = [[box] for box in walker[1]]
    boxes[10:20] = [[]] * 10
    tracks = link(boxes, max_gap=9)
    assert [track.frames[[0, -1]].tolist() for track in tracks] == [[0, 9], [20, 29]]


def test_false_alarms_can_be_dropped_and_nobody_is_nobody(walker):
    boxes = [[box] for box in walker[1]]
    boxes[5] = [walker[1][5], [100, 0, 10, 10]]
    assert len(link(boxes)) == 2 and len(link(boxes, min_length=2)) == 1
    assert link([]) == link([None, []]) == []


def test_tables_name_their_tracks_or_get_them_linked(crossing):
    frame = np.repeat(np.arange(40), 2)
    named = tracks_of(box_table(frame, crossing.reshape(-1, 4), np.tile([7, 3], 40)))
    assert [track.track for track in named] == [3, 7]
    np.testing.assert_array_equal(named[1].boxes, crossing[:, 0])
    linked = tracks_of(box_table(frame, crossing.reshape(-1, 4)))
    np.testing.assert_array_equal(linked[0].boxes, crossing[:, 0])
    with pytest.raises(PosebookError, match="1 of 2 boxes have no track"):
        tracks_of(box_table([0, 1], crossing[0], [0, -1]))


def test_boxes_that_are_none_name_their_frame():
    for rows in ([[1, 2, 3]], [[1, 2, 0, 3]], [[1, 2, np.nan, 3]]):
        with pytest.raises(PosebookError, match="Frame 1: expected boxes"):
            link([None, rows])
