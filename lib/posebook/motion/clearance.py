"""Keep arms out of trunk, head and thighs: spheres along the body that elbows and hands may not enter.

For each frame the depth of each arm point in each sphere is a function of the arm's angles; a step of Gauss-Newton
on the deepest one, smoothed over time, pushes the arm out.
"""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from posebook.joints import SMPL24
from posebook.motion.limits import dofs_to_rotations, joint_rotation, soft_limit
from posebook.motion.skeleton import Skeleton, forward

# (joint, joint, share of the way, radius in metres): from the mean body's cross-sections, wrist thickness included
SPHERES = (
    ("pelvis", "spine1", 0.0, 0.17), ("spine1", "spine2", 0.5, 0.155), ("spine2", "spine3", 0.5, 0.16),
    ("spine3", "neck", 0.4, 0.155), ("neck", "head", 1.9, 0.145),
    ("left_hip", "left_knee", 0.3, 0.11), ("left_hip", "left_knee", 0.65, 0.095),
    ("right_hip", "right_knee", 0.3, 0.11), ("right_hip", "right_knee", 0.65, 0.095),
)  # fmt: skip
POINTS = (("elbow", "elbow", 0.0), ("elbow", "wrist", 0.5), ("wrist", "wrist", 0.0), ("wrist", "hand", 1.0))
MOVES = (("shoulder", 0), ("shoulder", 1), ("shoulder", 2), ("elbow", 0))  # joint, dof that may change
PROBE = 2.0  # degrees of the finite difference


def depths(body: Skeleton, turned: torch.Tensor, side: str) -> np.ndarray:
    """How deep the arm's deepest point is in a sphere.

    Args:
        body: skeleton.
        turned: (T, 24, 3, 3) parent-relative rotations.
        side: left or right.

    Returns:
        (T,) metres, negative outside.
    """
    joints = forward(body.joints, turned).joints

    def between(places: tuple[tuple[str, str, float], ...]) -> torch.Tensor:
        starts, ends, shares = zip(*places, strict=True)
        start, end = (joints[:, [SMPL24.index(n) for n in names]] for names in (starts, ends))
        return start + torch.tensor(shares, dtype=joints.dtype)[:, None] * (end - start)

    centres = between(tuple((a, b, share) for a, b, share, _ in SPHERES))  # (T, 9, 3)
    points = between(tuple((f"{side}_{a}", f"{side}_{b}", share) for a, b, share in POINTS))  # (T, 4, 3)
    radii = torch.tensor([r for *_, r in SPHERES], dtype=joints.dtype)
    return (radii - torch.cdist(points, centres)).amax((1, 2)).numpy()


def clear_arms(body: Skeleton, root: torch.Tensor, angles: np.ndarray, steps: int = 4) -> np.ndarray:
    """Push both arms out of the body.

    Args:
        body: skeleton.
        root: (T, 3, 3) pelvis rotations.
        angles: (T, 23, 3) degrees within the limits.
        steps: Gauss-Newton steps at most.

    Returns:
        (T, 23, 3) degrees within the limits.
    """
    turned = torch.cat((root[:, None], dofs_to_rotations(angles)), 1)
    for side in ("left", "right"):
        for _ in range(steps):
            deep = depths(body, turned, side)
            inside = np.flatnonzero(deep > 0)  # only these frames need slopes
            if deep.max() < 0.005:
                break
            step = np.zeros((len(angles), len(MOVES)))
            step[inside] = way_out(body, turned[inside], angles[inside], side, deep[inside])
            step = gaussian_filter1d(spread(step), 3.0, axis=0, mode="nearest")
            angles = angles.copy()
            for k, (joint, dof) in enumerate(MOVES):
                angles[:, SMPL24.index(f"{side}_{joint}") - 1, dof] += step[:, k]
            angles = soft_limit(angles)
            for joint in ("shoulder", "elbow"):
                j = SMPL24.index(f"{side}_{joint}")
                turned[:, j] = joint_rotation(angles[:, j - 1], f"{side}_{joint}")
    return angles


def way_out(body: Skeleton, turned: torch.Tensor, angles: np.ndarray, side: str, deep: np.ndarray) -> np.ndarray:
    """Gauss-Newton step of each frame, degrees of MOVES: -slope * depth / |slope|^2. Returns (T, 4)."""
    slopes = []
    for joint, dof in MOVES:
        j, probed = SMPL24.index(f"{side}_{joint}"), turned.clone()
        moved = angles[:, j - 1].copy()
        moved[:, dof] += PROBE
        probed[:, j] = joint_rotation(moved, f"{side}_{joint}")
        slopes.append((depths(body, probed, side) - deep) / PROBE)
    slope = np.stack(slopes, 1)  # (T, 4) metres per degree
    return np.clip(-slope * (deep / (np.square(slope).sum(1) + 2e-6))[:, None], -40, 40)


def spread(step: np.ndarray) -> np.ndarray:
    """Widen each column's largest move of either sign to neighbouring frames, so that blurring does not shrink it."""
    up, down = np.maximum(step, 0), np.maximum(-step, 0)
    return maximum_filter1d(up, 9, axis=0, mode="nearest") - maximum_filter1d(down, 9, axis=0, mode="nearest")
