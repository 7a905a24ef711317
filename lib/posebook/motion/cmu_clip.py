"""A captured motion as a clip: retargeted, at 30 fps, standing on the floor."""

import numpy as np

from posebook.errors import PosebookError
from posebook.motion.bvh import Bvh
from posebook.motion.clip import FPS, MotionClip
from posebook.motion.retarget import Retargeted, present_frames, resample, retarget
from posebook.motion.skeleton import Skeleton, axis_angle, forward, lift_clear, sole_positions

WINDOW = 0.8  # seconds in which a person on the floor puts a foot down
MAX_TILT = 0.04  # the capture floor's slope is less than this
ON_FLOOR = 0.04  # metres: contacts this close to the fitted plane belong to one floor


def to_clip(bvh: Bvh, body: Skeleton, fps: float, name: str, action: str, subject: str) -> MotionClip:
    """A CMU file as a clip at 30 fps, defective frames bridged, on the floor, centred.

    Args:
        bvh: the file, T-pose in frame 0.
        body: skeleton of the mean body.
        fps: capture rate (from the CMU index: the file's frame time is wrong for some subjects).
        name: clip name, also used in errors.
        action: its action.
        subject: its subject.

    Raises:
        PosebookError: another skeleton, or no captured frames.
    """
    kept = present_frames(bvh)
    if len(kept) < 2:
        raise PosebookError(f"{name}: no captured frames (all roots are at zero).")
    whole = retarget(bvh, body, name)
    motion = resample(Retargeted(whole.rotations[kept], whole.transl[kept]), kept, fps)
    soles = sole_positions(body, forward(body.joints, motion.rotations, motion.transl)).numpy()
    transl = motion.transl.numpy().copy()
    low = soles[np.arange(len(soles)), soles[..., 1].argmin(1)]  # (T, 3) lowest sole point of each frame
    height = low[:, 1] - floor_below(low)
    transl[:, 1] += height - low[:, 1] + lift_clear(height)
    transl[:, [0, 2]] -= transl[:, [0, 2]].mean(0)
    pose = axis_angle(motion.rotations[:, 1:]).reshape(-1, 69)
    return MotionClip(name, action, subject, FPS, axis_angle(motion.rotations[:, 0]), pose, transl.astype(np.float32))


def floor_below(low: np.ndarray) -> np.ndarray:
    """Height of the floor under each frame's lowest foot point.

    The capture floor is tilted by up to a few cm over the room. A plane y = a + b x + c z is fitted to the lowest
    point of each stretch of WINDOW seconds by least squares with a slope penalty, dropping points above it (jumps, a
    playground) three times. If what is left does not lie on one plane within ON_FLOOR, the floor is level at the 5 %
    lowest points.

    Args:
        low: (T, 3) lowest sole points, metres.

    Returns:
        (T,) metres.
    """
    size = max(1, round(WINDOW * FPS))
    starts = range(0, max(1, len(low) - size // 2), max(1, size // 2))
    contacts = np.stack([low[s : s + size][low[s : s + size, 1].argmin()] for s in starts])
    middle = contacts.mean(0)
    used, plane = contacts, np.zeros(3)
    for _ in range(3):
        rows = np.c_[np.ones(len(used)), used[:, [0, 2]] - middle[[0, 2]]]
        plane = np.linalg.solve(rows.T @ rows + np.diag([1e-6, 0.2, 0.2]), rows.T @ used[:, 1])
        residual = used[:, 1] - rows @ plane
        used = used[residual < max(2 * np.median(np.abs(residual)), 0.01)]
    rows = np.c_[np.ones(len(used)), used[:, [0, 2]] - middle[[0, 2]]]
    flat = np.abs(used[:, 1] - rows @ plane).max() < ON_FLOOR and np.linalg.norm(plane[1:]) < MAX_TILT
    if not flat or len(used) < 0.5 * len(contacts):
        return np.full(len(low), np.quantile(low[:, 1], 0.05))
    floor = plane[0] + (low[:, [0, 2]] - middle[[0, 2]]) @ plane[1:]
    return floor + np.quantile(low[:, 1] - floor, 0.02)
