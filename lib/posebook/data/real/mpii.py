"""MPII human pose, as stacked hourglass (`annot/{train,valid}.h5`) or HRNet (`annot/{train,valid}.json`) keep it, or
in its own file (mpii_mat.py).

16 joints, pixel numbers from 1: half a pixel is taken away. In the h5 a joint at (0, 0) is unlabelled, and scale and
centre are those of the box already enlarged: 1.25 times the person's, 15 scales lower. In the JSON unlabelled joints
have joints_vis 0, and the box is the person's own, as in MPII's file. Source: specs/data.md section 1.3.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from posebook.data.real.block import Block
from posebook.data.real.files import check_fields, open_h5, read_json
from posebook.data.real.mpii_mat import mat_file, training_people
from posebook.data.real.prepare import Reader, existing
from posebook.errors import PosebookError

ROWS = 4096  # people a block
H5 = ("imgname", "center", "scale", "part", "visible")
JSON = ("image", "center", "scale", "joints", "joints_vis")
ENLARGED, LOWER = 1.25, 15.0  # of the box: times, and person's scales further down
PIXELS = 200.0  # of one unit of scale


def label_files(source: Path, split: str) -> list[Path]:
    """The h5 if it is there, else the JSON, else for training MPII's own file."""
    listed = [source / "annot" / f"{split}.{kind}" for kind in ("h5", "json")]
    found, own = next((path for path in listed if path.is_file()), None), mat_file(source)
    if found is None and own is not None and split == "train":
        return [own]
    hint = f"MPII's own {own.name} does not tell who is in {split}." if own else ""
    return existing([found or listed[0]], "mpii", hint)


def blocks(source: Path, split: str) -> Iterator[Block]:
    """Blocks of ROWS people, in the order of the file."""
    path = label_files(source, split)[0]
    if path.suffix in (".json", ".mat"):
        yield from json_blocks(path, split) if path.suffix == ".json" else mat_blocks(path, split)
        return
    with open_h5(path, H5) as stored:
        count = len(stored["imgname"])
        for start in range(0, count, ROWS):
            rows = slice(start, min(start + ROWS, count))
            names, center, scale, part, visible = (np.array(stored[n][rows]) for n in H5)
            names = [n.decode() if isinstance(n, bytes) else "".join(map(chr, n)) for n in names.tolist()]
            labelled = (part != 0).any(-1)
            yield people_block(names, start, center, scale, part, labelled, visible > 0, split, path)


def json_blocks(path: Path, split: str) -> Iterator[Block]:
    """Blocks of HRNet's list of people."""
    people = [check_fields(p, JSON, f"{path}, a person") for p in read_json(path)]
    for start in range(0, len(people), ROWS):
        names, center, scale, part, visible = zip(
            *([p[n] for n in JSON] for p in people[start : start + ROWS]), strict=True
        )
        scale = np.array(scale, np.float64)
        center = np.array(center, np.float64) + np.stack([0 * scale, LOWER * scale], 1)
        seen = np.array(visible) > 0
        yield people_block(list(names), start, center, ENLARGED * scale, np.array(part), seen, seen, split, path)


def mat_blocks(path: Path, split: str) -> Iterator[Block]:
    """Blocks of MPII's own file, whose boxes are enlarged as the hourglass's authors do."""
    everybody, first = training_people(path), 0
    while people := list(islice(everybody, ROWS)):
        names, center, scale, part, labelled, visible = (list(values) for values in zip(*people, strict=True))
        center, scale = np.array(center), np.array(scale)
        center = center + np.stack([0 * scale, LOWER * scale], 1)
        yield people_block(names, first, center, ENLARGED * scale, np.array(part), np.array(labelled),
                           np.array(visible), split, path)  # fmt: skip
        first += len(people)


def people_block(names: list[str], first: int, center, scale, part, labelled, visible, split: str, path: Path) -> Block:
    """Rows of some people; hidden joints have confidence 1/2."""
    part, side = np.asarray(part, np.float64), PIXELS * np.asarray(scale, np.float64)
    if part.shape[1:] != (16, 2) or len(part) != len(names):
        raise PosebookError(f"{path}: expected part (N, 16, 2) for {len(names)} people, found {part.shape}.")
    confidence = np.where(labelled, np.where(visible, 1.0, 0.5), 0.0)[..., None]
    points = np.concatenate([(part - 0.5) * (confidence > 0), confidence], -1)
    corner = np.asarray(center, np.float64) - 0.5 - side[:, None] / 2
    ids = [f"mpii-{split}-{first + i}" for i in range(len(names))]
    fields = {"keypoints2d": points, "box": np.concatenate([corner, side[:, None], side[:, None]], 1)}
    block = Block([f"images/{name}" for name in names], first + np.arange(len(names)), ids, fields, sample_id=ids)
    return block.pick(labelled.any(1), "no joints")


READER = Reader("mpii", label_files, blocks, keypoints="mpii16", pixels="numbers of pixels from 1; half is taken away")
