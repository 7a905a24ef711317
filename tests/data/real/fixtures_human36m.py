"""Human3.6M as it comes: CDF files of 32 joints with a lens, metadata.xml, and the preprocessed JSON form."""

import json
from pathlib import Path

import cdflib.cdfwrite
import numpy as np
import people
from PIL import Image

FRAMES = 6
# camera 54138969 with VideoPose3D's (q1, q2) = (p2, p1)
FOCAL, CENTRE = np.array([1145.0494, 1143.7811]), np.array([512.5415, 515.4515])
RADIAL, Q = np.array([-0.207099, 0.247775, -0.003075]), np.array([-0.000976, -0.001425])
K = np.array([[FOCAL[0], 0, CENTRE[0]], [0, FOCAL[1], CENTRE[1]], [0, 0, 1]])
H36M32 = [0, 1, 2, 3, 3, 3, 4, 5, 6, 6, 6, 0, 7, 8, 9, 10, 8, 11, 12, 13, 13, 13, 13, 13, 8, 14, 15, 16, 16, 16, 16, 16]


def world(seed: int = 0) -> np.ndarray:
    """(N, 17, 3) metres in a world with z up."""
    return people.h36m17(people.person(FRAMES, seed).joints) @ people.Z_TO_Y


def lens(points: np.ndarray) -> np.ndarray:
    """The camera's own projection, written out for each number."""
    x, y = points[..., 0] / points[..., 2], points[..., 1] / points[..., 2]
    r2 = x * x + y * y
    factor = 1 + RADIAL[0] * r2 + RADIAL[1] * r2**2 + RADIAL[2] * r2**3 + Q[0] * x + Q[1] * y
    u, v = x * factor + Q[0] * r2, y * factor + Q[1] * r2
    return np.stack([FOCAL[0] * u + CENTRE[0], FOCAL[1] * v + CENTRE[1]], -1)


def write_archives(root: Path, subject: str = "S9", factor: float = 1000.0, metadata: bool = False) -> np.ndarray:
    """The CDF files of one video; returns camera-frame joints (N, 17, 3), metres."""
    R, t = people.camera_z_up()
    camera = world() @ R.T + t
    full = camera[:, H36M32]
    folder = root / subject / "MyPoseFeatures"
    for name in ("Directions 1.54138969.cdf", "_ALL 1.54138969.cdf"):
        write_cdf(folder / "D3_Positions_mono" / name, full.reshape(1, FRAMES, 96) * factor)
        write_cdf(folder / "D2_Positions" / name, lens(full).reshape(1, FRAMES, 64))
    people.video(root / subject / "Videos" / "Directions 1.54138969.mp4", FRAMES, 1000, 1002)
    if metadata:
        numbers = np.zeros(300)
        numbers[264:273] = [*FOCAL, *CENTRE, *RADIAL, Q[1], Q[0]]
        (root / "metadata.xml").write_text(f"<data><w0>[{' '.join(map(str, numbers))}]</w0></data>")
    return camera


def write_cdf(path: Path, pose: np.ndarray) -> None:
    """A CDF file with one variable, Pose (1, T, n) float32."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    cdf = cdflib.cdfwrite.CDF(path)
    spec = {"Variable": "Pose", "Data_Type": 44, "Num_Elements": 1, "Rec_Vary": True, "Dim_Sizes": list(pose.shape[1:])}
    cdf.write_var(spec | {"Var_Type": "zVariable"}, var_data=pose.astype(np.float32))
    cdf.close()


def write_json(root: Path, subjects=(9, 11), fits: bool = True, left_first: bool = False) -> None:
    """The annotation files of some subjects and their pictures; two cameras of four are used."""
    R, t = people.camera_z_up()
    cameras = {str(k): {"R": R.tolist(), "t": (1000 * t).tolist(), "f": FOCAL.tolist(), "c": CENTRE.tolist()}
               for k in (1, 2, 3, 4)}  # fmt: skip
    for s in subjects:
        points, images, annotations = world(s), [], []
        for camera in (1, 4):
            name = f"s_{s:02d}_act_02_subact_01_ca_{camera:02d}"
            pixels = people.pinhole(points @ R.T + t, K)
            for frame in range(FRAMES):
                i = len(images)
                file = f"{name}/{name}_{frame + 1:06d}.jpg"  # files from 1, frame_idx from 0
                images.append({"id": i, "file_name": file, "width": 1000, "height": 1002, "subject": s,
                               "action_name": "Directions", "action_idx": 2, "subaction_idx": 1, "cam_idx": camera,
                               "frame_idx": frame})  # fmt: skip
                low, high = pixels[frame].min(0), pixels[frame].max(0)
                annotations.append({"id": i, "image_id": i, "bbox": [*low, *(high - low)]})
                (root / "images" / name).mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (1000, 1002), (frame, 0, 0)).save(root / "images" / file)
        stored = points[:, [0, 4, 5, 6, 1, 2, 3, *range(7, 17)]] if left_first else points
        dump(root, s, "data", {"images": images, "annotations": annotations})
        dump(root, s, "camera", cameras)
        dump(root, s, "joint_3d", {"2": {"1": {str(f): (1000 * stored[f]).tolist() for f in range(FRAMES)}}})
        if fits:
            dump(root, s, "smpl_param", {"2": {"1": fit(s)}})


def fit(seed: int) -> dict:
    """SMPL fits of all frames but the last, in the world with z up."""
    person = people.person(FRAMES, seed)
    turn = people.Rotation.from_matrix(people.Z_TO_Y.T)
    poses = person.poses.copy()
    poses[:, :3] = (turn * people.Rotation.from_rotvec(poses[:, :3])).as_rotvec()
    trans = (person.trans + people.REST[0]) @ people.Z_TO_Y - people.REST[0]
    return {str(f): {"pose": poses[f].tolist(), "shape": person.betas.tolist(), "trans": [trans[f].tolist()]}
            for f in range(FRAMES - 1)}  # fmt: skip


def dump(root: Path, subject: int, kind: str, content) -> Path:
    """Write one annotation file."""
    path = root / "annotations" / f"Human36M_subject{subject}_{kind}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def write_npz(root: Path) -> np.ndarray:
    """VideoPose3D's two files of S9, Directions 1, and metadata.xml; returns world joints (N, 17, 3), metres."""
    points, numbers, seen = world(), np.zeros(300), []
    for k in range(4):
        R, t = people.camera_z_up(angle=0.3 * k)
        six = np.concatenate([people.Rotation.from_matrix(R).as_euler("XYZ"), -1000 * R.T @ t])
        numbers[:264].reshape(4, 11, 6)[k, 8] = six  # S9
        numbers[264:].reshape(4, 9)[k] = [*FOCAL, *CENTRE, *RADIAL, Q[1], Q[0]]
        more = np.concatenate([points, points[-1:]])  # 2D has a frame more
        seen.append(lens(more @ R.T + t).astype(np.float32))
    root.mkdir(parents=True, exist_ok=True)
    full = points[:, H36M32].astype(np.float32)
    np.savez(root / "data_3d_h36m.npz", positions_3d=np.array({"S9": {"Directions 1": full}}, dtype=object))
    np.savez(root / "data_2d_h36m_gt.npz", positions_2d=np.array({"S9": {"Directions 1": seen}}, dtype=object),
             metadata=np.array({"layout_name": "h36m", "num_joints": 17}, dtype=object))  # fmt: skip
    (root / "metadata.xml").write_text(f"<data><w0>[{' '.join(map(str, numbers))}]</w0></data>")
    return points
