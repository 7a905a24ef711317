"""MPI-INF-3DHP as it comes: cells over 14 cameras in MATLAB v5, a calibration text, and HDF5 for the test set."""

from pathlib import Path

import h5py
import numpy as np
import people
from PIL import Image
from scipy.io import savemat

FRAMES = 5
K = np.array([[1497.7, 0, 1024.7], [0, 1497.1, 1051.4], [0, 0, 1.0]])
TEST_K = np.array([[1683.98, 0, 939.85], [0, 1672.67, 560.12], [0, 0, 1]])
# the 28 joints in SMPL's, None where a point between or beyond two joints is made up
SMPL28 = [9, 9, 6, 3, 0, 12, 15, None, 13, 16, 18, 20, 22, 14, 17, 19, 21, 23, 1, 4, 7, 10, None, 2, 5, 8, 11, None]
RELEVANT = [7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6]


def joints28(seed: int, camera: int = 0) -> np.ndarray:
    """(N, 28, 3) metres, camera frame."""
    smpl = people.person(FRAMES, seed).joints
    points = np.stack([smpl[:, 0] if j is None else smpl[:, j] for j in SMPL28], 1)
    points[:, 7] = people.h36m17(smpl)[:, 10]
    for toe, foot, ankle in ((22, 21, 20), (27, 26, 25)):
        points[:, toe] = points[:, foot] + 0.3 * (points[:, foot] - points[:, ankle])
    R, t = people.camera_y_up(angle=0.4 * camera)
    return points @ R.T + t


def write_train(root: Path, factor: float = 1000.0, subject: str = "S1", seed: int = 0, videos: bool = False) -> None:
    """Seq1 of a subject, with its videos if asked for."""
    folder = root / subject / "Seq1"
    folder.mkdir(parents=True, exist_ok=True)
    cells = {name: np.empty((14, 1), dtype=object) for name in ("annot2", "annot3", "univ_annot3")}
    for camera in range(14):
        points = joints28(seed, camera)
        cells["annot2"][camera, 0] = people.pinhole(points, K).reshape(FRAMES, 56)
        cells["annot3"][camera, 0] = points.reshape(FRAMES, 84) * factor
        cells["univ_annot3"][camera, 0] = points.reshape(FRAMES, 84) * factor * 0.9
    savemat(folder / "annot.mat", cells | {"frames": np.arange(FRAMES)[:, None], "cameras": np.arange(14)[None]})
    write_calibration(folder / "camera.calibration")
    for camera in (0, 1, 2, 4, 5, 6, 7, 8) if videos else ():
        people.video(folder / "imageSequence" / f"video_{camera}.avi", FRAMES, 2048, 2048)


def write_calibration(path: Path) -> None:
    """Seven lines per camera."""
    four = np.eye(4)
    four[:3, :3] = K
    lines = ["Skeletool Camera Calibration File V1.0"]
    intrinsic, extrinsic = (" ".join(f"{v:.6g}" for v in m.ravel()) for m in (four, np.eye(4)))
    for camera in range(14):
        lines += [f"name          {camera}", "  sensor      10 10", "  size        2048 2048", "  animated    0",
                  f"  intrinsic   {intrinsic} ", f"  extrinsic   {extrinsic} ", "  radial      0"]  # fmt: skip
    path.write_text("\n".join(lines) + "\n")


def write_test(root: Path, invalid: int = 2, mirrored: bool = False, pictures: bool = False) -> np.ndarray:
    """TS6; returns its 17 joints (N, 17, 3), metres."""
    points = joints28(1)[:, RELEVANT]
    pixels = people.pinhole(points, TEST_K)
    if mirrored:
        pixels[..., 0] = 2 * TEST_K[0, 2] - pixels[..., 0]
    folder = root / "mpi_inf_3dhp_test_set" / "TS6"
    folder.mkdir(parents=True, exist_ok=True)
    valid = np.ones((FRAMES, 1))
    valid[invalid] = 0
    with h5py.File(folder / "annot_data.mat", "w") as out:
        out["annot2"], out["annot3"] = pixels[:, None], 1000 * points[:, None]
        out["univ_annot3"], out["valid_frame"] = 900 * points[:, None], valid
        out["activity_annotation"] = np.full((FRAMES, 1), 6.0)
        out["bb_crop"] = np.zeros((FRAMES, 4))
    (folder / "imageSequence").mkdir(exist_ok=True)
    for frame in range(FRAMES if pictures else 0):
        Image.new("RGB", (1920, 1080), (9 * frame, 90, 200)).save(folder / "imageSequence" / f"img_{frame + 1:06d}.jpg")
    return points
