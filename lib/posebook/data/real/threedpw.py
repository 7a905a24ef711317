"""3DPW: `sequenceFiles/{train,validation,test}/<sequence>.pkl` and `imageFiles/<sequence>/image_00000.jpg`.

The pickles (Python 2) hold SMPL and 24 joints in the world, metres, and a camera per frame; frames without a camera are
left out. Betas are cut to 10; detections come as (N, 3, 18) and are turned. Where your male and female SMPL files and
J_regressor_h36m.npy are converted (body_models.py), the 17 joints that papers score are regressed from the mesh.
Source: specs/data.md section 1.5.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posebook.data.real.block import Block
from posebook.data.real.body_models import h36m_joints, regressor_files
from posebook.data.real.files import read_plain_pickle
from posebook.data.real.geometry import apply, camera_transl, check_rotation, rotate_orient
from posebook.data.real.prepare import Reader, existing
from posebook.errors import PosebookError

FIELDS = ("sequence", "betas", "poses", "trans", "genders", "poses2d", "jointPositions", "cam_poses", "campose_valid",
          "cam_intrinsics")  # fmt: skip
GENDERS = {"m": "male", "f": "female"}
DRIFT = 2e-3  # metres that the rest pelvis, joint 0 minus translation, may move within a sequence


def label_files(source: Path, split: str) -> list[Path]:
    """Pickles of a split, and what regresses Human3.6M's joints, if your SMPL files are converted."""
    folder = source / "sequenceFiles" / split
    found = existing(sorted(folder.glob("*.pkl")), "3dpw", f"Looked for {folder}/*.pkl.")
    return found + regressor_files(("male", "female"))


def blocks(source: Path, split: str) -> Iterator[Block]:
    """One block per person of every sequence."""
    files = label_files(source, split)
    regress = any(path.suffix == ".npy" for path in files)
    for path in (p for p in files if p.suffix == ".pkl"):
        stored = read_plain_pickle(path, "3dpw", FIELDS)
        for person in range(len(stored["poses"])):
            block = person_block(stored, person, path)
            if regress and len(block):
                block.fields["joints3d_h36m17"] = h36m_joints(block.fields, block.gender)
            yield block


def person_block(stored: dict, person: int, path: Path) -> Block:
    """Frames of one person with a valid camera, everything in the camera frame."""
    poses, trans = (np.asarray(stored[n][person], np.float64) for n in ("poses", "trans"))
    count = len(poses)
    joints = np.asarray(stored["jointPositions"][person], np.float64).reshape(count, 24, 3)
    cameras = np.asarray(stored["cam_poses"], np.float64)
    for name, found in (("trans", trans), ("cam_poses", cameras), ("poses2d", stored["poses2d"][person])):
        if len(found) < count:
            raise PosebookError(f"{path}: {name} has {len(found)} rows for {count} poses. Get the file again.")
    R, t = cameras[:count, :3, :3], cameras[:count, :3, 3]
    check_rotation(R, str(path))
    pelvis = rest_pelvis(joints, trans, path)
    sequence = str(stored["sequence"])
    fields = {
        "K": np.broadcast_to(np.asarray(stored["cam_intrinsics"], np.float64), (count, 3, 3)),
        "joints3d": apply(R, joints) + t[:, None],
        "global_orient": rotate_orient(R, poses[:, :3]),
        "body_pose": poses[:, 3:72],
        "betas": np.broadcast_to(np.asarray(stored["betas"][person], np.float64)[:10], (count, 10)),
        "transl": camera_transl(R, t, trans, pelvis),
        "keypoints2d": np.asarray(stored["poses2d"][person], np.float64)[:count].transpose(0, 2, 1),
    }
    frames = np.arange(count)
    block = Block(
        [f"imageFiles/{sequence}/image_{frame:05d}.jpg" for frame in frames], frames, f"{sequence}_{person}", fields,
        subject=f"{sequence}_{person}", clip=sequence,
        gender=GENDERS.get(str(stored["genders"][person])[:1], "neutral"),
    )  # fmt: skip
    return block.pick(np.asarray(stored["campose_valid"][person])[:count].astype(bool), "no valid camera")


def rest_pelvis(joints: np.ndarray, trans: np.ndarray, path: Path) -> np.ndarray:
    """(3,) J0: posed joint 0 is J0 + trans in every frame, whatever the pose.

    Raises:
        PosebookError: it is not the same in every frame: joints and translation do not belong together.
    """
    offsets = joints[:, 0] - trans
    pelvis = np.median(offsets, axis=0)
    drift = float(np.abs(offsets - pelvis).max())
    if drift > DRIFT:
        raise PosebookError(f"{path}: joint 0 minus trans should not change within a sequence, it moves by "
                            f"{drift:.3f} m: jointPositions and trans have other frames or units.")  # fmt: skip
    return pelvis


READER = Reader(
    "3dpw", label_files, blocks, keypoints="openpose18",
    pixels="as projected by cam_intrinsics, taken for continuous pixels",
)  # fmt: skip
