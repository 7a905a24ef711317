"""Human3.6M in the JSON form of I2L-MeshNet, Pose2Mesh and TCMR: `images/` and `annotations/Human36M_subject*_*.json`.

World coordinates in millimetres, X_camera = R X_world + t, no lens. Picture files count from 1, `frame_idx` from 0;
cameras 1..4 are 54138969 55011271 58860488 60457274. Joints: right leg first, ours. Source: specs/data.md 1.1 a.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posebook.data.real.block import Block, square_boxes
from posebook.data.real.body_models import rest_pelvis
from posebook.data.real.files import check_fields, read_json
from posebook.data.real.geometry import apply, camera_transl, check_rotation, intrinsics, rotate_orient
from posebook.data.real.json_stream import elements
from posebook.data.real.prepare import Reader, existing
from posebook.errors import PosebookError

SUBJECTS = {"train": (1, 5, 6, 7, 8), "test": (9, 11)}
IMAGE = ("id", "file_name", "action_idx", "subaction_idx", "cam_idx", "frame_idx")
BOX_SCALE = 1.25  # I2L-MeshNet's, specs/i2l.md


def annotation(source: Path, subject: int, kind: str) -> Path:
    """Path of one annotation file."""
    return source / "annotations" / f"Human36M_subject{subject}_{kind}.json"


def label_files(source: Path, split: str) -> list[Path]:
    """Annotation files of a split, with fits when every subject has them."""
    subjects = SUBJECTS[split]
    needed = [annotation(source, s, kind) for s in subjects for kind in ("data", "camera", "joint_3d")]
    return existing(needed, "human36m_json") + (fit_files(source, split) or [])


def fit_files(source: Path, split: str) -> list[Path] | None:
    """SMPL fits of a split's subjects, None unless all are there."""
    files = [annotation(source, s, "smpl_param") for s in SUBJECTS[split]]
    return files if all(f.is_file() for f in files) else None


def blocks(source: Path, split: str) -> Iterator[Block]:
    """One block per video; one subject's annotations are in memory at a time."""
    fitted = fit_files(source, split) is not None
    for subject in SUBJECTS[split]:
        cameras = read_json(annotation(source, subject, "camera"), ("1", "2", "3", "4"))
        joints = read_json(annotation(source, subject, "joint_3d"))
        fits = read_json(annotation(source, subject, "smpl_param")) if fitted else None
        for key, frames in sorted(videos(annotation(source, subject, "data")).items()):
            yield video_block(subject, key, sorted(frames), cameras, joints, fits, source)


def videos(path: Path) -> dict[tuple[int, int, int], list[tuple]]:
    """(action, subaction, camera) -> (frame, file name, box) of every annotated picture.

    Raises:
        PosebookError: a picture or annotation that lacks a field, or belongs to nothing.
    """
    images, found, waiting = {}, {}, []
    for key, element in elements(path, "images", "annotations"):
        if key == "images":
            check_fields(element, IMAGE, f"{path}, an image")
            place = tuple(element[n] for n in ("action_idx", "subaction_idx", "cam_idx"))
            images[element["id"]] = (place, element["frame_idx"], element["file_name"])
        else:
            check_fields(element, ("image_id", "bbox"), f"{path}, an annotation")
            waiting.append((element["image_id"], tuple(element["bbox"])))
    for image, box in waiting:
        if image not in images:
            raise PosebookError(f"{path}: an annotation names image_id {image}, which is not among its images.")
        place, frame, name = images[image]
        found.setdefault(place, []).append((frame, name, box))
    return found


def lookup(nested: dict, place: tuple, frame: int, path: str):
    """nested[action][subaction][frame]; None if that frame is not there."""
    try:
        return nested[str(place[0])][str(place[1])].get(str(frame))
    except KeyError:
        raise PosebookError(f"{path}: no action {place[0]}, subaction {place[1]}. Get the file again.") from None


def video_block(subject, place, frames, cameras, joints, fits, source: Path) -> Block:
    """One video in the camera's frame, metres."""
    name = f"annotations of subject {subject}"
    camera = check_fields(cameras[str(place[2])], ("R", "t", "f", "c"), f"{name}, camera {place[2]}")
    R, t = np.asarray(camera["R"], np.float64), np.asarray(camera["t"], np.float64).ravel() / 1000
    check_rotation(R, name)
    world = [lookup(joints, place, frame, name) for frame, _, _ in frames]
    labelled = np.array([w is not None for w in world])
    points = np.array([w if w is not None else np.zeros((17, 3)) for w in world], np.float64) / 1000
    count = len(frames)
    fields = {
        "box": square_boxes(np.array([box for _, _, box in frames]), BOX_SCALE),
        "K": np.broadcast_to(intrinsics(camera["f"], camera["c"]), (count, 3, 3)),
        "joints3d_h36m17": apply(R, points) + t,
    }
    if fits is not None:
        fields |= fit_fields([lookup(fits, place, frame, name) for frame, _, _ in frames], R, t, name)
    sequence = f"S{subject}_{place[0]:02d}_{place[1]:02d}_{place[2]}"
    block = Block(
        [f"images/{file}" for _, file, _ in frames], np.array([f for f, _, _ in frames]), sequence, fields,
        subject=f"S{subject}", action=f"{place[0]:02d}", clip=sequence[:-2], camera=str(place[2]), gender="neutral",
    )  # fmt: skip
    return block.pick(labelled, "no 3D joints")


def fit_fields(fits: list, R: np.ndarray, t: np.ndarray, name: str) -> dict[str, np.ndarray]:
    """SMPL's parameters in the camera frame; zeros and fitted = 0 where a frame has no fit."""
    count, there = len(fits), np.array([f is not None for f in fits])
    pose, betas, trans = np.zeros((count, 72)), np.zeros((count, 10)), np.zeros((count, 3))
    for i in np.flatnonzero(there):
        fit = check_fields(fits[i], ("pose", "shape", "trans"), f"{name}, a fit")
        pose[i], betas[i], trans[i] = fit["pose"], fit["shape"], np.ravel(fit["trans"])
    orient = np.where(there[:, None], rotate_orient(R, pose[:, :3]), 0)
    found = {"global_orient": orient, "body_pose": pose[:, 3:], "betas": betas, "fitted": there.astype(float)}
    pelvis = rest_pelvis(betas)
    if pelvis is not None:
        found["transl"] = np.where(there[:, None], camera_transl(R, t, trans, pelvis), 0)
    return found


READER = Reader("human36m_json", label_files, blocks, pixels="as projected by the stored camera, continuous", fps=50.0)
