"""PoseTrack18: `posetrack_data/annotations/{train,val}/<video>.json`, one row per person and labelled frame.

The order of the 17 keypoints is read from each file's `categories` and brought into posetrack17. Each track is a
sequence; boxes that are missing are drawn round the joints. Coordinates are taken as they are. Source: specs/data.md
section 1.10.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posebook.data.real.block import MARGIN, Block, boxes_round, square_boxes
from posebook.data.real.files import check_fields, read_json
from posebook.data.real.prepare import Reader, existing
from posebook.errors import PosebookError
from posebook.joint_atlas import POSETRACK17

NAMES = {"head_bottom": "neck"}  # PoseTrack's name -> the atlas's
FIELDS = ("images", "annotations", "categories")


def label_files(source: Path, split: str) -> list[Path]:
    """Annotation files of a split."""
    folder = source / "posetrack_data" / "annotations" / split
    return existing(sorted(folder.glob("*.json")), "posetrack", f"Looked for {folder}/*.json.")


def blocks(source: Path, split: str) -> Iterator[Block]:
    """One block per track."""
    for path in label_files(source, split):
        stored = read_json(path, FIELDS)
        order, images = keypoint_order(stored["categories"], path), {}
        for image in stored["images"]:
            check_fields(image, ("id", "file_name"), f"{path}, an image")
            images[image["id"]] = image["file_name"]
        tracks: dict[int, list[dict]] = {}
        for person in stored["annotations"]:
            check_fields(person, ("image_id", "keypoints", "track_id"), f"{path}, an annotation")
            if person["image_id"] not in images:
                raise PosebookError(f"{path}: an annotation names the unknown image {person['image_id']}.")
            tracks.setdefault(person["track_id"], []).append(person)
        numbers = {image: k for k, image in enumerate(sorted(images))}
        for track, people in sorted(tracks.items()):
            yield track_block(
                sorted(people, key=lambda p: p["image_id"]), images, numbers, order, f"{path.stem}_{track}"
            )


def keypoint_order(categories: list[dict], path: Path) -> list[int]:
    """Row of the file's keypoints for each joint of posetrack17; PosebookError if one is missing."""
    names = next((c["keypoints"] for c in categories if "keypoints" in c), [])
    names = [NAMES.get(name, name) for name in names]
    missing = [name for name in POSETRACK17.names if name not in names]
    if missing:
        raise PosebookError(f"{path}: its categories do not name the keypoints {', '.join(missing)}.")
    return [names.index(name) for name in POSETRACK17.names]


def track_block(people: list[dict], images: dict, numbers: dict, order: list[int], name: str) -> Block:
    """One person's frames."""
    points = np.array([p["keypoints"] for p in people], np.float64).reshape(-1, 17, 3)[:, order]
    points[..., 2] = np.clip(points[..., 2], 0, 1)
    points[..., :2] *= points[..., 2:] > 0
    seen = (points[..., 2] > 0).any(1)
    fields = {"keypoints2d": points, "box": np.tile([0.0, 0, 1, 1], (len(points), 1))}
    if seen.any():
        fields["box"][seen] = boxes_round({"keypoints2d": points[seen]}, name)
    boxed = [i for i, p in enumerate(people) if p.get("bbox") and p["bbox"][2] > 0]
    if boxed:
        fields["box"][boxed] = square_boxes(np.array([people[i]["bbox"] for i in boxed]), 1 + 2 * MARGIN)
    block = Block([images[p["image_id"]] for p in people], np.array([numbers[p["image_id"]] for p in people]), name,
                  fields, subject=name, clip=name.rsplit("_", 1)[0])  # fmt: skip
    return block.pick(seen, "no labelled joint")


READER = Reader("posetrack", label_files, blocks, keypoints="posetrack17", pixels="taken for continuous pixels")
