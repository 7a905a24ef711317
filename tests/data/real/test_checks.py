"""Detectors of mix-ups on people that are right, and on the same people spoiled one way at a time."""

import numpy as np
import people
import pytest

from posebook.data.real.checks import (
    check_handedness,
    check_sides,
    check_units,
    explain_projection,
    h36m17_order,
    knees_forward,
)
from posebook.errors import PosebookError

K = np.tile([[1100.0, 0, 500], [0, 1100.0, 500], [0, 0, 1]], (20, 1, 1))
LEFT_FIRST = [0, 4, 5, 6, 1, 2, 3, *range(7, 17)]
FLIP = [0, 4, 5, 6, 1, 2, 3, 7, 8, 9, 10, 14, 15, 16, 11, 12, 13]


@pytest.fixture(params=[0, 1, 2])
def joints(request):
    R, t = people.camera_y_up(angle=2.0 * request.param)
    return people.h36m17(people.person(20, request.param).joints) @ R.T + t


def test_good_labels_pass(joints):
    check_units(joints, "h36m17", "here")
    check_sides(joints, "h36m17", "here")
    check_handedness(joints, "h36m17", "here")
    assert h36m17_order(joints) == "h36m17" and knees_forward(joints, "h36m17") > 0.02
    assert h36m17_order(joints[:, LEFT_FIRST]) == "h36m17_left_first"
    assert explain_projection(joints, K, people.pinhole(joints, K[0]), 1000)[1] == ""


@pytest.mark.parametrize(("factor", "unit"), [(1000, "millimetres"), (100, "centimetres"), (3.0, "no human size")])
def test_units(joints, factor, unit):
    with pytest.raises(PosebookError, match=f"here: expected metres.*{unit}"):
        check_units(joints * factor, "h36m17", "here")


def test_orders_of_legs(joints):
    with pytest.raises(PosebookError, match="order h36m17_left_first"):
        check_sides(joints[:, LEFT_FIRST], "h36m17", "here")
    check_sides(joints[:, LEFT_FIRST], "h36m17_left_first", "here")


@pytest.mark.parametrize("spoil", [lambda j: j[:, FLIP], lambda j: j * [-1, 1, 1], lambda j: j * [1, -1, 1]])
def test_left_and_right_exchanged_and_left_handed_frames(joints, spoil):
    with pytest.raises(PosebookError, match="knees bend backwards"):
        check_handedness(spoil(joints), "h36m17", "here")


def test_projections_are_explained(joints):
    pixels = people.pinhole(joints, K[0])
    shifted = joints + [0.8, 0, 0]
    moved = people.pinhole(shifted, K[0])
    assert explain_projection(shifted, K, [1000, 0] + moved * [-1, 1], 1000)[1] == "mirrored picture"
    assert explain_projection(joints - [0, 0, 20], K, pixels, 1000)[1] == "camera behind"
    assert explain_projection(joints, K, pixels + 400, 1000)[1] == "another camera"
    unseen = np.zeros(pixels.shape[:2], dtype=bool)
    assert explain_projection(joints, K, pixels + 400, 1000, unseen) == (0.0, "")
