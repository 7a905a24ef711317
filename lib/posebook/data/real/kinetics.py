"""Kinetics-400 as sequences of joints that your own detector found: the set itself has no labels of poses.

One `<clip>.npz` per person and clip: `keypoints` (T, 17, 3), COCO-17, x, y in continuous pixels of the video's frames
and confidence; `box` (T, 4) x, y, width, height; `frame` (T,) numbers from 0; `fps`; `video` its path below --source,
"" without one. This form is ours: any detector can write it. Source: specs/data.md section 1.10.
"""

from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from posebook.data.real.block import Block, square_boxes
from posebook.data.real.files import check_fields
from posebook.data.real.prepare import Reader, existing
from posebook.errors import PosebookError

FIELDS = ("keypoints", "box", "frame", "fps", "video")
BOX_SCALE = 1.25


def label_files(source: Path, split: str) -> list[Path]:
    """Every npz of the folder."""
    return existing(sorted(source.glob("*.npz")), "kinetics", "They hold keypoints (T, 17, 3), box, frame, fps, video.")


def blocks(source: Path, split: str) -> Iterator[Block]:
    """One block per file."""
    for path in label_files(source, split):
        try:
            with np.load(path, allow_pickle=False) as stored:
                check_fields(stored, FIELDS, str(path))
                yield clip_block({name: stored[name] for name in FIELDS}, path)
        except (ValueError, OSError, EOFError, BadZipFile) as error:
            raise PosebookError(f"{path} is not a plain npz file ({error}). Write it again.") from None


def clip_block(stored: dict[str, np.ndarray], path: Path) -> Block:
    """One clip."""
    points, frames = stored["keypoints"].astype(np.float64), stored["frame"].astype(np.int64)
    if points.shape != (len(frames), 17, 3) or stored["box"].shape != (len(frames), 4):
        raise PosebookError(f"{path}: expected keypoints ({len(frames)}, 17, 3) and box ({len(frames)}, 4), found "
                            f"{points.shape} and {stored['box'].shape}.")  # fmt: skip
    video = str(stored["video"])
    fields = {"keypoints2d": points, "box": square_boxes(stored["box"], BOX_SCALE),
              "fps": np.full(len(frames), float(stored["fps"]))}  # fmt: skip
    block = Block(
        [f"{video}#{frame}" if video else "" for frame in frames], frames, path.stem, fields, subject=path.stem
    )
    return block.pick((points[..., 2] > 0).any(1), "nothing found")


READER = Reader("kinetics", label_files, blocks, keypoints="coco17", pixels="continuous pixels of the video's frames")
