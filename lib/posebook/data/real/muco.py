"""MuCo-3DHP as I2L-MeshNet and 3DMPPE read it: `MuCo-3DHP.json` beside `augmented_set/` and `unaugmented_set/`.

COCO form with keypoints_cam (21, 3) in millimetres of the camera frame and keypoints_img (21, 2); the camera's f and c
are the picture's. The first 17 joints are MPI-INF-3DHP's, in its order; hands and toes are left away. Of the people
composited into one picture the nearest is kept, as in I2L-MeshNet. Source: specs/data.md section 1.6.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posebook.data.real.block import Block, square_boxes
from posebook.data.real.files import check_fields
from posebook.data.real.geometry import intrinsics
from posebook.data.real.json_stream import elements
from posebook.data.real.prepare import Reader, existing
from posebook.errors import PosebookError

NAME, ROWS, KEPT = "MuCo-3DHP.json", 4096, 17  # file, people a block, joints
BOX_SCALE = 1.25
PELVIS = 14
IMAGE = ("id", "file_name", "f", "c")
PERSON = ("image_id", "bbox", "keypoints_img", "keypoints_cam", "keypoints_vis")


def label_files(source: Path, split: str) -> list[Path]:
    """The annotation file, in the source or its `data` folder."""
    found = [p for p in (source / NAME, source / "data" / NAME) if p.is_file()]
    return existing(found[:1] or [source / "data" / NAME], "muco")


def blocks(source: Path, split: str) -> Iterator[Block]:
    """Blocks of ROWS pictures, in the order of the file."""
    path = label_files(source, split)[0]
    images, nearest = {}, {}
    for _, image in elements(path, "images"):
        check_fields(image, IMAGE, f"{path}, an image")
        images[image["id"]] = image
    for _, person in elements(path, "annotations"):
        check_fields(person, PERSON, f"{path}, an annotation")
        if person["image_id"] not in images:
            raise PosebookError(f"{path}: an annotation names image_id {person['image_id']}, which is not there.")
        points = np.array(person["keypoints_cam"], np.float32)
        if points.shape != (21, 3):
            raise PosebookError(f"{path}: expected keypoints_cam (21, 3), found {points.shape}.")
        kept = nearest.get(person["image_id"])
        if kept is None or points[PELVIS, 2] < kept[0][PELVIS, 2]:
            seen = np.array(person["keypoints_vis"], np.float32).reshape(21, 1) > 0
            pixels = np.concatenate([np.array(person["keypoints_img"], np.float32), np.where(seen, 1, 0.5)], 1)
            nearest[person["image_id"]] = points[:KEPT], pixels[:KEPT].astype(np.float32), tuple(person["bbox"])
    rows, folder = list(nearest), path.parent.relative_to(source).as_posix()
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        yield pictures_block([images[i] for i in part], [nearest[i] for i in part], folder)


def pictures_block(images: list[dict], people: list[tuple], folder: str) -> Block:
    """Rows of some pictures."""
    points, pixels, boxes = (np.array([p[k] for p in people], np.float64) for k in range(3))
    fields = {
        "K": np.stack([intrinsics(image["f"], image["c"]) for image in images]),
        "keypoints3d": points / 1000, "keypoints2d": pixels, "box": square_boxes(boxes, BOX_SCALE),
    }  # fmt: skip
    ids = [f"muco-{image['id']}" for image in images]
    prefix = "" if folder == "." else f"{folder}/"
    files, numbers = [prefix + image["file_name"] for image in images], np.array([image["id"] for image in images])
    return Block(files, numbers, ids, fields, sample_id=ids)


READER = Reader("muco", label_files, blocks, keypoints="mpii3d17", pixels="as projected, taken for continuous pixels")
