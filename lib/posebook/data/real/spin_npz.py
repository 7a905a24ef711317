"""SPIN's own lists (`dataset_extras/*.npz`): pictures of other datasets with 2D joints, root-relative 3D and SMPL fits.

imgname, center, scale (side / 200) and, as far as a list has them, part (N, 24, 3) and openpose (N, 25, 3) with
confidences, S (N, 24, 4) metres with a confidence, pose (N, 72), shape (N, 10), has_smpl, gender. S is relative to a
root and there is no camera: such rows can be scored after alignment, not projected. Of its 24 joints, the 17 that SPIN
itself reads as Human3.6M's are taken where all are labelled. Source: specs/data.md sections 1.1 d, 1.5 and 2.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posebook.data.real.block import Block
from posebook.data.real.files import check_fields
from posebook.data.real.prepare import Reader, existing
from posebook.errors import PosebookError

ROWS = 8192
SIDE = 200.0
# Human3.6M's 17, right leg first, in the 24 annotated joints; SPIN writes them left leg first by
# [14 3 4 5 2 1 0 16 12 17 18 9 10 11 8 7 6]
H36M17_OF_24 = (14, 2, 1, 0, 3, 4, 5, 16, 12, 17, 18, 9, 10, 11, 8, 7, 6)
GENDERS = {"m": "male", "f": "female"}


def label_files(source: Path, split: str) -> list[Path]:
    """The list of a split, in the source or its dataset_extras folder."""
    found = [p for p in (source / f"{split}.npz", source / "dataset_extras" / f"{split}.npz") if p.is_file()]
    return existing(found[:1] or [source / "dataset_extras" / f"{split}.npz"], "spin_npz")


def blocks(source: Path, split: str) -> Iterator[Block]:
    """Blocks of ROWS pictures, in the order of the list."""
    path = label_files(source, split)[0]
    try:
        with np.load(path, allow_pickle=False) as opened:
            stored = check_fields(dict(opened), ("imgname", "center", "scale"), str(path))
    except (ValueError, OSError, EOFError) as error:
        raise PosebookError(f"{path} is not a plain npz ({error}). Get the file again.") from None
    fields, count = fields_of(stored, path), len(stored["imgname"])
    names = [str(n) for n in stored["imgname"].tolist()]
    genders = [GENDERS.get(str(g)[:1], "neutral") for g in stored["gender"]] if "gender" in stored else "neutral"
    for start in range(0, count, ROWS):
        rows = slice(start, min(start + ROWS, count))
        part = {n: v[rows] for n, v in fields.items()}
        yield Block(names[rows], np.arange(count)[rows], [str(Path(n).parent) or split for n in names[rows]], part,
                    sample_id=[f"{split}-{i:06d}" for i in range(count)[rows]],
                    gender=genders if isinstance(genders, str) else genders[rows])  # fmt: skip


def fields_of(stored: dict[str, np.ndarray], path: Path) -> dict[str, np.ndarray]:
    """What a list has, as fields of the schema."""
    count = len(stored["imgname"])
    for name, shape in (("center", (2,)), ("part", (24, 3)), ("openpose", (25, 3)), ("S", (24, 4)), ("pose", (72,)),
                        ("shape", (10,))):  # fmt: skip
        if name in stored and stored[name].shape != (count, *shape):
            raise PosebookError(f"{path}: expected {name} ({count}, {', '.join(map(str, shape))}), found "
                                f"{stored[name].shape}.")  # fmt: skip
    side = SIDE * np.asarray(stored["scale"], np.float64).reshape(count, 1)
    fields = {"box": np.concatenate([stored["center"] - side / 2, side, side], 1)}
    if "part" in stored or "openpose" in stored:
        empty = {"openpose": np.zeros((count, 25, 3)), "part": np.zeros((count, 24, 3))}
        fields["keypoints2d"] = np.concatenate([stored.get(n, empty[n]) for n in empty], 1)
    if "S" in stored:
        chosen = stored["S"][:, list(H36M17_OF_24)]
        if (chosen[..., 3] > 0).all():
            fields["joints3d_h36m17"] = chosen[..., :3]
    if "pose" in stored and "shape" in stored:
        fields |= {"global_orient": stored["pose"][:, :3], "body_pose": stored["pose"][:, 3:], "betas": stored["shape"]}
        if "has_smpl" in stored:
            fields["fitted"] = np.asarray(stored["has_smpl"], np.float64).ravel()
    return fields


READER = Reader(
    "spin_npz", label_files, blocks, keypoints="spin49",
    pixels="of the dataset that a list was made of, taken for continuous pixels",
)  # fmt: skip
