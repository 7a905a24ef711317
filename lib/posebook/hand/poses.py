"""Random natural hand poses: ten grasps and gestures, blended with rest, varied finger by finger, free of collisions.

A pose is determined by its generator alone, so a data set does not depend on the order of drawing.
"""

from typing import NamedTuple

import numpy as np

from posebook.hand.clearance import TOLERANCE, Spheres, overlap
from posebook.hand.kinematics import pose_rotations, posed_points
from posebook.hand.limits import RANGES, angle_index, angles_to_pose

# Degrees. Thumb: flexion, spread, twist of its first joint, flexion of the second and third; fingers: flexion of the
# three joints and spread. Thumbs that meet a fingertip were solved for on the mean hand. "rest" is how a hand hangs.
GRASPS: dict[str, tuple[tuple[float, ...], ...]] = {
    #            thumb                   index              middle             ring               pinky
    "rest":     ((5, 5, 0, 5, 10),       (15, 22, 12, 2),   (20, 26, 15, 0),   (22, 30, 17, 2),   (25, 32, 18, 5)),
    "flat":     ((-8, -10, 0, -10, -8),  (-5, 0, 0, 0),     (-5, 0, 0, 0),     (-5, 0, 0, 0),     (-5, 0, 0, 0)),
    "spread":   ((-15, -10, -5, -15, -8), (-5, 3, 0, 16),   (-8, 3, 0, 0),     (-5, 3, 0, 12),    (-5, 3, 0, 22)),
    "fist":     ((19, 3, -16, 18, 44),   (75, 95, 60, 0),   (78, 95, 60, 0),   (80, 95, 60, 0),   (80, 95, 60, 0)),
    "point":    ((14, -13, -14, 25, 43), (0, 5, 3, 0),      (78, 95, 60, 0),   (80, 95, 60, 0),   (80, 95, 60, 0)),
    "two":      ((29, -13, -11, 28, 42), (0, 3, 2, 12),     (0, 3, 2, -8),     (80, 95, 60, 0),   (80, 95, 60, 0)),
    "thumb_up": ((-15, -15, 0, -10, -20), (75, 95, 60, 0),  (78, 95, 60, 0),   (80, 95, 60, 0),   (80, 95, 60, 0)),
    "pinch":    ((24, -4, 6, 3, 0),      (50, 43, 28, -8),  (25, 30, 20, 0),   (25, 35, 23, 0),   (25, 35, 23, 0)),
    "tripod":   ((35, 13, -11, 11, -14), (79, 5, 30, -8),   (73, 25, 30, 10),  (50, 60, 40, 0),   (50, 65, 43, 0)),
    "cylinder": ((15, 22, 15, 5, 20),    (40, 55, 30, 0),   (45, 55, 35, 0),   (48, 55, 35, 0),   (50, 55, 35, 0)),
    "hook":     ((-5, -5, 0, 0, 10),     (10, 90, 50, 0),   (10, 90, 50, 0),   (10, 90, 50, 0),   (10, 90, 50, 0)),
}  # fmt: skip
ACTIONS = tuple(name for name in GRASPS if name != "rest")
STRENGTH = (0.35, 1.05)  # of the way from rest to the grasp, uniform
TRIES = 12  # each weaker than the one before; the last is near rest, which is clear

_COLUMNS = [angle_index(f"thumb{a}") for a in ("1.flex", "1.spread", "1.twist", "2.flex", "3.flex")]
_COLUMNS += [
    angle_index(f"{finger}{a}")
    for finger in ("index", "middle", "ring", "pinky")
    for a in ("1.flex", "2.flex", "3.flex", "1.spread")
]
_NOISE = np.array([4.0, 4.0, 3.0, 5.0, 6.0] + 4 * [7.0, 7.0, 3.0, 2.5])  # degrees, standard deviation
_LAST = [7, 11, 15, 19]  # columns of the last joints, whose tendon is the middle joint's: they bend together
_COUPLING = 0.6


class Skeleton(NamedTuple):
    """What poses are drawn on: the mean flat hand."""

    joints: np.ndarray  # (16, 3) metres
    tips: np.ndarray  # (5, 3) thumb to pinky
    axes: np.ndarray  # (15, 3, 3) `limits.finger_axes`
    spheres: Spheres


class HandPose(NamedTuple):
    """One pose."""

    grasp: str
    hand_pose: np.ndarray  # (45,) axis-angle relative to the parent, from the flat hand


def _angles(values: np.ndarray) -> np.ndarray:
    """Numbers as in GRASPS, (N, 21), as angles (N, 15, 3) degrees within the limits."""
    angles = np.zeros((len(values), 15, 3))
    for column, (joint, dof) in enumerate(_COLUMNS):
        angles[:, joint, dof] = values[:, column]
    return np.clip(angles, RANGES.low, RANGES.high)


def grasp_angles(name: str) -> np.ndarray:
    """A grasp of GRASPS without variation; (15, 3) degrees."""
    return _angles(np.concatenate(GRASPS[name])[None])[0]


def draw_pose(skeleton: Skeleton, rng: np.random.Generator, grasp: str | None = None) -> HandPose:
    """Draw a pose whose fingers keep their limits and do not run into each other.

    Args:
        skeleton: the hand. rng: decides everything. grasp: one of ACTIONS; drawn if None.
    """
    drawn = ACTIONS[rng.integers(len(ACTIONS))]
    grasp = grasp or drawn
    rest, full = (np.concatenate(GRASPS[name]) for name in ("rest", grasp))
    strength = rng.uniform(*STRENGTH) * np.linspace(1, 0, TRIES, endpoint=False)
    noise = rng.normal(0, 1, (TRIES, len(rest))) * _NOISE
    noise[:, _LAST] += _COUPLING * noise[:, [c - 1 for c in _LAST]]
    fade = (strength / strength[0])[:, None]  # later tries vary less, too
    poses = angles_to_pose(_angles(rest + strength[:, None] * (full - rest) + fade * noise), skeleton.axes)
    deep = overlap(skeleton.spheres, *posed_points(skeleton.joints, skeleton.tips, pose_rotations(poses)))
    clear = np.flatnonzero(deep <= TOLERANCE)
    return HandPose(grasp, poses[clear[0] if len(clear) else deep.argmin()])
