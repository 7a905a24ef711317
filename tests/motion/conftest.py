"""A BVH file in the CMU database's own format, made up, and clips shared by the tests of motion."""

import os
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
REAL = Path(os.environ.get("POSEBOOK_CMU_SOURCE") or REPOSITORY.parent / "shared/data/cmu_mocap")

# name, depth, offset; end sites are None-named. Offsets of the order of CMU subject 02.
SKELETON = [
    ("Hips", 0, (0, 0, 0)), ("LHipJoint", 1, (0, 0, 0)), ("LeftUpLeg", 2, (1.66, -1.8, 0.62)),
    ("LeftLeg", 3, (2.6, -7.14, 0)), ("LeftFoot", 4, (2.49, -6.85, 0)), ("LeftToeBase", 5, (0.2, -0.54, 2.15)),
    (None, 6, (0, 0, 1.11)), ("RHipJoint", 1, (0, 0, 0)), ("RightUpLeg", 2, (-1.61, -1.8, 0.62)),
    ("RightLeg", 3, (-2.6, -7.13, 0)), ("RightFoot", 4, (-2.47, -6.78, 0)), ("RightToeBase", 5, (-0.23, -0.63, 2.13)),
    (None, 6, (0, 0, 1.12)), ("LowerBack", 1, (0, 0, 0)), ("Spine", 2, (0.02, 2.05, -0.14)),
    ("Spine1", 3, (0.01, 2.06, -0.06)), ("Neck", 4, (0, 0, 0)), ("Neck1", 5, (0, 1.57, 0.15)),
    ("Head", 6, (0.03, 1.56, -0.1)), (None, 7, (0.01, 1.63, -0.05)), ("LeftShoulder", 4, (0, 0, 0)),
    ("LeftArm", 5, (3.54, 0.9, -0.17)), ("LeftForeArm", 6, (4.87, 0, 0)), ("LeftHand", 7, (3.36, 0, 0)),
    ("LeftFingerBase", 8, (0, 0, 0)), ("LeftHandIndex1", 9, (0.66, 0, 0)), (None, 10, (0.53, 0, 0)),
    ("LThumb", 8, (0, 0, 0)), (None, 9, (0.54, 0, 0.54)), ("RightShoulder", 4, (0, 0, 0)),
    ("RightArm", 5, (-3.5, 0.76, -0.33)), ("RightForeArm", 6, (-5.03, 0, 0)), ("RightHand", 7, (-3.36, 0, 0)),
    ("RightFingerBase", 8, (0, 0, 0)), ("RightHandIndex1", 9, (-0.73, 0, 0)), (None, 10, (-0.59, 0, 0)),
    ("RThumb", 8, (0, 0, 0)), (None, 9, (-0.6, 0, 0.6)),
]  # fmt: skip
NAMES = [name for name, _, _ in SKELETON if name]
TPOSE = {"LeftUpLeg": (-21, 0, 0), "RightUpLeg": (21, 0, 0), "Neck": (0, 0, -16), "Neck1": (0, 0, 21),
         "Head": (0, 0, 11), "LeftArm": (-8, 0, 0), "RightArm": (8, 0, 0)}  # Z, Y, X degrees  # fmt: skip


def header_text() -> str:
    lines, depth_before = ["HIERARCHY"], -1
    for name, depth, offset in SKELETON:
        lines += ["\t" * d + "}" for d in range(depth_before, depth - 1, -1)]
        lines += [
            "\t" * depth + ("End Site" if name is None else f"{'JOINT' if depth else 'ROOT'} {name}"),
            "\t" * depth + "{",
        ]
        lines.append("\t" * depth + "\tOFFSET " + " ".join(map(str, offset)))
        places = "" if depth else "Xposition Yposition Zposition "
        if name:
            lines.append("\t" * depth + f"\tCHANNELS {3 if depth else 6} {places}Zrotation Yrotation Xrotation")
        depth_before = depth
    return "\n".join(lines + ["\t" * d + "}" for d in range(depth_before, -1, -1)])


def channel_values(frames: int, seed: int = 0) -> np.ndarray:
    """T-pose in frame 0, then smooth random motion: root position and Z Y X degrees of each joint, (T, 96)."""
    rng = np.random.default_rng(seed)
    t = np.arange(frames)[:, None, None] / 60
    swing = np.sin(2 * np.pi * rng.uniform(0.2, 0.8, (1, 31, 3)) * t + rng.uniform(0, 6, (1, 31, 3)))
    angles = rng.uniform(5, 35, (1, 31, 3)) * swing
    angles[0] = 0
    for name, pose in TPOSE.items():
        angles[0, NAMES.index(name)] = pose
        angles[1:, NAMES.index(name)] += pose
    root = np.c_[np.linspace(0, 5, frames), 16.7 + 0.3 * np.sin(t[:, 0, 0]), np.linspace(-9, 9, frames)]
    root[0] = root[1]
    return np.c_[root, angles.reshape(frames, -1)]


def bvh_text(values: np.ndarray, frame_time: str = ".0083333") -> str:
    rows = "\n".join(" ".join(f"{v:.4f}" for v in row) for row in values)
    return f"{header_text()}\nMOTION\nFrames: {len(values)}\nFrame Time: {frame_time}\n{rows}\n"


@pytest.fixture
def mini(tmp_path):
    """Function (values or frame count) -> path of a CMU-like BVH file."""

    def write(values=60, name="02_01.bvh", **options):
        values = channel_values(values) if isinstance(values, int) else values
        path = tmp_path / "source" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(bvh_text(values, **options))
        return path

    write.values, write.names, write.skeleton, write.text = channel_values, NAMES, SKELETON, bvh_text
    return write


@pytest.fixture(scope="session")
def real_bvh():
    """Folder of real CMU files, or a skip."""
    if not REAL.is_dir():
        pytest.skip(f"no CMU files in {REAL}; set POSEBOOK_CMU_SOURCE to a folder of BVH files")
    return REAL


@pytest.fixture(scope="session")
def clips():
    """Six procedural clips of each action, by name."""
    from posebook.motion import list_clips, load_clip

    names = [c.name for c in list_clips("procedural") if int(c.name[-3:]) % 5 == 0]
    return {name: load_clip("procedural", name) for name in names}
