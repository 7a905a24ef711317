"""The embedded detector: what it suppresses, what it finds, and what it says where OpenCV is missing."""

import sys

import numpy as np
import pytest

from posebook.errors import PosebookError
from posebook.video import person_detector
from posebook.video.detect import strongest


def test_of_overlapping_boxes_only_the_surest_stays():
    boxes = np.array([[0, 0, 10, 20, 0.5], [1, 0, 10, 20, 0.9], [50, 0, 10, 20, 0.4]])
    assert strongest(boxes).tolist() == [boxes[1].tolist(), boxes[2].tolist()]
    assert strongest(np.zeros((0, 5))).shape == (0, 5)


def test_without_opencv_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(PosebookError, match=r"pip install posebook\[video\].*detector of your own"):
        person_detector()


@pytest.mark.parametrize("size", [(240, 320), (30, 20), (1200, 700)])
def test_an_empty_picture_holds_nobody_whatever_its_size(size):
    pytest.importorskip("cv2", reason="OpenCV is not installed")
    assert person_detector()(np.full((*size, 3), 127, np.uint8)).shape == (0, 5)
