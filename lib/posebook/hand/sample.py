"""The sample schema of hand datasets: the body's, with a hand's joints and parameters.

Frames and units as in `posebook.data.sample`: metres; camera frame x right, y down, z forward; continuous pixels of the
crop, (0, 0) its corner.
"""

from typing import NamedTuple

import numpy as np

DEPTH_UNIT = 1e-4  # metres per step of the stored depth: a finger is a centimetre thick


class HandSample(NamedTuple):
    """One image of a right hand with everything known about it."""

    image: np.ndarray  # (H, W, 3) uint8 RGB, the crop
    mask: np.ndarray  # (H, W) bool, hand
    parts: np.ndarray  # (H, W) uint8, 0 background, else MANO joint + 1
    depth: np.ndarray  # (H, W) float32 metres along z at pixel centres, 0 background
    box: np.ndarray  # (4,) float32 x, y, width, height of the crop in the full picture, pixels
    K: np.ndarray  # (3, 3) float32 pinhole matrix of the crop, pixels
    joints3d: np.ndarray  # (21, 3) float32 HAND21 joints regressed from the posed mesh, camera frame, metres
    joints2d: np.ndarray  # (21, 2) float32 crop pixels
    global_orient: np.ndarray  # (3,) float32 axis-angle, camera frame
    hand_pose: np.ndarray  # (45,) float32 axis-angle relative to the parent, zero is the flat hand
    betas: np.ndarray  # (10,) float32
    transl: np.ndarray  # (3,) float32 metres; load_hand() with these four parameters lands in the camera frame
    sample_id: str
    subject: str  # person-000: the number of the free body's person
    action: str  # the grasp, one of posebook.hand.poses.ACTIONS
    sequence: str  # pictures are independent: the sample's own id
    clip: str  # id of the pose's seed
    valid: dict[str, bool]


HAND_FIELDS = {  # stored fields: shape after N (H = image size) and dtype on disk
    "image": (("H", "H", 3), "uint8"),
    "parts": (("H", "H"), "uint8"),
    "depth": (("H", "H"), "uint16"),  # DEPTH_UNIT on disk, metres in a HandSample
    "box": ((4,), "float32"),
    "K": ((3, 3), "float32"),
    "joints3d": ((21, 3), "float32"),
    "joints2d": ((21, 2), "float32"),
    "global_orient": ((3,), "float32"),
    "hand_pose": ((45,), "float32"),
    "betas": ((10,), "float32"),
    "transl": ((3,), "float32"),
}
