"""UP-3D as it comes: numbered files, Python 2 pickles, and a fitted picture that is a scaled cut of the image."""

import pickle
from pathlib import Path

import numpy as np
import people
from PIL import Image

LSP = [8, 5, 2, 1, 4, 7, 21, 19, 17, 16, 18, 20, 12, 15]
FIT = (500, 400, 30, 280, 20, 220)  # fit_h fit_w y0 y1 x0 x1: the cut is half as large as the fitted picture


def write(root: Path, number: int = 1234, split: str = "test", rt=(0.0, 0.0, 0.0)) -> dict:
    """One picture; returns what its pickle holds."""
    person = people.person(1)
    turn = people.Rotation.from_rotvec(rt)
    pose = person.poses.copy()
    upright = people.Rotation.from_euler("x", np.pi)  # the fitted frame has y down
    pose[:, :3] = (turn.inv() * upright * people.Rotation.from_rotvec(pose[:, :3])).as_rotvec()
    trans = turn.inv().apply(np.array([[0.1, 0.3, 25.0]]))
    t = np.array([0.05, 0.1, 0.5])
    joints = turn.apply(people.forward(pose, trans)[0]) + t
    fit = joints[:, :2] / joints[:, 2:] * 5000 + [FIT[1] / 2, FIT[0] / 2]
    image = fit * (FIT[3] - FIT[2]) / FIT[0] + [FIT[4], FIT[2]]
    folder = root / "up-3d"
    folder.mkdir(parents=True, exist_ok=True)
    stored = {"pose": pose[0], "betas": person.betas, "trans": trans[0], "t": t, "rt": np.array(rt), "f": 5000.0}
    (folder / f"{number:05d}_body.pkl").write_bytes(pickle.dumps(stored, protocol=2))
    np.save(folder / f"{number:05d}_joints.npy", np.concatenate([image[LSP].T, np.ones((1, 14))]))
    (folder / f"{number:05d}_fit_crop_info.txt").write_text(" ".join(map(str, FIT)))
    Image.new("RGB", (260, 300), (50, 60, 70)).save(folder / f"{number:05d}_image.png")
    render = Image.new("RGB", (260, 300), (255, 255, 255))  # the body: a dark rectangle on white
    render.paste((120, 130, 140), (100, 50, 180, 250))
    render.save(folder / f"{number:05d}_render_light.png")
    (folder / f"{split}.txt").write_text(f"/{number:05d}_image.png 1.0\n")
    return stored
