"""The one sample schema of every dataset and chapter.

Frames and units: metres; camera frame x right, y down, z forward; continuous pixels of the crop, (0, 0) its corner.
A field a dataset lacks holds zeros and `valid[field]` is False; code that needs it must look there first.
"""

from typing import NamedTuple

import numpy as np


class Sample(NamedTuple):
    """One image with everything known about it."""

    image: np.ndarray  # (H, W, 3) uint8 RGB, the crop
    mask: np.ndarray  # (H, W) bool, person
    parts: np.ndarray  # (H, W) uint8, 0 background, else SMPL joint + 1
    depth: np.ndarray  # (H, W) float32 metres along z at pixel centres, 0 background
    box: np.ndarray  # (4,) float32 x, y, width, height of the crop in the full picture, pixels
    K: np.ndarray  # (3, 3) float32 pinhole matrix of the crop, pixels
    joints3d: np.ndarray  # (24, 3) float32 SMPL joints, camera frame, metres
    joints3d_h36m17: np.ndarray  # (17, 3) float32 regressed from the full posed mesh, camera frame, metres
    joints2d: np.ndarray  # (24, 2) float32 crop pixels
    joints2d_h36m17: np.ndarray  # (17, 2) float32 crop pixels
    global_orient: np.ndarray  # (3,) float32 axis-angle, camera frame
    body_pose: np.ndarray  # (69,) float32 axis-angle, relative to the parent
    betas: np.ndarray  # (10,) float32
    transl: np.ndarray  # (3,) float32 metres; smplx with these four parameters lands in the camera frame
    sample_id: str
    subject: str
    action: str
    sequence: str
    clip: str
    frame: int  # frame of the motion clip
    fps: float
    valid: dict[str, bool]


ARRAY_FIELDS = {  # stored fields: shape after N (H = image size) and dtype on disk
    "image": (("H", "H", 3), "uint8"),
    "parts": (("H", "H"), "uint8"),
    "depth": (("H", "H"), "uint16"),  # millimetres on disk, metres in a Sample
    "box": ((4,), "float32"),
    "K": ((3, 3), "float32"),
    "joints3d": ((24, 3), "float32"),
    "joints3d_h36m17": ((17, 3), "float32"),
    "joints2d": ((24, 2), "float32"),
    "joints2d_h36m17": ((17, 2), "float32"),
    "global_orient": ((3,), "float32"),
    "body_pose": ((69,), "float32"),
    "betas": ((10,), "float32"),
    "transl": ((3,), "float32"),
}
TEXT_FIELDS = ("sample_id", "subject", "action", "sequence", "clip")
VALIDITY_FIELDS = (*ARRAY_FIELDS, "mask")
