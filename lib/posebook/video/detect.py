"""Finding people when no boxes are given: OpenCV's HOG detector, small, free and on the CPU.

It takes about 0.3 s for a picture of 400 x 400 pixels on one CPU thread (more for larger ones, up to `largest`). It
was trained on upright pedestrians (Dalal and Triggs, CVPR 2005) and misses people who sit, lie, bend or are cut off.
Any callable `image (H, W, 3) uint8 RGB -> (N, 4) or (N, 5)` boxes x, y, width, height (and score) can take its place.
"""

from collections.abc import Callable

import numpy as np

from posebook.errors import PosebookError

WINDOW = (128, 64)  # rows, columns of the detector's template
INSIDE = (0.1, 0.07, 0.8, 0.8)  # share of the template that its person fills: x, y, width, height (OpenCV's sample)
OVERLAP = 0.65  # boxes that share more of the smaller one are one person
REMEDY = "Install it with `pip install posebook[video]`, or pass boxes or a detector of your own."

Detector = Callable[[np.ndarray], np.ndarray]


def person_detector(min_score: float = 0.3, scale: float = 1.05, largest: int = 720) -> Detector:
    """OpenCV's HOG + linear SVM for pedestrians.

    Args:
        min_score: distance to the SVM's plane from which a window counts; lower finds more people and more trees.
        scale: step of the image pyramid; nearer to 1 is slower and finds more.
        largest: pixels; longer pictures are scaled down to it for the search.

    Returns:
        image (H, W, 3) uint8 RGB -> (N, 5) x, y, width, height in the picture's pixels, score; surest first.

    Raises:
        PosebookError: without OpenCV 4 (OpenCV 5 has moved HOG out of its wheels).
    """
    try:
        import cv2
    except ImportError:
        raise PosebookError(f"The person detector needs opencv-python-headless. {REMEDY}") from None
    if not hasattr(cv2, "HOGDescriptor"):
        raise PosebookError(f"OpenCV {cv2.__version__} has no HOGDescriptor; expected 4.10 up to 5. {REMEDY}")
    hog = cv2.HOGDescriptor()
    hog.setSVMDetector(cv2.HOGDescriptor_getDefaultPeopleDetector())

    def detect(image: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        ratio = min(1.0, largest / max(height, width))
        ratio = max(ratio, WINDOW[0] / height, WINDOW[1] / width)  # the template must fit in
        small = cv2.resize(image, (round(width * ratio), round(height * ratio)))[..., ::-1]
        found, scores = hog.detectMultiScale(np.ascontiguousarray(small), winStride=(8, 8), padding=(16, 16),
                                             scale=scale, groupThreshold=0)  # fmt: skip
        rows = np.array(found, dtype=np.float64).reshape(-1, 4)
        x, y, w, h = rows.T
        boxes = np.stack([x + INSIDE[0] * w, y + INSIDE[1] * h, INSIDE[2] * w, INSIDE[3] * h], axis=1) / ratio
        scored = np.concatenate([boxes, np.array(scores, dtype=np.float64).reshape(-1, 1)], axis=1)
        return strongest(scored[scored[:, 4] >= min_score])

    return detect


def strongest(boxes: np.ndarray, overlap: float = OVERLAP) -> np.ndarray:
    """Non-maximum suppression: of boxes (N, 5) that share more than `overlap` of the smaller one only the surest.

    Of the smaller one, not of the union: HOG also answers to a person's upper half, a box inside the right one.

    Returns:
        (M, 5), surest first.
    """
    left, kept = boxes[np.argsort(-boxes[:, 4], kind="stable")], []
    while len(left):
        best, rest = left[0], left[1:]
        low = np.maximum(best[:2], rest[:, :2])
        high = np.minimum(best[:2] + best[2:4], rest[:, :2] + rest[:, 2:4])
        shared = np.clip(high - low, 0, None).prod(1)
        kept.append(best)
        left = rest[shared <= overlap * np.minimum(best[2:4].prod(), rest[:, 2:4].prod(1))]
    return np.array(kept).reshape(-1, 5)
