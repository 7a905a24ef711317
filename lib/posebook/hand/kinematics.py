"""Rotations along MANO's chain of 16 joints, and where they put the joints."""

import numpy as np
from scipy.spatial.transform import Rotation

from posebook.joints import MANO16


def world_rotations(local: np.ndarray) -> np.ndarray:
    """R_world = R_world(parent) R_local; local (..., 16, 3, 3), the same shape back."""
    world = local.copy()
    for child, parent in enumerate(MANO16.parents):
        if parent >= 0:
            world[..., child, :, :] = world[..., parent, :, :] @ local[..., child, :, :]
    return world


def pose_rotations(hand_pose: np.ndarray) -> np.ndarray:
    """World rotations of a hand that is held still at the wrist.

    Args:
        hand_pose: (N, 45) axis-angle of joints 1..15, relative to the parent, from the flat hand.

    Returns:
        (N, 16, 3, 3)
    """
    local = np.tile(np.eye(3), (len(hand_pose), 16, 1, 1))
    local[:, 1:] = Rotation.from_rotvec(np.reshape(hand_pose, (-1, 3))).as_matrix().reshape(-1, 15, 3, 3)
    return world_rotations(local)


def posed_points(joints: np.ndarray, tips: np.ndarray, rotations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Joints and fingertips of a posed skeleton.

    Args:
        joints: (16, 3) at rest, metres. tips: (5, 3) at rest, thumb to pinky. rotations: (N, 16, 3, 3) world.

    Returns:
        joints (N, 16, 3) and tips (N, 5, 3).
    """
    posed = np.repeat(joints[None], len(rotations), 0)
    for child, parent in enumerate(MANO16.parents):
        if parent >= 0:
            posed[:, child] = posed[:, parent] + rotations[:, parent] @ (joints[child] - joints[parent])
    last = [MANO16.index(f"{finger}3") for finger in ("thumb", "index", "middle", "ring", "pinky")]
    return posed, posed[:, last] + np.einsum("ntab,tb->nta", rotations[:, last], tips - joints[last])
