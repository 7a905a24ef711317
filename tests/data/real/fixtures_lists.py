"""Lists of pictures as others made them: MPII (hourglass and HRNet), MuCo-3DHP, C2F's Human3.6M, SPIN's npz."""

import json
from pathlib import Path

import fixtures_flat
import fixtures_human36m
import fixtures_mpi_inf_3dhp
import h5py
import numpy as np
import people
from PIL import Image
from scipy.io import savemat

# MPII's 16 in SMPL's joints; thorax, upper neck and head top are made up from neighbours
MPII = [8, 5, 2, 1, 4, 7, 0, 12, 12, 15, 21, 19, 17, 16, 18, 20]
LEFT_FIRST = [0, 4, 5, 6, 1, 2, 3, *range(7, 17)]
SPIN24_OF_H36M = {14: 0, 2: 1, 1: 2, 0: 3, 3: 4, 4: 5, 5: 6, 16: 7, 12: 8, 17: 9, 18: 10, 9: 11, 10: 12, 11: 13, 8: 14,
                  7: 15, 6: 16}  # fmt: skip


def write_mpii(root: Path, kind: str = "h5", split: str = "valid") -> np.ndarray:
    """Three people, (3, 16, 2) continuous pixels; joint 0 of the first is unlabelled, joint 10 of the second hidden."""
    pixels = np.concatenate([fixtures_flat.smpl_pixels(seed, 1) for seed in range(3)])[:, MPII]
    part = pixels + 0.5  # pixel numbers from 1
    low, high = pixels.min(1), pixels.max(1)
    scale, centre = (high - low).max(1) / 200, (low + high) / 2 + 0.5
    visible = np.ones((3, 16))
    visible[1, 10] = 0
    names = [f"{i:09d}.jpg" for i in range(3)]
    (root / "annot").mkdir(parents=True, exist_ok=True)
    (root / "images").mkdir(exist_ok=True)
    for name in names:
        Image.new("RGB", (640, 480), (200, 100, 0)).save(root / "images" / name)
    if kind == "json":  # HRNet: the person's own box
        part[0, 0] = -1
        visible = (part >= 0).all(-1)  # hidden joints are not told
        people_ = [{"joints": part[i].tolist(), "joints_vis": visible[i].astype(int).tolist(), "image": names[i],
                    "scale": scale[i], "center": centre[i].tolist()} for i in range(3)]  # fmt: skip
        (root / "annot" / f"{split}.json").write_text(json.dumps(people_))
        return pixels
    part[0, 0] = 0
    with h5py.File(root / "annot" / f"{split}.h5", "w") as out:
        out["imgname"] = np.array([n.encode() for n in names], "S13")
        out["center"], out["scale"] = centre + np.stack([0 * scale, 15 * scale], 1), 1.25 * scale
        out["part"], out["visible"] = part, visible
        out["person"], out["index"] = np.arange(3.0), np.arange(3.0)
        out.attrs["name"] = "mpii"
    return pixels


def write_mpii_mat(root: Path) -> np.ndarray:
    """MPII's own file: two pictures to train, of one and of two people, one to test, and a person without joints.

    Returns (3, 16, 2) continuous pixels; joint 0 of the first is unlabelled, joint 10 of the second hidden.
    """
    pixels = np.concatenate([fixtures_flat.smpl_pixels(seed, 1) for seed in range(3)])[:, MPII]
    everybody = []
    for person, own in enumerate(pixels + 0.5):  # pixel numbers from 1
        low, high = own.min(0), own.max(0)
        points = [{"x": own[j, 0], "y": own[j, 1], "id": j} for j in range(16) if (person, j) != (0, 0)]
        for point in points:  # the file tells some as numbers, some as text, and head joints not at all
            told = "0" if (person, point["id"]) == (1, 10) else 1
            point["is_visible"] = np.array([]) if point["id"] in (8, 9) else told
        everybody.append({
            "x1": low[0], "y1": low[1], "x2": high[0], "y2": high[1], "scale": (high - low).max() / 200,
            "objpos": {"x": (low[0] + high[0]) / 2, "y": (low[1] + high[1]) / 2}, "annopoints": {"point": points},
        })  # fmt: skip
    nobody = everybody[0] | {"annopoints": np.array([])}
    pictures = [everybody[:1], [*everybody[1:], nobody], [nobody]]
    annolist = [{"image": {"name": f"{i:09d}.jpg"}, "annorect": people_, "frame_sec": i, "vididx": 1}
                for i, people_ in enumerate(pictures)]  # fmt: skip
    release = {"annolist": annolist, "img_train": np.array([1, 1, 0]), "version": "12",
               "single_person": np.ones(3), "act": np.zeros(3), "video_list": np.zeros(1)}  # fmt: skip
    (root / "images").mkdir(parents=True, exist_ok=True)
    for i in range(3):
        Image.new("RGB", (640, 480), (200, 100, 0)).save(root / "images" / f"{i:09d}.jpg")
    savemat(root / "mpii_human_pose_v1_u12_1.mat", {"RELEASE": structs(release)})
    return pixels


def structs(value):
    """Lists of dictionaries as MATLAB's struct arrays: records whose fields are objects."""
    if isinstance(value, dict):
        return {name: structs(v) for name, v in value.items()}
    if not isinstance(value, list):
        return value
    array = np.empty((1, len(value)), dtype=[(name, object) for name in value[0]])
    for i, item in enumerate(value):
        for name, v in item.items():
            array[0, i][name] = structs(v)
    return array


def write_muco_fits(root: Path, unit: float = 1.0) -> dict[int, dict]:
    """smpl_param.json of all annotations but the last, translations 0.3 m above the pelvis."""
    content, rng = json.loads((root / "data" / "MuCo-3DHP.json").read_text()), np.random.default_rng(0)
    fits = {}
    for person in content["annotations"][:-1]:
        pelvis = np.array(person["keypoints_cam"][14]) / 1000
        fits[person["id"]] = {"pose": rng.normal(size=72).tolist(), "shape": rng.normal(size=10).tolist(),
                              "trans": [(unit * (pelvis + [0, -0.3, 0])).tolist()]}  # fmt: skip
    (root / "data" / "smpl_param.json").write_text(json.dumps(fits))
    return fits


def write_muco(root: Path) -> np.ndarray:
    """Two pictures of two people, the second person nearer; returns the nearer one's 17 joints (2, 17, 3), metres."""
    camera = {"f": [1500.0, 1501.0], "c": [1030.0, 1040.0]}
    K = np.array([[1500.0, 0, 1030], [0, 1501, 1040], [0, 0, 1]])
    images, annotations, near = [], [], []
    for i in range(2):
        name = f"unaugmented_set/{i:07d}.jpg"
        images.append({"id": i, "file_name": name, "width": 2048, "height": 2048} | camera)
        for k, away in ((0, [0.4, 0, 1.5]), (1, [0, 0, 0])):
            full = fixtures_mpi_inf_3dhp.joints28(k)[i] + away
            points = full[[*fixtures_mpi_inf_3dhp.RELEVANT, 17, 12, 27, 22]]  # then hands and toes
            pixels = people.pinhole(points, K)
            low, high = pixels.min(0), pixels.max(0)
            annotations.append({"id": 2 * i + k, "image_id": i, "bbox": [*low, *(high - low)],
                                "keypoints_img": pixels.tolist(), "keypoints_cam": (1000 * points).tolist(),
                                "keypoints_vis": [True] * 20 + [False]})  # fmt: skip
        near.append(points[:17])
        (root / "data" / "unaugmented_set").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2048, 2048), (0, 150, 30)).save(root / "data" / name)
    (root / "data" / "MuCo-3DHP.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    return np.array(near)


def write_c2f(root: Path, cells: bool = True, part: bool = True, left_first: bool = True) -> np.ndarray:
    """Six frames of one video, every fifth, not in order; returns joints (6, 17, 3), metres, right leg first."""
    R, t = people.camera_z_up()
    points = fixtures_human36m.world() @ R.T + t
    stored = points[:, LEFT_FIRST] if left_first else points
    order = [3, 0, 1, 2, 5, 4]
    names = [f"S9_Eating_1.54138969_{5 * i + 1:06d}.jpg" for i in order]
    pixels = people.pinhole(stored, fixtures_human36m.K)
    low, high = pixels.min(1), pixels.max(1)
    annot = {"imgname": np.array(names, dtype=object), "center": ((low + high) / 2)[order],
             "scale": ((high - low).max(1) * 1.3 / 200)[order],
             "S": 1000 * stored[order].transpose(0, 2, 1)}  # fmt: skip
    if cells:
        annot["K"] = np.empty(6, dtype=object)
        for i in range(6):
            annot["K"][i] = fixtures_human36m.K
    (root / "annot").mkdir(parents=True, exist_ok=True)
    savemat(root / "annot" / "valid.mat", {"annot": annot})
    (root / "annot" / "valid.h5").unlink(missing_ok=True)
    if part:
        with h5py.File(root / "annot" / "valid.h5", "w") as out:
            out["part"], out["zind"] = pixels[order], np.full((6, 17), 32.0)
    (root / "images").mkdir(exist_ok=True)
    for name in names:
        Image.new("RGB", (1000, 1002), (120, 60, 10)).save(root / "images" / name)
    return points


def write_spin(root: Path, split: str = "h36m_valid_protocol1", labelled: bool = True) -> np.ndarray:
    """Four pictures; returns joints (4, 17, 3) relative to the pelvis, right leg first."""
    R, t = people.camera_z_up()
    points = (fixtures_human36m.world() @ R.T + t)[:4]
    pixels = people.pinhole(points, fixtures_human36m.K)
    relative = points - points[:, :1]
    S, part = np.zeros((4, 24, 4)), np.zeros((4, 24, 3))
    for spin, own in SPIN24_OF_H36M.items():
        S[:, spin, :3], S[:, spin, 3] = relative[:, own], 1
        part[:, spin, :2], part[:, spin, 2] = pixels[:, own], 1
    S[0, 3, 3] = float(labelled)
    low, high = pixels.min(1), pixels.max(1)
    names = np.array([f"S9/Directions_1.54138969/{i:06d}.jpg" for i in range(4)])
    root.mkdir(parents=True, exist_ok=True)
    np.savez(root / f"{split}.npz", imgname=names, center=(low + high) / 2, scale=(high - low).max(1) / 200 / 0.9,
             part=part, S=S, openpose=np.zeros((4, 25, 3)), pose=np.full((4, 72), 0.1), shape=np.ones((4, 10)),
             has_smpl=np.array([1, 1, 0, 1]))  # fmt: skip
    return relative
