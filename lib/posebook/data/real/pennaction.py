"""PennAction: `labels/0001.mat` and `frames/0001/000001.jpg`, 13 joints, boxes x1 y1 x2 y2.

The files do not say whether their MATLAB coordinates count from 0 or 1; they are taken as they are. Pictures count from
1, frame numbers here from 0. Source: specs/data.md section 1.10.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posebook.data.real.block import Block, square_boxes
from posebook.data.real.files import read_mat
from posebook.data.real.prepare import Reader, existing
from posebook.errors import PosebookError

FIELDS = ("action", "x", "y", "visibility", "train", "bbox", "nframes")
BOX_SCALE = 1.25


def root_of(source: Path) -> Path:
    """The folder with `labels`: the source, or Penn_Action in it, as the archive unpacks."""
    return source / "Penn_Action" if (source / "Penn_Action").is_dir() else source


def label_files(source: Path, split: str) -> list[Path]:
    """All label files: which split a clip belongs to is written inside."""
    return existing(sorted((root_of(source) / "labels").glob("[0-9]*.mat")), "pennaction")


def blocks(source: Path, split: str) -> Iterator[Block]:
    """One block per clip of the split."""
    for path in label_files(source, split):
        stored = read_mat(path, FIELDS)
        if (int(np.ravel(stored["train"])[0]) > 0) == (split == "train"):
            yield clip_block(stored, path, source)


def clip_block(stored: dict, path: Path, source: Path) -> Block:
    """One clip; frames without a box or a visible joint are left out."""
    x, y, seen = (np.asarray(stored[n], np.float64).reshape(-1, 13) for n in ("x", "y", "visibility"))
    boxes = np.asarray(stored["bbox"], np.float64).reshape(-1, 4)
    count = len(x)
    if not len(y) == len(seen) == count or len(boxes) > count:
        raise PosebookError(f"{path}: x, y, visibility and bbox have {count}, {len(y)}, {len(seen)} and {len(boxes)} "
                            "frames. Get the file again.")  # fmt: skip
    boxed = np.arange(count) < len(boxes)
    boxes = np.concatenate([boxes, np.tile([0.0, 0, 1, 1], (count - len(boxes), 1))])
    frames, folder = np.arange(count), (root_of(source) / "frames" / path.stem).relative_to(source)
    corners = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1)
    shown = seen > 0
    fields = {
        "keypoints2d": np.stack([x * shown, y * shown, shown.astype(float)], -1),
        "box": square_boxes(corners, BOX_SCALE),
    }
    block = Block([f"{folder}/{frame + 1:06d}.jpg" for frame in frames], frames, path.stem, fields, subject=path.stem,
                  action=str(np.ravel(stored["action"])[0]))  # fmt: skip
    return block.pick(boxed, "no box").pick(shown.any(1)[boxed], "no visible joint")


READER = Reader("pennaction", label_files, blocks, keypoints="penn13", pixels="as they are in the MATLAB files")
