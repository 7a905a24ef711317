"""Body part labels: 24 parts, one per SMPL joint, their coarser groupings, and our palette.

Label 0 is background; label j + 1 is what SMPL's joint j moves.
"""

import numpy as np

from posebook.errors import PosebookError
from posebook.joints import SMPL24

# Neural Body Fitting's parts by joint (specs/nbf.md section 2): left and right are the subject's.
NBF12 = ("head", "upper_torso", "left_forearm", "right_upper_arm", "left_thigh", "right_thigh", "neck", "lower_torso",
         "left_upper_arm", "right_forearm", "left_shank", "right_shank")  # fmt: skip
_TO_12 = {"head": 1, "spine2": 2, "spine3": 2, "left_collar": 2, "right_collar": 2, "neck": 7, "pelvis": 8,
          "spine1": 8, "left_shoulder": 9, "right_shoulder": 4, "left_elbow": 3, "left_wrist": 3, "left_hand": 3,
          "right_elbow": 10, "right_wrist": 10, "right_hand": 10, "left_hip": 5, "right_hip": 6, "left_knee": 11,
          "left_ankle": 11, "left_foot": 11, "right_knee": 12, "right_ankle": 12, "right_foot": 12}  # fmt: skip

# Six as Unite the People groups them: head, torso with neck and collars, arms, legs. The paper's three parts are not
# documented anywhere we could open; ours are head and torso, arms, legs.
PARTS6 = ("head", "torso", "left_arm", "right_arm", "left_leg", "right_leg")
PARTS3 = ("head_and_torso", "arms", "legs")
_12_TO_6 = (0, 1, 2, 3, 4, 5, 6, 2, 2, 3, 4, 5, 6)
_6_TO_3 = (0, 1, 1, 2, 2, 3, 3)

# Hue tells the limb, lightness the place along it. Left is cold (blue, cyan), right is warm (orange, crimson), so that
# sides stay apart without red-green vision. Row = 24-part label; background is black.
PALETTE = np.array([
    (0, 0, 0), (120, 120, 120), (0, 62, 138), (150, 62, 0), (158, 158, 158), (38, 118, 205), (214, 106, 22),
    (196, 196, 196), (116, 178, 242), (250, 168, 92), (228, 228, 228), (186, 220, 255), (255, 214, 170),
    (140, 120, 84), (86, 132, 156), (168, 112, 96), (238, 220, 70), (0, 92, 104), (104, 0, 32), (0, 146, 158),
    (166, 18, 58), (64, 200, 208), (220, 72, 104), (160, 242, 240), (248, 150, 166),
], dtype=np.uint8)  # fmt: skip


def part_groups(count: int) -> np.ndarray:
    """Map 24-part labels to fewer parts: `part_groups(12)[labels]`.

    Args:
        count: 24 (identity), 12 (Neural Body Fitting's), 6, 3 or 1 (silhouette).

    Returns:
        (25,) int64; 0 stays background.
    """
    twelve = np.array([0, *(_TO_12[name] for name in SMPL24.names)])
    six = np.array(_12_TO_6)[twelve]
    maps = {24: np.arange(25), 12: twelve, 6: six, 3: np.array(_6_TO_3)[six], 1: (np.arange(25) > 0).astype(np.int64)}
    if count not in maps:
        raise PosebookError(f"Part maps come in {sorted(maps)} parts, not {count!r}.")
    return maps[count]


def label_faces(faces: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Part 1..24 of each triangle: the joint with the largest skinning weight summed over its corners.

    Args:
        faces: (F, 3). weights: (V, 24).

    Returns:
        (F,) int64
    """
    return weights[faces].sum(1).argmax(1) + 1
