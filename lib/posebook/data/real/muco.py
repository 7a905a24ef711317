"""MuCo-3DHP as I2L-MeshNet and 3DMPPE read it: `MuCo-3DHP.json` beside `augmented_set/` and `unaugmented_set/`.

COCO form with keypoints_cam (21, 3) in millimetres of the camera frame and keypoints_img (21, 2); the camera's f and c
are the picture's. The first 17 joints are MPI-INF-3DHP's, in its order; hands and toes are left away. Of the people
composited into one picture the nearest is kept, as in I2L-MeshNet. `smpl_param.json` beside the annotations is read
where it is there; the file names no other frame than the camera's, so fits are taken for it, and refused if the pelvis
is not where the joints have it. Source: specs/data.md section 1.6.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posebook.data.real.block import Block, square_boxes
from posebook.data.real.files import check_fields
from posebook.data.real.geometry import intrinsics
from posebook.data.real.json_stream import elements, members
from posebook.data.real.prepare import Reader, existing
from posebook.errors import PosebookError

NAME, FITS = "MuCo-3DHP.json", "smpl_param.json"
ROWS, KEPT = 4096, 17  # people a block, joints
BOX_SCALE = 1.25
PELVIS = 14
NEAR = 0.6  # metres between a fit's translation and the pelvis; SMPL's rest pelvis is 0.3 m from its origin
IMAGE = ("id", "file_name", "f", "c")
PERSON = ("id", "image_id", "bbox", "keypoints_img", "keypoints_cam", "keypoints_vis")


def label_files(source: Path, split: str) -> list[Path]:
    """The annotation file, in the source or its `data` folder."""
    found = [p for p in (source / NAME, source / "data" / NAME) if p.is_file()]
    found = existing(found[:1] or [source / "data" / NAME], "muco")
    fits = found[0].with_name(FITS)
    return found + ([fits] if fits.is_file() else [])


def blocks(source: Path, split: str) -> Iterator[Block]:
    """Blocks of ROWS pictures, in the order of the file."""
    path, *with_fits = label_files(source, split)
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
            labels = points[:KEPT], pixels[:KEPT].astype(np.float32), tuple(person["bbox"]), person["id"]
            nearest[person["image_id"]] = labels
    rows, folder = list(nearest), path.parent.relative_to(source).as_posix()
    fits = read_fits(with_fits[0], {n[3]: n[0][PELVIS] / 1000 for n in nearest.values()}) if with_fits else None
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        yield pictures_block([images[i] for i in part], [nearest[i] for i in part], folder, fits)


def read_fits(path: Path, pelvis: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """(85,) pose, shape and translation of the annotations that are fitted.

    Args:
        path: annotation -> {pose, shape, trans}. pelvis: annotations that are kept -> (3,) metres, camera frame.

    Raises:
        PosebookError: missing fields, other lengths, or a body that is not where its joints are.
    """
    found = {}
    for key, fit in members(path):
        number = int(key)
        if number not in pelvis:
            continue
        check_fields(fit, ("pose", "shape", "trans"), f"{path}, annotation {key}")
        values = np.concatenate([np.ravel(fit[name]) for name in ("pose", "shape", "trans")]).astype(np.float32)
        if values.shape != (85,):
            raise PosebookError(f"{path}, annotation {key}: expected 72 + 10 + 3 numbers, found {len(values)}.")
        away = float(np.linalg.norm(values[82:] - pelvis[number]))
        if away > NEAR:
            raise PosebookError(f"{path}, annotation {key}: the body stands {away:.2f} m from its pelvis joint: "
                                "another frame or unit than metres of the camera. Get the file again.")  # fmt: skip
        found[number] = values
    return found


def pictures_block(images: list[dict], people: list[tuple], folder: str, fits: dict | None) -> Block:
    """Rows of some pictures; with fits they have SMPL's parameters, zeros and fitted = 0 where one has none."""
    points, pixels, boxes = (np.array([p[k] for p in people], np.float64) for k in range(3))
    fields = {
        "K": np.stack([intrinsics(image["f"], image["c"]) for image in images]),
        "keypoints3d": points / 1000, "keypoints2d": pixels, "box": square_boxes(boxes, BOX_SCALE),
    }  # fmt: skip
    if fits is not None:
        values = np.stack([fits.get(p[3], np.zeros(85)) for p in people])
        fields |= {"global_orient": values[:, :3], "body_pose": values[:, 3:72], "betas": values[:, 72:82],
                   "transl": values[:, 82:], "fitted": np.array([float(p[3] in fits) for p in people])}  # fmt: skip
    ids = [f"muco-{image['id']}" for image in images]
    prefix = "" if folder == "." else f"{folder}/"
    files, numbers = [prefix + image["file_name"] for image in images], np.array([image["id"] for image in images])
    return Block(files, numbers, ids, fields, sample_id=ids, gender="neutral")


READER = Reader("muco", label_files, blocks, keypoints="mpii3d17", pixels="as projected, taken for continuous pixels")
