"""Detectors of mix-ups on people that are right, and on the same people spoiled one way at a time.

Made-up people, and real ones: CMU's motion capture, where it is found (POSEBOOK_CMU_SOURCE or ../shared/data).
"""

import os
from pathlib import Path

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
from posebook.joint_atlas import atlas_set
from posebook.motion.bvh import forward_kinematics, read_bvh

CMU = Path(os.environ.get("POSEBOOK_CMU_SOURCE") or Path(__file__).resolve().parents[4] / "shared/data/cmu_mocap")
BVH = {"ankle": "Foot", "knee": "Leg", "hip": "UpLeg", "wrist": "Hand", "elbow": "ForeArm", "shoulder": "Arm"}
METRES = 0.0564444  # of one unit of the files
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


def captured(name: str) -> np.ndarray:
    """(N, 14, 3) joints of one sequence at 30 fps in the order of LSP, metres, x right, y down, 5 m before a camera."""
    bvh = read_bvh(CMU / f"{name}.bvh.gz")
    positions = forward_kinematics(bvh._replace(values=bvh.values[1::4])).positions.numpy()  # frame 0 is a T-pose
    ends = {"neck": "Neck1", "head_top": "Head"}
    names = [ends.get(n) or f"{n.split('_')[0].title()}{BVH[n.split('_')[1]]}" for n in atlas_set("lsp14").names]
    points = positions[:, [bvh.names.index(n) for n in names]] * METRES * [1, -1, -1]
    return points - points[0].mean(0) + [0, 0, 5]


@pytest.mark.skipif(not CMU.is_dir(), reason=f"needs CMU's motion capture in {CMU}; POSEBOOK_CMU_SOURCE names another")
@pytest.mark.parametrize("name", ["01_14", "02_01", "05_02", "05_06", "05_16", "13_31"])
def test_real_people_pass_and_are_refused_when_mixed_up(name):
    """Climbing, walking and the wildest of ballet: no frame, no second and no whole is taken for a mix-up."""
    points = captured(name)
    for length in (1, 5, 30, len(points)):
        for start in range(0, len(points) - length + 1, max(1, length // 5)):
            part = points[start : start + length]
            check_units(part, "lsp14", name)
            check_sides(part, "lsp14", name)
            check_handedness(part, "lsp14", name)
    legs = [5, 4, 3, 2, 1, 0, *range(6, 14)]
    both = [5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6, 12, 13]
    with pytest.raises(PosebookError, match="Left and right of legs or arms are exchanged"):
        check_sides(points[:, legs], "lsp14", name)
    for spoiled in (points[:, both], points * [-1, 1, 1], points * [1, 1, -1]):
        with pytest.raises(PosebookError, match="knees bend backwards"):
            check_handedness(spoiled, "lsp14", name)
    with pytest.raises(PosebookError, match="millimetres"):
        check_units(1000 * points, "lsp14", name)
    lens = np.tile(K[:1], (len(points), 1, 1))
    pixels = people.pinhole(points + [0.6, 0, 0], K[0])
    assert explain_projection(points + [0.6, 0, 0], lens, pixels, 1000)[1] == ""
    assert explain_projection(points + [0.6, 0, 0], lens, [1000, 0] + pixels * [-1, 1], 1000)[1] == "mirrored picture"
