"""AMASS: `<SUBSET>/<subject>/<action>_poses.npz` of SMPL+H, brought to Posebook's clips, one file at a time.

SMPL+H has 52 joints; SMPL's 24 are 0..21 and, for the two hands, the first joints of the index fingers, 22 and 37.
The world is turned from z up to y up: R = M R_amass, x = M x_amass with M (x, y, z) = (x, z, -y). Frame rates such as
120.00004577636719 are rounded; poses are interpolated at 30 fps. Shape is dropped: clips stand on the mean body.
Source: specs/data.md section 1.9.
"""

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from posebook.cache import atomic_path, cache_dir, write_text
from posebook.errors import PosebookError
from posebook.motion.clip import FPS, ClipInfo, MotionClip
from posebook.motion.retarget import Retargeted, resample
from posebook.motion.skeleton import axis_angle, skeleton
from posebook.rotations import axis_angle_to_matrix

VERSION = "amass-1"
SPLITS = {"val": ("HumanEva", "MPI_HDM05", "SFU", "MPI_mosh"), "test": ("Transitions_mocap", "SSM_synced")}
BODY = (*range(22), 22, 37)  # of SMPL+H's 52 joints
Y_UP = ((1.0, 0, 0), (0, 0, 1.0), (0, -1.0, 0))
FIELDS = ("poses", "trans", "mocap_framerate")
HINT = "Run python data_download/amass.py --source <folder>; register at https://amass.is.tue.mpg.de."


def split_of(subset: str) -> str:
    """Split that AMASS recommends for a subset; those it does not name are for training."""
    return next((split for split, names in SPLITS.items() if subset in names), "train")


def find_amass(source: Path) -> dict[str, Path]:
    """`SUBSET/subject/action` -> file, in order; PosebookError if there is none."""
    files = sorted(p for p in source.rglob("*_poses.npz") if p.is_file())
    if not files:
        raise PosebookError(f"No files named <action>_poses.npz below {source}. {HINT}")
    return {"/".join((*p.parts[-3:-1], p.stem.removesuffix("_poses"))): p for p in files}


def read_amass(path: Path, name: str) -> MotionClip:
    """One file as a clip at 30 fps.

    Args:
        path: the npz.
        name: SUBSET/subject/action.

    Raises:
        PosebookError: damaged, of SMPL-X (which this does not read), or with another number of joints.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            missing = [f for f in FIELDS if f not in stored]
            if missing:
                raise PosebookError(f"{path}: the fields {', '.join(missing)} are missing; it has "
                                    f"{', '.join(stored.files)}. Get the SMPL+H G files.")  # fmt: skip
            poses, trans, rate = (np.asarray(stored[f], np.float64) for f in FIELDS)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise PosebookError(f"{path} is not a whole npz file ({error}). Get it again.") from None
    if poses.ndim != 2 or poses.shape[1] != 156 or trans.shape != (len(poses), 3) or len(poses) < 2:
        raise PosebookError(f"{path}: expected poses (N, 156) and trans (N, 3), N > 1; found {poses.shape}, "
                            f"{trans.shape}.")  # fmt: skip
    pose = torch.from_numpy(poses.reshape(-1, 52, 3)[:, list(BODY)])
    rotations, turn = axis_angle_to_matrix(pose), torch.tensor(Y_UP, dtype=torch.float64)
    rotations[:, 0] = turn @ rotations[:, 0]
    pelvis = skeleton().joints[0]
    transl = (torch.from_numpy(trans) + pelvis) @ turn.T - pelvis  # SMPL turns about its pelvis
    motion = resample(Retargeted(rotations, transl), np.arange(len(poses)), float(np.round(rate)))
    body_pose = axis_angle(motion.rotations[:, 1:]).reshape(-1, 69)
    subset, subject, action = name.split("/")
    return MotionClip(name, action, f"{subset}/{subject}", FPS, axis_angle(motion.rotations[:, 0]), body_pose,
                      motion.transl.numpy().astype(np.float32))  # fmt: skip


def prepare_amass(files: Iterable[tuple[str, Path]], out: Path) -> dict[str, str]:
    """Convert files to npz below `out`, skip those that are there, write the manifest last.

    Returns:
        Name -> why, of files left out.

    Raises:
        PosebookError: not one file could be read (the first one's reason).
    """
    clips, skipped = {}, {}
    for name, path in files:
        target, stamp = out / f"{name}.npz", f"{VERSION}:{path.stat().st_size}:{path.stat().st_mtime_ns}"
        try:
            frames = stored_frames(target, stamp) or write_clip(read_amass(path, name), target, stamp)
            clips[name] = {"num_frames": frames, "split": split_of(name.split("/")[0])}
        except PosebookError as error:
            skipped[name] = str(error)
    if not clips:
        raise PosebookError(next(iter(skipped.values()), "No files to prepare."))
    write_text(out / "manifest.json", json.dumps({"version": VERSION, "clips": clips}, indent=1))
    return skipped


def write_clip(clip: MotionClip, target: Path, stamp: str) -> int:
    """Store a clip; returns its frames."""
    with atomic_path(target) as temporary, open(temporary, "wb") as stream:
        np.savez(stream, global_orient=clip.global_orient, body_pose=clip.body_pose, transl=clip.transl,
                 made_from=np.array(stamp))  # fmt: skip
    return len(clip.transl)


def stored_frames(target: Path, stamp: str) -> int:
    """Frames of a stored clip made from the same file, 0 if there is none."""
    if not target.is_file():
        return 0
    with np.load(target, allow_pickle=False) as stored:
        return len(stored["transl"]) if str(stored["made_from"]) == stamp else 0


def list_amass(folder: Path | None = None) -> list[ClipInfo]:
    """Prepared clips by name; PosebookError with the command if there are none."""
    path = (folder or cache_dir("real") / "amass") / "manifest.json"
    if not path.is_file():
        raise PosebookError(f"AMASS is not prepared: no {path}. {HINT}")
    clips = json.loads(path.read_text())["clips"]
    return [ClipInfo(name, name.split("/")[2], "/".join(name.split("/")[:2]), c["num_frames"], c["split"])
            for name, c in sorted(clips.items())]  # fmt: skip


def load_amass(name: str, folder: Path | None = None) -> MotionClip:
    """One prepared clip; PosebookError if it is not there."""
    path = (folder or cache_dir("real") / "amass") / f"{name}.npz"
    if not path.is_file():
        raise PosebookError(f"No AMASS clip {name!r} ({path}). {HINT}")
    subset, subject, action = name.split("/")
    with np.load(path, allow_pickle=False) as stored:
        arrays = [stored[key] for key in ("global_orient", "body_pose", "transl")]
    return MotionClip(name, action, f"{subset}/{subject}", FPS, *arrays)
