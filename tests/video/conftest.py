"""Clips of coloured rectangles whose places are known."""

import numpy as np
import pytest

RED, GREEN = (220, 30, 30), (30, 200, 40)


def paint(boxes, size=(80, 120), colours=(RED, GREEN)):
    """(H, W, 3) uint8: grey, with rectangles of whole pixels."""
    picture = np.full((*size, 3), 128, np.uint8)
    for (x, y, w, h), colour in zip(boxes, colours, strict=False):
        picture[int(y) : int(y + h), int(x) : int(x + w)] = colour
    return picture


@pytest.fixture
def walker():
    """(pictures (30, 80, 120, 3), boxes (30, 4)) of one rectangle that walks to the right, 2 pixels a frame."""
    boxes = np.array([[10 + 2 * t, 20, 16, 40] for t in range(30)], dtype=float)
    return np.stack([paint([box]) for box in boxes]), boxes


@pytest.fixture
def crossing():
    """Boxes (40, 2, 4) of two people who walk through one another; the first to the right."""
    return np.array([[[10 + 4 * t, 20, 20, 50], [170 - 4 * t, 24, 20, 50]] for t in range(40)], dtype=float)
