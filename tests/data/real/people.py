"""Made-up people for the fixtures: a skeleton with SMPL's 24 joints, posed by its own forward kinematics.

Nothing here comes from lib/posebook: fixtures must not share its mistakes. Axes at rest: x to the person's left, y up,
z to the front; metres.
"""

from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from scipy.spatial.transform import Rotation

PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
REST = np.array([
    (0, -0.22, 0.02), (0.07, -0.31, 0.01), (-0.07, -0.31, 0.01), (0, -0.11, 0), (0.11, -0.69, 0.01),
    (-0.11, -0.69, 0.01), (0, 0.03, 0.01), (0.1, -1.09, -0.03), (-0.1, -1.09, -0.03), (0, 0.08, 0.02),
    (0.12, -1.15, 0.09), (-0.12, -1.15, 0.09), (0, 0.29, -0.01), (0.08, 0.2, 0), (-0.08, 0.2, 0), (0, 0.36, 0.02),
    (0.17, 0.23, -0.01), (-0.17, 0.23, -0.01), (0.43, 0.22, -0.03), (-0.43, 0.22, -0.03), (0.68, 0.23, -0.03),
    (-0.68, 0.23, -0.03), (0.77, 0.22, -0.04), (-0.77, 0.22, -0.04),
])  # fmt: skip
SHAPE = None  # betas of everybody; None draws them


class Person(NamedTuple):
    """A sequence of one person in a world with y up, or z up where said."""

    poses: np.ndarray  # (N, 72) axis-angle
    trans: np.ndarray  # (N, 3)
    betas: np.ndarray  # (10,)
    joints: np.ndarray  # (N, 24, 3)


def person(frames: int, seed: int = 0) -> Person:
    """Somebody who walks: knees bent, arms down, turning."""
    rng = np.random.default_rng(seed)
    phase = np.linspace(0, 6, frames)
    poses = rng.normal(0, 0.05, (frames, 24, 3))
    poses[:, 0] = np.stack([0 * phase, 0.5 + 0.3 * phase, 0 * phase], 1)  # turns about y
    poses[:, 1, 0], poses[:, 2, 0] = -0.4 + 0.3 * np.sin(phase), -0.4 - 0.3 * np.sin(phase)  # thighs forward
    poses[:, 4, 0] = poses[:, 5, 0] = 0.7 + 0.2 * np.sin(phase)  # shanks backward
    poses[:, 16, 2], poses[:, 17, 2] = -1.0, 1.0  # arms down
    trans = np.stack([0.3 * np.sin(phase), 1.2 + 0.02 * np.cos(phase), 0.2 * phase], 1)
    betas = rng.normal(0, 1, 10) if SHAPE is None else SHAPE
    poses = poses.reshape(frames, 72)
    return Person(poses, trans, betas, forward(poses, trans))


def forward(poses: np.ndarray, trans: np.ndarray) -> np.ndarray:
    """(N, 24, 3): p_j = p_parent + G_parent (J_j - J_parent), p_0 = J_0 + trans."""
    local = Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix().reshape(len(poses), 24, 3, 3)
    turned, placed = [local[:, 0]], [REST[0] + trans]
    for j in range(1, 24):
        placed.append(placed[PARENTS[j]] + turned[PARENTS[j]] @ (REST[j] - REST[PARENTS[j]]))
        turned.append(turned[PARENTS[j]] @ local[:, j])
    return np.stack(placed, 1)


def h36m17(joints: np.ndarray) -> np.ndarray:
    """(N, 17, 3) in the right-first order, made from SMPL's joints of `joints`."""
    up = joints[:, 12] - joints[:, 9]
    front = np.cross(joints[:, 16] - joints[:, 17], up)
    front /= np.linalg.norm(front, axis=-1, keepdims=True)
    nose = joints[:, 15] + 0.1 * front
    top = joints[:, 15] + 0.2 * up / np.linalg.norm(up, axis=-1, keepdims=True)
    own = [0, 2, 5, 8, 1, 4, 7, 6, 12, None, None, 16, 18, 20, 17, 19, 21]
    extra = {9: nose, 10: top}
    return np.stack([extra[i] if j is None else joints[:, j] for i, j in enumerate(own)], 1)


def camera_y_up(distance: float = 5.0, angle: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """World (y up) to camera: (3, 3) and (3,) metres, looking at the person from its front right."""
    turn = Rotation.from_euler("y", angle).as_matrix()
    R = np.diag([1.0, -1.0, -1.0]) @ turn  # x right, y down, z away from the viewer
    return R, -R @ np.array([0, 1.0, 0.5]) + np.array([0, 0, distance])


def camera_z_up(distance: float = 5.0, angle: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """The same for a world with z up."""
    R, t = camera_y_up(distance, angle)
    return R @ Z_TO_Y, t


Z_TO_Y = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])  # z-up coordinates to y-up ones


def pinhole(points: np.ndarray, K: np.ndarray) -> np.ndarray:
    """(..., 2) pixels."""
    return points[..., :2] / points[..., 2:] * np.array([K[0, 0], K[1, 1]]) + K[:2, 2]


def video(path: Path, frames: int, width: int, height: int) -> None:
    """A video whose frame k is grey of level 20 k."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for k in range(frames):
            picture = np.full((height, width, 3), 20 * k, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode())
