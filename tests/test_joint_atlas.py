"""The atlas against the numbers of specs/data.md section 2."""

import itertools

import numpy as np
import pytest

from posebook.errors import PosebookError
from posebook.joint_atlas import (
    ATLAS,
    H36M17_FROM_H36M32,
    MPII3D17_FROM_MPII3D28,
    atlas_set,
    common_joints,
    convert,
    mapping,
)
from posebook.models.spin49 import H36M_TO_J14, MPII3D17_FROM_SPIN49

# The cross table: right ankle, knee, hip, left hip, knee, ankle, right wrist, elbow, shoulder, left the same backwards.
LIMBS = {
    "smpl24": [8, 5, 2, 1, 4, 7, 21, 19, 17, 16, 18, 20],
    "h36m17": [3, 2, 1, 4, 5, 6, 16, 15, 14, 11, 12, 13],
    "h36m17_left_first": [6, 5, 4, 1, 2, 3, 16, 15, 14, 11, 12, 13],
    "h36m32": [3, 2, 1, 6, 7, 8, 27, 26, 25, 17, 18, 19],
    "coco17": [16, 14, 12, 11, 13, 15, 10, 8, 6, 5, 7, 9],
    "mpii16": [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15],
    "mpii3d28": [25, 24, 23, 18, 19, 20, 16, 15, 14, 9, 10, 11],
    "mpii3d17": [10, 9, 8, 11, 12, 13, 4, 3, 2, 5, 6, 7],
    "spin49": list(range(25, 37)),
    "penn13": [12, 10, 8, 7, 9, 11, 6, 4, 2, 1, 3, 5],
    "posetrack17": [16, 14, 12, 11, 13, 15, 10, 8, 6, 5, 7, 9],
    "humaneva15": [13, 12, 11, 8, 9, 10, 7, 6, 5, 2, 3, 4],
    "openpose25": [11, 10, 9, 12, 13, 14, 4, 3, 2, 5, 6, 7],
}
BODIES = [name for name in ATLAS if name not in ("mano16", "hand21")]


@pytest.mark.parametrize("name", LIMBS)
def test_limbs_are_where_the_cross_table_says(name):
    assert mapping(name, "lsp14")[:12].tolist() == LIMBS[name]


@pytest.mark.parametrize(("source", "target"), list(itertools.permutations(BODIES, 2)))
def test_there_and_back_keeps_shared_joints(source, target):
    points = np.random.default_rng(0).normal(size=(3, len(ATLAS[source]), 3))
    there = convert(points, source, target)
    back = convert(there.points, target, source)
    kept = common_joints(target, source)
    rows = [ATLAS[source].index(n) for n in kept]
    assert len(kept) >= 12 and there.valid.sum() >= 12 and back.valid[rows].all()
    again = convert(back.points, source, target).points  # joints that SPIN's 49 hold twice come back from one of them
    np.testing.assert_array_equal(again[:, there.valid], there.points[:, there.valid])
    if source != "spin49":
        np.testing.assert_array_equal(back.points[:, rows], points[:, rows])
    assert not there.points[:, ~there.valid].any()


@pytest.mark.parametrize("name", ATLAS)
def test_trees_and_flips(name):
    joints = ATLAS[name]
    assert len(set(joints.names)) == len(joints.names) == len(joints.parents)
    assert [joints.flip[joints.flip[j]] for j in range(len(joints))] == list(range(len(joints)))
    for j in range(len(joints)):
        seen = set()
        while joints.parents[j] >= 0:
            assert j not in seen
            seen.add(j)
            j = joints.parents[j]


def test_orders_of_the_spec():
    assert mapping("h36m32", "h36m17").tolist() == list(H36M17_FROM_H36M32)
    assert mapping("mpii3d28", "mpii3d17").tolist() == list(MPII3D17_FROM_MPII3D28)
    assert mapping("h36m17_left_first", "lsp14").tolist() == list(H36M_TO_J14)  # SPIN's evaluation
    assert mapping("spin49", "mpii3d17").tolist() == list(MPII3D17_FROM_SPIN49)
    assert mapping("openpose25", "spin49")[:25].tolist() == list(range(25))
    spec_left_first = [11, 6, 7, 8, 1, 2, 3, 12, 24, 14, 15, 17, 18, 19, 25, 26, 27]
    same_place = {11: 0, 24: 13}  # repeated joints of the 32
    assert mapping("h36m32", "h36m17_left_first").tolist() == [same_place.get(j, j) for j in spec_left_first]


def test_hands():
    mano = [0, 13, 14, 15, -1, 1, 2, 3, -1, 4, 5, 6, -1, 10, 11, 12, -1, 7, 8, 9, -1]  # tips are vertices
    assert mapping("mano16", "hand21").tolist() == mano


def test_wrong_input():
    with pytest.raises(PosebookError, match="Unknown joint set"):
        atlas_set("h36m")
    with pytest.raises(PosebookError, match=r"\(\.\.\., 17, D\)"):
        convert(np.zeros((2, 16, 3)), "h36m17", "smpl24")
