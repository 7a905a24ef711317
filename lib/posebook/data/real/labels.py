"""What a prepared dataset knows of a chapter's sample: stored fields, and those that follow from its own joints.

MPI-INF-3DHP has Human3.6M's 17 joints but for the nose; its head stands for it, as in SPIN (specs/data.md section 1.6).
Sets with SMPL parameters get one neutral body with its joints and part maps where your SMPL files are converted
(bodies.py). Sets without SMPL get the pelvis's orientation from hips and spine: x to the person's left, y up along it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

from posebook.data.real.bodies import bodies_of, body_readers
from posebook.data.real.dataset import RealDataset
from posebook.data.sample import ARRAY_FIELDS
from posebook.joint_atlas import convert
from posebook.joints import H36M17

HEAD_FOR_NOSE = ("mpii3d28", "mpii3d17")  # sets whose head joint stands for Human3.6M's nose
RIGHT_HIP, LEFT_HIP, SPINE = (H36M17.index(name) for name in ("right_hip", "left_hip", "torso"))


class Labels(NamedTuple):
    """Readers of fields, and what to say about them."""

    read: dict[str, Callable[[np.ndarray], np.ndarray]]  # field of the schema -> function of rows
    notes: tuple[str, ...]
    body: str = ""  # hash of the body that the parameters are of; "" where chapters cannot have one


def labels_of(real: RealDataset) -> Labels:
    """Everything of the sample schema that a prepared split can give."""
    missing = real.manifest["missing_fields"]
    read = {f: reader(real.arrays[f]) for f in ARRAY_FIELDS if f not in missing and f not in ("parts", "depth")}
    notes = []
    own = real.manifest["keypoints"]
    if "joints3d_h36m17" not in read and own in HEAD_FOR_NOSE and {"keypoints3d", "keypoints2d"} <= real.extras.keys():
        for field, source, size in (("joints3d_h36m17", "keypoints3d", 3), ("joints2d_h36m17", "keypoints2d", 2)):
            read[field] = moved_17(real.extras[source], own, size)
        notes.append("the head stands for Human3.6M's nose")
    if "global_orient" not in read and "joints3d_h36m17" in read:
        joints = read["joints3d_h36m17"]
        read["global_orient"] = lambda rows: pelvis_orient(joints(rows))
        notes.append("orientation from hips and spine")
    bodies = bodies_of(real)
    if bodies is None:
        return Labels(read, tuple(notes))
    return Labels(read | body_readers(bodies, missing), (*notes, *bodies.notes), bodies.hash)


def reader(array) -> Callable[[np.ndarray], np.ndarray]:
    """Function that reads rows of an array."""
    return lambda rows: np.asarray(array[rows])


def moved_17(array, own: str, size: int) -> Callable[[np.ndarray], np.ndarray]:
    """Function that reads rows of (N, J, 3) keypoints as (n, 17, size), Human3.6M's order."""
    return lambda rows: head_for_nose(np.asarray(array[rows]), own)[..., :size]


def head_for_nose(points: np.ndarray, own: str) -> np.ndarray:
    """(n, J, 3) in the order of `own` -> (n, 17, 3) in Human3.6M's, the head in the place of the nose."""
    found = convert(points, own, "h36m17").points
    head = convert(points, own, "mpii3d17").points[:, -1]
    found[:, H36M17.index("nose")] = head
    return found


def pelvis_orient(joints: np.ndarray) -> np.ndarray:
    """Axis-angle (n, 3) of the pelvis in the camera frame.

    Args:
        joints: (n, 17, 3) metres, camera frame, Human3.6M's order. SMPL's axes: x left, y up, z to the front.
    """
    left = joints[:, LEFT_HIP] - joints[:, RIGHT_HIP]
    up = joints[:, SPINE] - joints[:, 0]
    left = left / np.maximum(np.linalg.norm(left, axis=-1, keepdims=True), 1e-9)
    up = up - (up * left).sum(-1, keepdims=True) * left
    up = up / np.maximum(np.linalg.norm(up, axis=-1, keepdims=True), 1e-9)
    return Rotation.from_matrix(np.stack([left, up, np.cross(left, up)], -1)).as_rotvec()
