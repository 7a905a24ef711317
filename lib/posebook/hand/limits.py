"""Angles of the finger joints, their limits, and the way to and from rotations.

Each joint has a swing (flexion, spread) and a twist about its bone:  R = exp(a A + b B) exp(c C),  degrees in, relative
to the flat hand. With C the direction of the bone and P the direction its pad faces (down for the four fingers):
A = C x P bends the finger towards its pad, B = -P turns it sideways, away from the middle finger (the middle finger:
towards the thumb; the thumb: out of the palm's plane), and C rolls it.

Limits: rounded textbook ranges of active motion in healthy adults (of the kind that AAOS tabulates), our choice and not
copied number by number. The thumb's are counted from its relaxed rest pose, which is half-way bent.
"""

from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

from posebook.errors import PosebookError
from posebook.hand.source import FINGERS
from posebook.joints import MANO16

DOFS = ("flex", "spread", "twist")
_PALM = np.array([0.0, -1.0, 0.0])
_THUMB_PAD = np.array([-0.35, -0.4, -0.85])  # the thin axis of anny's thumb tip: pad towards palm and little finger

_MIDDLE = ((-2, 105), (0, 0), (0, 0))
_LAST = ((-5, 75), (0, 0), (0, 0))
LIMITS: dict[str, tuple[tuple[float, float], ...]] = {  # degrees: flex, spread, twist
    "thumb1": ((-20, 35), (-25, 30), (-20, 30)), "thumb2": ((-30, 40), (-8, 8), (0, 0)),
    "thumb3": ((-30, 60), (0, 0), (0, 0)),
    "index1": ((-20, 90), (-8, 18), (0, 0)), "index2": _MIDDLE, "index3": _LAST,
    "middle1": ((-20, 90), (-10, 10), (0, 0)), "middle2": _MIDDLE, "middle3": _LAST,
    "ring1": ((-20, 90), (-8, 14), (0, 0)), "ring2": _MIDDLE, "ring3": _LAST,
    "pinky1": ((-20, 92), (-10, 25), (0, 0)), "pinky2": _MIDDLE, "pinky3": _LAST,
}  # fmt: skip


class Ranges(NamedTuple):
    """LIMITS as arrays over MANO's joints 1..15."""

    low: np.ndarray  # (15, 3) degrees
    high: np.ndarray  # (15, 3) degrees


_TABLE = np.array([LIMITS[name] for name in MANO16.names[1:]], dtype=float)
RANGES = Ranges(_TABLE[..., 0], _TABLE[..., 1])


def angle_index(name: str) -> tuple[int, int]:
    """(joint - 1, angle) of a name such as "index1.flex"."""
    joint, _, dof = name.partition(".")
    if joint not in LIMITS or dof not in DOFS:
        raise PosebookError(
            f"Unknown angle {name!r}: expected a joint of {', '.join(LIMITS)}, a dot and one of {DOFS}."
        )
    return MANO16.index(joint) - 1, DOFS.index(dof)


def finger_axes(joints: np.ndarray, tips: np.ndarray) -> np.ndarray:
    """Axes A, B, C of each joint of a flat right hand in MANO's axes.

    Args:
        joints: (16, 3) metres. tips: (5, 3) fingertips, thumb to pinky.

    Returns:
        (15, 3 angles, 3) unit vectors.
    """
    axes = np.zeros((15, 3, 3))
    for finger, tip in zip(FINGERS, tips, strict=True):
        chain = [joints[MANO16.index(f"{finger}{k}")] for k in (1, 2, 3)] + [tip]
        for k in range(3):
            bone = (chain[k + 1] - chain[k]) / np.linalg.norm(chain[k + 1] - chain[k])
            pad = _THUMB_PAD if finger == "thumb" else _PALM
            pad = pad - (pad @ bone) * bone
            pad /= np.linalg.norm(pad)
            outwards = 1.0 if finger in ("ring", "pinky") else -1.0
            axes[MANO16.index(f"{finger}{k + 1}") - 1] = np.cross(bone, pad), outwards * pad, bone
    return axes


def angles_to_pose(angles: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """R = exp(a A + b B) exp(c C) as axis-angle.

    Args:
        angles: (N, 15, 3) degrees. axes: `finger_axes`.

    Returns:
        (N, 45) radians, a `hand_pose` relative to the flat hand.
    """
    radians = np.radians(angles)
    swing = np.einsum("njd,jdx->njx", radians[..., :2], axes[:, :2])
    twist = radians[..., 2:] * axes[:, 2]
    turned = Rotation.from_rotvec(swing.reshape(-1, 3)) * Rotation.from_rotvec(twist.reshape(-1, 3))
    return turned.as_rotvec().reshape(-1, 45)


def pose_to_angles(hand_pose: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Inverse of `angles_to_pose`: q(R) = swing * twist, the twist being the part of the quaternion along C.

    Args:
        hand_pose: (N, 45) axis-angle relative to the flat hand. axes: `finger_axes`.

    Returns:
        (N, 15, 3) degrees.
    """
    whole = Rotation.from_rotvec(np.reshape(hand_pose, (-1, 3)))
    bones = np.tile(axes[:, 2], (len(hand_pose), 1))  # (N * 15, 3)
    quaternion = whole.as_quat()
    along = (quaternion[:, :3] * bones).sum(1)
    twist = 2 * np.arctan2(along, quaternion[:, 3])
    twist = np.where(abs(twist) > np.pi, twist - np.sign(twist) * 2 * np.pi, twist)
    swing = (whole * Rotation.from_rotvec(twist[:, None] * bones).inv()).as_rotvec().reshape(-1, 15, 3)
    both = np.einsum("njx,jdx->njd", swing, axes[:, :2])
    return np.degrees(np.concatenate([both, twist.reshape(-1, 15, 1)], -1))


def within_limits(angles: np.ndarray, slack: float = 1e-3) -> np.ndarray:
    """Which poses keep every limit: angles (N, 15, 3) degrees to (N,) bool."""
    return ((angles >= RANGES.low - slack) & (angles <= RANGES.high + slack)).all((1, 2))
