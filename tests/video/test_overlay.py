"""Overlays: what is drawn lies where it should, and nothing else changes."""

import numpy as np
import pytest

from posebook.errors import PosebookError
from posebook.joints import H36M17
from posebook.video import draw_overlay, open_frames, overlay_frames, run_video

BLACK = np.zeros((100, 100, 3), np.uint8)
JOINTS = np.full((17, 2), np.nan)


def test_a_box_is_drawn_on_its_edge_and_the_picture_is_left_alone():
    drawn = draw_overlay(BLACK, box=[20, 30, 40, 50])
    rows, columns = np.nonzero(drawn.any(-1))
    assert not BLACK.any()
    assert (columns.min(), columns.max() + 1, rows.min(), rows.max() + 1) == (20, 60, 30, 80)
    assert not drawn[35:75, 25:55].any()


def test_bones_join_their_joints_and_unknown_joints_draw_nothing():
    joints = JOINTS.copy()
    joints[H36M17.index("left_hip")], joints[H36M17.index("left_knee")] = [20.5, 50.5], [80.5, 50.5]
    drawn = draw_overlay(BLACK, joints, H36M17)
    rows, columns = np.nonzero(drawn.any(-1))
    assert abs(rows.mean() - 50) < 0.6 and columns.min() in (19, 20, 21) and columns.max() in (79, 80, 81)
    assert drawn[50, 50].tolist() == [0, 0x72, 0xB2]  # left is blue
    assert not draw_overlay(BLACK, JOINTS, H36M17).any()
    with pytest.raises(PosebookError, match="joints need their joint_set"):
        draw_overlay(BLACK, joints)


def test_results_are_drawn_back_onto_the_video(walker):
    pictures, boxes = walker

    def model(crops):  # every joint in the middle of the crop, but one
        joints = np.full((len(crops), 17, 3), 16.0)
        joints[:, H36M17.index("left_knee")] += [0, 8, 0]
        return {"joints2d": joints}

    def find(picture):
        columns = np.flatnonzero(picture[40, :, 0] > 180)
        return [[columns[0], 20, len(columns), 40]] if len(columns) else []

    results = run_video(pictures, model, 32, find)
    drawn = list(overlay_frames(open_frames(pictures), results, "joints2d", H36M17, boxes=False))
    assert len(drawn) == 30 and drawn[0].shape == pictures[0].shape
    for t in (0, 29):
        changed = np.nonzero((drawn[t] != pictures[t]).any(-1))
        assert abs(changed[1].mean() + 0.5 - (boxes[t, 0] + 8)) < 1.5  # along the walker's middle
    with pytest.raises(PosebookError, match="No output 'pose'; the model gave joints2d"):
        list(overlay_frames(pictures, results, "pose", H36M17))
