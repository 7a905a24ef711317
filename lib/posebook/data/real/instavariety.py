"""InstaVariety as VIBE ships it: `insta_train_db.h5`, detected joints in crops of 224 pixels, no pictures.

Datasets: vid_name (bytes), frame_id, joints2D (N, 25, 3) in OpenPose's BODY_25 order with confidences. The features
beside them (18 GB) are not copied. Source: specs/data.md section 1.10.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posebook.data.real.block import Block
from posebook.data.real.files import open_h5
from posebook.data.real.prepare import Reader, existing
from posebook.errors import PosebookError

SIZE, ROWS = 224.0, 20_000
FIELDS = ("vid_name", "frame_id", "joints2D")


def label_files(source: Path, split: str) -> list[Path]:
    """The HDF5 file."""
    return existing([source / "insta_train_db.h5"], "instavariety")


def blocks(source: Path, split: str) -> Iterator[Block]:
    """Blocks of ROWS frames."""
    path = label_files(source, split)[0]
    with open_h5(path, FIELDS) as stored:
        count, shape = len(stored["vid_name"]), stored["joints2D"].shape
        if shape != (count, 25, 3) or stored["frame_id"].shape != (count,):
            raise PosebookError(f"{path}: expected joints2D ({count}, 25, 3), found {shape}.")
        for start in range(0, count, ROWS):
            rows = slice(start, start + ROWS)
            names = [n.decode() if isinstance(n, bytes) else str(n) for n in stored["vid_name"][rows]]
            yield frames_block(
                names, np.array(stored["frame_id"][rows]), np.array(stored["joints2D"][rows], np.float64)
            )


def frames_block(names: list[str], frames: np.ndarray, points: np.ndarray) -> Block:
    """Some frames; those in which nothing was found are left out."""
    points[..., 2] = np.clip(points[..., 2], 0, 1)
    points[..., :2] *= points[..., 2:] > 0
    fields = {"keypoints2d": points, "box": np.tile([0.0, 0, SIZE, SIZE], (len(points), 1))}
    block = Block("", frames.astype(np.int64), names, fields, subject=names)
    return block.pick((points[..., 2] > 0).any(1), "nothing found")


READER = Reader(
    "instavariety", label_files, blocks, keypoints="openpose25", pixels="of crops of 224 pixels, continuous"
)
