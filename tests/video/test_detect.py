"""The embedded detector: what it suppresses, what it finds, and what it says where OpenCV is missing."""

import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw

from posebook.errors import PosebookError
from posebook.video import iou, person_detector
from posebook.video.detect import strongest


def test_of_overlapping_boxes_only_the_surest_stays():
    boxes = np.array([[0, 0, 10, 20, 0.5], [1, 0, 10, 20, 0.9], [50, 0, 10, 20, 0.4], [3, 2, 5, 8, 0.8]])
    assert strongest(boxes).tolist() == [boxes[1].tolist(), boxes[2].tolist()]  # the last lies inside the second
    side = np.array([[0, 0, 10, 20, 0.5], [5, 0, 10, 20, 0.9]])  # half shared: two people
    assert len(strongest(side)) == 2
    assert strongest(np.zeros((0, 5))).shape == (0, 5)


def test_without_opencv_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(PosebookError, match=r"pip install posebook\[video\].*detector of your own"):
        person_detector()


def silhouette(x, y, height, size=(300, 400)):
    """A dark person on a light ground: middle x, top y."""
    picture = Image.new("RGB", size, (190, 190, 185))
    pen, u, dark = ImageDraw.Draw(picture), height / 8, (40, 40, 60)
    pen.ellipse((x - 0.45 * u, y, x + 0.45 * u, y + 1.1 * u), fill=dark)
    pen.rounded_rectangle((x - u, y + 1.2 * u, x + u, y + 4.2 * u), radius=0.6 * u, fill=dark)
    for sign in (-1, 1):
        outer, inner = x + sign * 0.8 * u, x + sign * 0.05 * u
        foot = [(x + sign * 0.25 * u, y + height), (x + sign * 0.75 * u, y + height)]
        pen.polygon([(outer, y + 4 * u), (inner, y + 4 * u), *foot], fill=dark)
    return np.array(picture)


@pytest.mark.parametrize(("x", "y", "height"), [(150, 60, 260), (100, 100, 180)])
def test_a_standing_person_is_found_where_they_stand(x, y, height):
    pytest.importorskip("cv2", reason="OpenCV is not installed")
    found = person_detector()(silhouette(x, y, height))
    assert len(found) and iou(found[:1, :4], [[x - height / 4, y, height / 2, height]])[0, 0] > 0.7


@pytest.mark.parametrize("size", [(240, 320), (30, 20), (1200, 700)])
def test_an_empty_picture_holds_nobody_whatever_its_size(size):
    pytest.importorskip("cv2", reason="OpenCV is not installed")
    assert person_detector()(np.full((*size, 3), 127, np.uint8)).shape == (0, 5)
