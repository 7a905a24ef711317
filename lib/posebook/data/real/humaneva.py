"""HumanEva-I as VideoPose3D's scripts make it: `data_3d_humaneva15.npz`, `data_2d_humaneva15_gt.npz`, calibrations.

15 joints, metres of the world; 2D pixels of three cameras; `S1/Calibration_Data/C1.cal` holds 22 numbers: f, c, skew,
k1 k2 p1 p2 k3, R row by row, t in millimetres, and an OpenCV lens. Both npz files hold pickled dictionaries, which are
read without running anything. Source: specs/data.md section 1.2.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posebook.data.real.block import Block
from posebook.data.real.files import read_object_npz
from posebook.data.real.geometry import apply, check_rotation, intrinsics
from posebook.data.real.prepare import Reader, existing
from posebook.errors import PosebookError

SUBJECTS = ("S1", "S2", "S3")
CAMERAS = ("C1", "C2", "C3")
PREFIX = {"train": "Train", "validate": "Validate"}


def label_files(source: Path, split: str) -> list[Path]:
    """Both npz files and the calibrations of the three subjects."""
    files = [source / "data_3d_humaneva15.npz", source / "data_2d_humaneva15_gt.npz"]
    return existing(files + [calibration(source, s, c) for s in SUBJECTS for c in CAMERAS], "humaneva")


def calibration(source: Path, subject: str, camera: str) -> Path:
    """Path of a calibration file."""
    return source / subject / "Calibration_Data" / f"{camera}.cal"


def blocks(source: Path, split: str) -> Iterator[Block]:
    """One block per camera of every chunk of the split."""
    points = read_object_npz(source / "data_3d_humaneva15.npz", "humaneva", "positions_3d")
    pixels = read_object_npz(source / "data_2d_humaneva15_gt.npz", "humaneva", "positions_2d")
    for subject in SUBJECTS:
        key = f"{PREFIX[split]}/{subject}"
        for chunk, world in points.get(key, {}).items():
            seen = pixels.get(key, {}).get(chunk)
            if seen is None or len(seen) != len(CAMERAS):
                raise PosebookError(f"{source}/data_2d_humaneva15_gt.npz: {key}, {chunk} needs {len(CAMERAS)} cameras.")
            for camera, labels in zip(CAMERAS, seen, strict=True):
                yield chunk_block(calibration(source, subject, camera), subject, camera, chunk, world, labels)


def read_calibration(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """K (3, 3), distortion k1 k2 k3 p1 p2, R (3, 3), t (3,) metres; PosebookError unless there are 22 numbers."""
    try:
        n = np.array(path.read_text().replace(",", " ").split(), np.float64)
    except ValueError as error:
        raise PosebookError(f"{path}: expected 22 numbers ({error}).") from None
    if len(n) != 22:
        raise PosebookError(f"{path}: expected 22 numbers, found {len(n)}.")
    R = n[10:19].reshape(3, 3)
    check_rotation(R, str(path))
    K = intrinsics(n[:2], n[2:4])
    K[0, 1] = n[4]
    return K, n[[5, 6, 9, 7, 8]], R, n[19:] / 1000


def chunk_block(path: Path, subject: str, camera: str, chunk: str, world, labels) -> Block:
    """One chunk as one camera sees it."""
    K, distortion, R, t = read_calibration(path)
    points, pixels = apply(R, np.asarray(world, np.float64)) + t, np.asarray(labels, np.float64)[..., :2]
    if len(points) != len(pixels):
        raise PosebookError(f"{subject} {chunk} {camera}: {len(points)} frames in 3D, {len(pixels)} in 2D.")
    count = len(points)
    fields = {
        "K": np.broadcast_to(K, (count, 3, 3)),
        "distortion": np.broadcast_to(distortion, (count, 5)),
        "keypoints3d": points,
        "keypoints2d": np.concatenate([pixels, np.ones_like(pixels[..., :1])], -1),
    }
    clip, action = f"{subject}_{chunk.replace(' ', '_')}", chunk.split(" ")[0]
    return Block("", np.arange(count), f"{clip}_{camera}", fields, subject=subject, action=action, clip=clip,
                 camera=camera)  # fmt: skip


READER = Reader(
    "humaneva", label_files, blocks, keypoints="humaneva15", fps=60.0,
    pixels="as projected through the lens, taken for continuous pixels; chunks name no pictures",
)  # fmt: skip
