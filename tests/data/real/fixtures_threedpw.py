"""3DPW as it comes: Python 2 pickles with lists over people, detections (N, 3, 18), pictures counted from 0."""

import pickle
from pathlib import Path

import numpy as np
import people
from PIL import Image

K = np.array([[1961.85, 0, 540], [0, 1969.2, 960], [0, 0, 1.0]])
FRAMES = 8
NO_CAMERA = 5  # frame without a camera
# OpenPose-COCO-18 in SMPL's joints, -1 for the face
OPENPOSE = [-1, 12, 17, 19, 21, 16, 18, 20, 2, 5, 8, 1, 4, 7, -1, -1, -1, -1]


def write(root: Path, sequence: str = "downtown_walking_00", split: str = "test", pictures: bool = True) -> dict:
    """One sequence of two people; returns what its pickle holds."""
    everybody = [people.person(FRAMES, seed) for seed in (0, 1)]
    R, t = people.camera_y_up()
    camera = np.eye(4)
    camera[:3, :3], camera[:3, 3] = R, t
    valid = np.ones(FRAMES)
    valid[NO_CAMERA] = 0
    stored = {
        "sequence": sequence,
        "betas": [np.concatenate([p.betas, np.zeros(290)]) for p in everybody],
        "poses": [p.poses for p in everybody],
        "trans": [p.trans for p in everybody],
        "poses_60Hz": [np.repeat(p.poses, 2, 0) for p in everybody],
        "trans_60Hz": [np.repeat(p.trans, 2, 0) for p in everybody],
        "betas_clothed": [np.zeros(10), np.zeros(10)],
        "v_template_clothed": [np.zeros((6890, 3)), np.zeros((6890, 3))],
        "texture_maps": [],
        "genders": ["m", "f"],
        "poses2d": [detections(p.joints @ R.T + t) for p in everybody],
        "jointPositions": [p.joints.reshape(FRAMES, 72) for p in everybody],
        "img_frame_ids": np.arange(FRAMES) * 2,
        "cam_poses": np.tile(camera, (FRAMES, 1, 1)),
        "campose_valid": [valid, valid],
        "cam_intrinsics": K,
    }
    save(root, split, stored)
    folder = root / "imageFiles" / sequence
    folder.mkdir(parents=True, exist_ok=True)
    for frame in range(FRAMES if pictures else 0):
        picture = np.zeros((1920, 1080, 3), np.uint8)
        picture[:, : 100 + frame] = (10 * frame, 200, 50)
        Image.fromarray(picture).resize((1080, 1920)).save(folder / f"image_{frame:05d}.jpg", quality=30)
    return stored


def detections(camera_joints: np.ndarray) -> np.ndarray:
    """(N, 3, 18) x, y, confidence rows; the first two frames have found nothing."""
    pixels = people.pinhole(camera_joints, K)
    found = np.zeros((FRAMES, 3, 18))
    for k, j in enumerate(OPENPOSE):
        if j >= 0:
            found[:, :2, k], found[:, 2, k] = pixels[:, j], 0.9
    found[:2] = 0
    return found


def save(root: Path, split: str, stored: dict) -> Path:
    """Write the pickle with protocol 2."""
    path = root / "sequenceFiles" / split / f"{stored['sequence']}.pkl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(stored, protocol=2))
    return path
