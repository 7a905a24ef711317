"""Human3.6M in VideoPose3D's files: `data_3d_h36m.npz`, `data_2d_h36m_gt.npz`, and metadata.xml for the cameras.

3D is in the world (z up), metres, 32 joints; 2D in pixels of four cameras, 17 joints, right leg first. The npz files
hold pickled dictionaries, read without running anything; they name no cameras, so their places come from the dataset's
own metadata.xml: R = Rx(a) Ry(b) Rz(c) about its own turned axes, X_camera = R (X_world - C), C in millimetres. There
are no pictures in this form.
Source: specs/data.md section 1.1.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from posebook.data.real.block import Block
from posebook.data.real.files import read_object_npz
from posebook.data.real.geometry import apply, intrinsics
from posebook.data.real.human36m import CAMERAS, SUBJECTS, camera_numbers
from posebook.data.real.prepare import Reader, existing
from posebook.errors import PosebookError
from posebook.joint_atlas import H36M17_FROM_H36M32

NPZ = ("data_3d_h36m.npz", "data_2d_h36m_gt.npz")


def label_files(source: Path, split: str) -> list[Path]:
    """Both npz files and metadata.xml."""
    return existing([*(source / name for name in NPZ), source / "metadata.xml"], "human36m_npz")


def blocks(source: Path, split: str) -> Iterator[Block]:
    """One block per video of the split's subjects."""
    numbers = camera_numbers(source / "metadata.xml")
    points = read_object_npz(source / NPZ[0], "human36m_npz", "positions_3d")
    pixels = read_object_npz(source / NPZ[1], "human36m_npz", "positions_2d")
    for subject in SUBJECTS[split]:
        for action, world in points.get(subject, {}).items():
            seen = pixels.get(subject, {}).get(action)
            if seen is None or len(seen) != len(CAMERAS):
                raise PosebookError(f"{source / NPZ[1]}: {subject}, {action} needs {len(CAMERAS)} cameras.")
            for k, labels in enumerate(seen):
                yield video_block(subject, action, k, np.asarray(world, np.float64), labels, numbers)


def extrinsics(numbers: np.ndarray, camera: int, subject: str) -> tuple[np.ndarray, np.ndarray]:
    """R (3, 3) and centre C (3,) metres, of metadata.xml's 300 numbers for a camera 0..3 and a subject such as S9."""
    six = numbers[:264].reshape(4, 11, 6)[camera, int(re.sub(r"\D", "", subject)) - 1]
    return Rotation.from_euler("XYZ", six[:3]).as_matrix(), six[3:] / 1000


def video_block(subject: str, action: str, camera: int, world: np.ndarray, labels, numbers: np.ndarray) -> Block:
    """One video in its camera's frame."""
    pixels = np.asarray(labels, np.float64)[..., :2]
    count = min(len(world), len(pixels))  # 2D files hold a few frames more than 3D
    if world.shape[1:] != (32, 3) or pixels.shape[1:] != (17, 2):
        raise PosebookError(
            f"{subject} {action}: expected (T, 32, 3) and (T, 17, 2), found {world.shape}, {pixels.shape}."
        )
    R, centre = extrinsics(numbers, camera, subject)
    own, pixels = numbers[264:].reshape(4, 9)[camera], pixels[:count]
    fields = {
        "K": np.broadcast_to(intrinsics(own[:2], own[2:4]), (count, 3, 3)),
        "distortion": np.broadcast_to(own[4:], (count, 5)),
        "keypoints3d": apply(R, world[:count, list(H36M17_FROM_H36M32)] - centre),
        "keypoints2d": np.concatenate([pixels, np.ones_like(pixels[..., :1])], -1),
    }
    name, clip = list(CAMERAS)[camera], f"{subject} {action}"
    return Block("", np.arange(count), f"{subject}_{action.replace(' ', '_')}.{name}", fields, subject=subject,
                 action=action.split(" ")[0], clip=clip, camera=name)  # fmt: skip


READER = Reader(
    "human36m_npz", label_files, blocks, keypoints="h36m17", fps=50.0,
    pixels="as projected through the lens, taken for continuous pixels",
)  # fmt: skip
