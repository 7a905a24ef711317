"""FreiHAND as it comes: JSON lists, metres, and pictures of 224 pixels, here of three hands instead of 32,560."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

HANDS = 3
K = np.array([[480.0, 0, 112], [0, 480.0, 112], [0, 0, 1]])


def hands(left: bool = False) -> np.ndarray:
    """(N, 21, 3) metres, camera frame (x right, y down, z forward): right hands, their backs to the camera.

    Fingers point up (-y), the thumb is at the left; they bend away from the camera, to the palm.
    """
    points = np.zeros((HANDS, 21, 3))
    across = {1: -0.035, 5: -0.03, 9: -0.01, 13: 0.01, 17: 0.03}  # thumb, index, middle, ring, little finger
    for first, x in across.items():
        for k in range(4):
            length = (0.03 if first == 1 else 0.09) + 0.025 * k
            points[:, first + k] = [x * (1 + 0.4 * k if first == 1 else 1), -length, 0.006 * k**2]
    points += np.array([0.01, 0.03, 0.6]) + 0.01 * np.arange(HANDS)[:, None, None]
    return points * np.array([-1, 1, 1]) if left else points


def write(root: Path, split: str = "training", left: bool = False, factor: float = 1.0) -> np.ndarray:
    """JSON files and four pictures of each hand; returns the joints."""
    points = hands(left)
    versions = 4 if split == "training" else 1
    content = {
        "K": np.tile(K, (HANDS, 1, 1)).tolist(),
        "xyz": (points * factor).tolist(),
        "mano": np.arange(HANDS * 61, dtype=float).reshape(HANDS, 1, 61).tolist(),
        "scale": [0.03] * HANDS,
    }
    (root / split / "rgb").mkdir(parents=True, exist_ok=True)
    for kind, values in content.items():
        (root / f"{split}_{kind}.json").write_text(json.dumps(values))
    for i in range(HANDS * versions):
        Image.new("RGB", (224, 224), (20 * i, 0, 0)).save(root / split / "rgb" / f"{i:08d}.jpg")
    (root / split / "mask").mkdir(exist_ok=True)
    for i in range(HANDS if split == "training" else 0):  # bright in the left 50 + i columns
        mask = np.zeros((224, 224, 3), np.uint8)
        mask[:, : 50 + i] = 255
        Image.fromarray(mask).save(root / split / "mask" / f"{i:08d}.jpg", quality=95)
    return points
