"""What a motion is: SMPL pose over time, standing in the world."""

from typing import NamedTuple

import numpy as np

FPS = 30.0  # frame rate of every clip in Posebook


class MotionClip(NamedTuple):
    """One sequence such that smplx(global_orient, body_pose, transl), betas 0, stands in the world (y up, floor y = 0).

    smplx turns the body about joint 0 at its rest position J0, so the pelvis is at J0 + transl.
    """

    name: str
    action: str
    subject: str
    fps: float
    global_orient: np.ndarray  # (T, 3) axis-angle, float32
    body_pose: np.ndarray  # (T, 69) axis-angle of joints 1..23, float32
    transl: np.ndarray  # (T, 3) metres, float32


class ClipInfo(NamedTuple):
    """A clip's entry in a list: everything but the numbers."""

    name: str
    action: str
    subject: str
    num_frames: int
    split: str  # train, val or test
