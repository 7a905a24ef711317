"""Image panels: colours and where joints are drawn."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from posebook.errors import PosebookError
from posebook.joints import H36M17
from posebook.plots import depth_image, image_grid, parts_image


def test_depth_background_is_white_and_near_is_brighter():
    picture = depth_image(np.float32([[0, 3.0], [0, 4.0]]))
    assert (picture[:, 0] == 255).all()
    assert picture[0, 1].sum() > picture[1, 1].sum()


def test_parts_take_their_palette_colour():
    palette = np.uint8([[0, 0, 0], [10, 20, 30]])
    assert parts_image(np.uint8([[0, 1]]), palette).tolist() == [[[0, 0, 0], [10, 20, 30]]]
    with pytest.raises(PosebookError, match="Part label 2"):
        parts_image(np.uint8([[2]]), palette)


def test_joint_is_drawn_where_its_continuous_pixel_lies():
    # all joints in the lower right pixel's centre: the marks must lie in that eighth of the picture
    joints = np.full((17, 2), 7.5)
    joints[0] = 7.4, 7.4
    pictures = [image_grid([np.zeros((8, 8, 3), np.uint8)], None, [j], H36M17, size=3) for j in (joints, None)]
    arrays = [np.asarray(Image.open(BytesIO(p)).convert("RGB")).astype(int) for p in pictures]
    rows, columns = np.nonzero(np.abs(arrays[0] - arrays[1]).max(-1) > 60)
    size = len(arrays[0])
    assert len(rows) and abs(rows.mean() / size - 7.45 / 8) < 0.03 and abs(columns.mean() / size - 7.45 / 8) < 0.03


def test_joints_need_their_set():
    with pytest.raises(PosebookError, match="joint_set"):
        image_grid([np.zeros((8, 8, 3), np.uint8)], joints2d=[np.zeros((17, 2))])


def test_points_are_drawn_where_they_lie():
    points = np.full((5, 2), 6.0)
    pictures = [image_grid([np.zeros((8, 8, 3), np.uint8)], size=3, points=p) for p in ([points], None)]
    arrays = [np.asarray(Image.open(BytesIO(p)).convert("RGB")).astype(int) for p in pictures]
    rows, columns = np.nonzero(np.abs(arrays[0] - arrays[1]).max(-1) > 60)
    size = len(arrays[0])
    assert len(rows) and abs(rows.mean() / size - 6 / 8) < 0.03 and abs(columns.mean() / size - 6 / 8) < 0.03
