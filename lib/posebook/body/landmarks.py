"""Named vertices and regions of the full mesh, found by geometry on the mean T-posed body (y up, facing +z)."""

import numpy as np

from posebook.joints import SMPL24

_FINGERS = {"thumb": "finger1-3", "index": "finger2-3", "middle": "finger3-3", "ring": "finger4-3",
            "pinky": "finger5-3"}  # fmt: skip


def _furthest(points: np.ndarray, region: np.ndarray, direction: tuple[float, float, float]) -> int:
    """Vertex of a region (V,) bool that lies furthest in a direction."""
    indices = np.nonzero(region)[0]
    return int(indices[(points[indices] @ np.array(direction)).argmax()])


def vertex_ids(
    points: np.ndarray, bone_weights: dict[str, np.ndarray], eyeballs: np.ndarray, ears: tuple[int, int]
) -> dict[str, int]:
    """The 21 vertices that smplx appends to SMPL's joints, by smplx's names.

    Args:
        points: (V, 3) mean T-posed body, metres.
        bone_weights: anny bone name -> (V,) skinning weights.
        eyeballs: (V,) bool.
        ears: left and right ear vertex.

    Returns:
        nose, eyes (front of the eyeballs), ears, heels, big and small toes, ten fingertips.
    """
    x = points[:, 0]
    head = (bone_weights["head"] > 0.5) & ~eyeballs
    ids = {"nose": _furthest(points, head & (abs(x) < 0.02), (0, 0, 1)), "lear": ears[0], "rear": ears[1]}
    for letter, side, sign in (("l", "L", 1.0), ("r", "R", -1.0)):
        ids[f"{letter}eye"] = _furthest(points, eyeballs & (sign * x > 0), (0, 0, 1))
        for finger, bone in _FINGERS.items():
            direction = (sign, 0, 0) if finger != "thumb" else (sign, -0.3, 1.0)  # the thumb points forward
            ids[letter + finger] = _furthest(points, bone_weights[f"{bone}.{side}"] > 0.5, direction)
        ids[f"{side}BigToe"] = _furthest(points, bone_weights[f"toe1-2.{side}"] > 0.5, (0, 0, 1))
        ids[f"{side}SmallToe"] = _furthest(points, bone_weights[f"toe5-3.{side}"] > 0.5, (0, 0, 1))
        ids[f"{side}Heel"] = _furthest(points, bone_weights[f"foot.{side}"] > 0.5, (0, -0.5, -1))
    return ids


def scalp(points: np.ndarray, head_weight: np.ndarray, joints: np.ndarray, ears: tuple[int, int]) -> np.ndarray:
    """Region a cap of short hair covers: above the hairline in front, down to the nape at the back, ears free.

    Args:
        points: (V, 3) mean T-posed body. head_weight: (V,). joints: (24, 3). ears: left and right ear vertex.

    Returns:
        (V,) bool
    """
    ear = points[list(ears)].mean(0)
    crown = points[head_weight > 0.5, 1].max()
    height = crown - ear[1]  # ear to crown
    forward = (points[:, 2] - ear[2]) / height
    up = (points[:, 1] - ear[1]) / height
    hairline = np.where(forward > 0, 0.25 + 0.65 * np.clip(forward, 0, 0.8), 0.25 + 1.6 * np.maximum(forward, -0.5))
    hairline = np.maximum(hairline, -0.45)
    above_neck = points[:, 1] > joints[SMPL24.index("head"), 1] - 0.04
    return (head_weight > 0.5) & (up > hairline) & above_neck
