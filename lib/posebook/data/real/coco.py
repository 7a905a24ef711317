"""COCO keypoints: `annotations/person_keypoints_{train,val}2017.json` and `{train,val}2017/`.

17 joints as x, y, v with v 0 unlabelled, 1 hidden, 2 visible; coordinates are pixel numbers from 0, so half a pixel is
added. Confidence is v / 2. People without keypoints and crowds are left out. The file is read element by element.
Source: specs/data.md section 1.7.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posebook.data.real.block import Block, square_boxes
from posebook.data.real.files import check_fields
from posebook.data.real.json_stream import elements
from posebook.data.real.prepare import Reader, existing
from posebook.errors import PosebookError

ROWS = 4096  # people a block
BOX_SCALE = 1.25
FIELDS = ("id", "image_id", "keypoints", "num_keypoints", "bbox")


def label_files(source: Path, split: str) -> list[Path]:
    """The annotation file."""
    return existing([source / "annotations" / f"person_keypoints_{split}.json"], "coco")


def blocks(source: Path, split: str) -> Iterator[Block]:
    """Blocks of ROWS people, in the order of the file."""
    path = label_files(source, split)[0]
    names = {}
    for _, image in elements(path, "images"):
        check_fields(image, ("id", "file_name"), f"{path}, an image")
        names[image["id"]] = image["file_name"]
    people, left = [], Counter()
    for _, person in elements(path, "annotations"):
        check_fields(person, FIELDS, f"{path}, annotation {person.get('id')}")
        if person.get("iscrowd") or not person["num_keypoints"]:
            left["crowd" if person.get("iscrowd") else "no keypoints"] += 1
            continue
        people.append((person["id"], person["image_id"], person["keypoints"], person["bbox"]))
        if len(people) == ROWS:
            yield people_block(people, names, split, path, left)
            people, left = [], Counter()
    yield people_block(people, names, split, path, left)


def people_block(people: list[tuple], names: dict[int, str], split: str, path: Path, left: Counter) -> Block:
    """Rows of some people."""
    unknown = [p[0] for p in people if p[1] not in names]
    wrong = [p[0] for p in people if len(p[2]) != 51]
    if unknown or wrong:
        raise PosebookError(f"{path}: annotation {(unknown + wrong)[0]} has "
                            f"{'an unknown image_id' if unknown else 'no 51 keypoint numbers'}.")  # fmt: skip
    points = np.array([p[2] for p in people], np.float64).reshape(-1, 17, 3)
    seen = points[..., 2:] > 0
    points = np.concatenate([(points[..., :2] + 0.5) * seen, points[..., 2:] / 2], -1)
    ids = [f"coco-{split}-{p[0]}" for p in people]
    fields = {"keypoints2d": points, "box": square_boxes(np.array([p[3] for p in people]).reshape(-1, 4), BOX_SCALE)}
    return Block([f"{split}/{names[p[1]]}" for p in people], np.array([p[1] for p in people], np.int64), ids, fields,
                 sample_id=ids, left_out=dict(left))  # fmt: skip


READER = Reader(
    "coco", label_files, blocks, keypoints="coco17", pixels="numbers of pixels from 0; half a pixel is added"
)
