"""2D datasets as they come: COCO, PennAction, PoseTrack, InstaVariety, and Kinetics in our own form."""

import json
from pathlib import Path

import h5py
import numpy as np
import people
from PIL import Image
from scipy.io import savemat

K = np.array([[600.0, 0, 320], [0, 600.0, 240], [0, 0, 1]])
LIMBS = [8, 5, 2, 1, 4, 7, 21, 19, 17, 16, 18, 20]  # LSP's twelve in SMPL's joints
FRAMES = 4


def smpl_pixels(seed: int = 0, frames: int = FRAMES) -> np.ndarray:
    """(N, 24, 2) continuous pixels of a 640 x 480 picture."""
    R, t = people.camera_y_up()
    return people.pinhole(people.person(frames, seed).joints @ R.T + t, K)


def write_coco(root: Path, split: str = "val2017") -> np.ndarray:
    """Two people with keypoints, one without, one crowd; returns (2, 24, 2) pixels of those with keypoints."""
    pixels = np.concatenate([smpl_pixels(seed, 1) for seed in (0, 1)])
    order = [None, None, None, None, None, 16, 17, 18, 19, 20, 21, 1, 2, 4, 5, 7, 8]
    images = [{"id": 100 + i, "file_name": f"{100 + i:012d}.jpg", "width": 640, "height": 480} for i in range(2)]
    people_, blank = [], {"iscrowd": 0, "area": 1.0, "segmentation": [[1, 2, 3, 4, 5, 6]], "category_id": 1}
    for i in range(2):
        keypoints = []
        for j in order:  # COCO counts pixels from 0: the centre of pixel 3 is at 3, for us at 3.5
            keypoints += [0, 0, 0] if j is None else [*(pixels[i, j] - 0.5), 1 if j in (20, 21) else 2]
        low, high = pixels[i].min(0), pixels[i].max(0)
        people_.append(blank | {"id": 7 + i, "image_id": 100 + i, "keypoints": [float(v) for v in keypoints],
                                "num_keypoints": 12, "bbox": [*low, *(high - low)]})  # fmt: skip
    people_.append(blank | {"id": 20, "image_id": 100, "keypoints": [0] * 51, "num_keypoints": 0, "bbox": [0, 0, 9, 9]})
    people_.append(people_[0] | {"id": 21, "iscrowd": 1, "segmentation": {"counts": [1], "size": [480, 640]}})
    path = root / "annotations" / f"person_keypoints_{split}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"info": {"year": 2017}, "licenses": [], "images": images, "annotations": people_, "categories": [{}]}
    path.write_text(json.dumps(content))
    (root / split).mkdir(exist_ok=True)
    for image in images:
        Image.new("RGB", (640, 480), (9, 99, 9)).save(root / split / image["file_name"])
    return pixels


PENN = [15, 16, 17, 18, 19, 20, 21, 1, 2, 4, 5, 7, 8]  # head, then left, right alternating


def write_pennaction(root: Path, boxes: int = FRAMES) -> np.ndarray:
    """Clip 1 for training, clip 2 for testing; returns pixels (N, 13, 2) of clip 1."""
    found = smpl_pixels()[:, PENN]
    for clip, train in ((1, 1), (2, -1)):
        seen = np.ones((FRAMES, 13))
        seen[:, 0], seen[3] = 0, 0  # no head; nothing in the last frame
        low, high = found.min(1), found.max(1)
        path = root / "Penn_Action" / "labels" / f"{clip:04d}.mat"
        path.parent.mkdir(parents=True, exist_ok=True)
        savemat(path, {"action": "baseball_swing", "pose": "left", "x": found[..., 0], "y": found[..., 1],
                       "visibility": seen, "train": train, "bbox": np.concatenate([low, high], 1)[:boxes],
                       "dimensions": np.array([[480, 640, FRAMES]]), "nframes": [[FRAMES]]})  # fmt: skip
    return found


POSETRACK = ["nose", "head_bottom", "head_top", "left_ear", "right_ear"] + [
    f"{s}_{j}" for j in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle") for s in ("left", "right")
]
POSETRACK_SMPL = [None, 12, 15, None, None, 16, 17, 18, 19, 20, 21, 1, 2, 4, 5, 7, 8]


def write_posetrack(root: Path, names=POSETRACK, shuffle: bool = False) -> np.ndarray:
    """One video of two tracks, the second without boxes; returns (2, N, 24, 2)."""
    pixels = np.stack([smpl_pixels(seed) for seed in (0, 1)])
    order = list(range(17))[::-1] if shuffle else list(range(17))
    images = [{"file_name": f"images/val/0001_video/{k:06d}.jpg", "id": 10000 + k, "frame_id": 10000 + k,
               "vid_id": "0001", "is_labeled": True, "nframes": FRAMES} for k in range(FRAMES)]  # fmt: skip
    annotations = []
    for k in range(FRAMES):
        for track in range(2):
            points = [[0, 0, 0] if j is None else [*pixels[track, k, j], 1.0] for j in POSETRACK_SMPL]
            low, high = pixels[track, k].min(0), pixels[track, k].max(0)
            person = {"keypoints": [float(v) for j in order for v in points[j]], "track_id": track,
                      "image_id": 10000 + k, "id": 2 * k + track, "category_id": 1}  # fmt: skip
            annotations.append(person | ({"bbox": [*low, *(high - low)]} if track == 0 else {}))
    path = root / "posetrack_data" / "annotations" / "val" / "0001_video.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    categories = [{"name": "person", "keypoints": [names[j] for j in order]}]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return pixels


OPENPOSE25 = [None, 12, 17, 19, 21, 16, 18, 20, 0, 2, 5, 8, 1, 4, 7] + [None] * 10


def write_instavariety(root: Path, clips: int = 2, frames: int = FRAMES) -> np.ndarray:
    """insta_train_db.h5; returns (N, 24, 2) pixels of crops."""
    pixels = smpl_pixels(0, frames) * 0.3 + 20
    points = np.zeros((clips * frames, 25, 3))
    for k, j in enumerate(OPENPOSE25):
        if j is not None:
            points[:, k, :2], points[:, k, 2] = np.tile(pixels[:, j], (clips, 1)), 0.8
    names = np.array([f"video{c:05d}".encode() for c in range(clips) for _ in range(frames)])
    root.mkdir(parents=True, exist_ok=True)
    with h5py.File(root / "insta_train_db.h5", "w") as out:
        out["vid_name"], out["frame_id"] = names, np.tile(np.arange(frames), clips)
        out["joints2D"], out["features"] = points, np.zeros((len(points), 4), np.float32)
    return np.tile(pixels, (clips, 1, 1))


def write_kinetics(root: Path) -> np.ndarray:
    """One clip."""
    points = np.zeros((FRAMES, 17, 3))
    points[:, 5:, 2] = 0.7
    points[:, 5:, :2] = smpl_pixels()[:, [16, 17, 18, 19, 20, 21, 1, 2, 4, 5, 7, 8]]
    low, high = points[:, 5:, :2].min(1), points[:, 5:, :2].max(1)
    root.mkdir(parents=True, exist_ok=True)
    np.savez(root / "abc_0.npz", keypoints=points, box=np.concatenate([low, high - low], 1), frame=np.arange(FRAMES),
             fps=25.0, video="abc.mp4")  # fmt: skip
    people.video(root / "abc.mp4", FRAMES, 640, 480)
    return points
