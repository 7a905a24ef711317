"""Procedural clips against smplx itself: on the floor, smooth, different, and the same in every process."""

import hashlib
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from posebook.body import load_body
from posebook.errors import PosebookError
from posebook.motion import list_clips, load_clip


@pytest.fixture(scope="module")
def smpl():
    return load_body("free", level="full")


@pytest.fixture(scope="module")
def coarse():
    return load_body("free", level="coarse")


def pose(smpl, clip, frames):
    with torch.no_grad():
        return smpl(
            global_orient=torch.tensor(clip.global_orient[frames]),
            body_pose=torch.tensor(clip.body_pose[frames]),
            transl=torch.tensor(clip.transl[frames]),
            betas=torch.zeros(len(frames), 10),
        )


def test_list():
    clips = list_clips("procedural")
    count = Counter(c.action for c in clips)
    assert len(count) >= 10 and min(count.values()) >= 25
    assert {"walk", "run", "sit", "squat", "wave", "reach", "jump", "kick", "bend", "gesture"} <= set(count)
    assert len({c.name for c in clips}) == len(clips)
    splits = Counter(c.split for c in clips)
    assert splits["test"] >= 40 and splits["val"] >= 20 and splits["train"] > 200
    assert {c.action for c in clips if c.split == "test"} == set(count)
    assert all(90 <= c.num_frames <= 120 for c in clips)


def test_shapes_and_units(clips):
    lengths = {c.name: c.num_frames for c in list_clips("procedural")}
    for name, clip in clips.items():
        t = lengths[name]
        assert clip.name == name and clip.fps == 30.0 and clip.action == name[:-4]
        assert clip.global_orient.shape == clip.transl.shape == (t, 3) and clip.body_pose.shape == (t, 69)
        assert all(a.dtype == np.float32 and np.isfinite(a).all() for a in clip[4:])


def test_feet_on_the_floor(smpl, clips):
    """No vertex of the full mesh (not only the soles that the library looks at) is more than 1 cm under the floor."""
    for name, clip in clips.items():
        height = pose(smpl, clip, np.arange(0, len(clip.transl), 20)).vertices[..., 1].amin(1)
        assert height.min() > -0.01, (name, height.min())
        if clip.action not in ("jump", "run"):
            assert height.max() < 0.02, (name, height.max())


def test_jumps_leave_the_floor(coarse, clips):
    for name, clip in clips.items():
        if clip.action == "jump":
            feet = pose(coarse, clip, np.arange(len(clip.transl))).joints[:, [7, 8, 10, 11], 1].amin(1)
            assert feet.max() > feet.min() + 0.1, name


def test_smooth(coarse, clips):
    """smplx's own joints accelerate by less than 13 g, in jumps and kicks 30 g: what fast limbs reach."""
    for name, clip in clips.items():
        joints = pose(coarse, clip, np.arange(len(clip.transl))).joints[:, :24].double()
        acceleration = (joints[2:] - 2 * joints[1:-1] + joints[:-2]).norm(dim=-1) * 30**2
        bound = 300 if clip.action in ("jump", "kick") else 130
        assert acceleration.max() < bound, (name, acceleration.max())
        assert joints.diff(dim=0).norm(dim=-1).max() * 30 < 15, name


def test_same_in_another_process(clips):
    names = ["walk_000", "dance_010", "jump_005"]
    code = (
        "import sys, hashlib; from posebook.motion import load_clip\n"
        "for n in sys.argv[1:]:\n"
        "    print(hashlib.sha256(b''.join(a.tobytes() for a in load_clip('procedural', n)[4:])).hexdigest())"
    )
    for seed in ("1", "2"):
        result = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, text=True, check=True,
                                env={**os.environ, "PYTHONHASHSEED": seed})  # fmt: skip
        here = [hashlib.sha256(b"".join(a.tobytes() for a in clips[n][4:])).hexdigest() for n in names]
        assert result.stdout.split() == here


def test_output_is_frozen(clips):
    """Recorded knee, heading and spine angles: a change here is another benchmark and invalidates committed results."""
    recorded = {  # frame, left knee, spine2, global orientation (axis-angle)
        "walk_000": (30, [0.3909, 0.0, 0.0], [0.0499, -0.0257, 0.0041], [-0.0499, 2.6833, -0.0835]),
        "squat_010": (50, [0.6203, 0.0, 0.0], [0.0809, 0.003, -0.0093], [0.0462, 1.4859, -0.0911]),
        "kick_005": (40, [1.6353, 0.0, 0.0], [0.1154, -0.0311, -0.0011], [-0.187, -1.4711, -0.1058]),
        "dance_010": (60, [1.1998, 0.0, 0.0], [0.0438, -0.0431, -0.0206], [-0.1079, -2.9032, -0.0846]),
    }
    for name, (frame, left_knee, spine, heading) in recorded.items():
        clip = clips[name]
        np.testing.assert_allclose(clip.body_pose.reshape(-1, 23, 3)[frame, 3], left_knee, atol=2e-2)
        np.testing.assert_allclose(clip.body_pose.reshape(-1, 23, 3)[frame, 2], spine, atol=2e-3)
        np.testing.assert_allclose(clip.global_orient[frame], heading, atol=2e-3)


def test_clips_differ(clips):
    """Any two clips of an action differ by degrees, not by a seed's noise; limbs and trunk move in each action."""
    for action in {c.action for c in clips.values()}:
        group = [c for c in clips.values() if c.action == action]
        poses = [Rotation.from_rotvec(c.body_pose[::15][:6].reshape(-1, 3)) for c in group]
        for i, a in enumerate(poses):
            for b in poses[:i]:
                assert np.degrees((a.inv() * b).magnitude()).mean() > 4, action


def test_diversity(clips):
    """Over the source: headings all round, arms from hanging to overhead, knees from straight to a deep squat."""
    headings = Rotation.from_rotvec(np.stack([c.global_orient[0] for c in clips.values()])).apply([0, 0, 1])
    azimuth = np.degrees(np.arctan2(headings[:, 0], headings[:, 2]))
    assert (np.histogram(azimuth, bins=6, range=(-180, 180))[0] > 0).all()
    pose = np.concatenate([c.body_pose for c in clips.values()]).reshape(-1, 23, 3)
    knee = np.degrees(np.linalg.norm(pose[:, 3], axis=1))
    arm = Rotation.from_rotvec(pose[:, 15]).apply([1, 0, 0])
    assert np.quantile(knee, 0.98) > 80 and np.quantile(knee, 0.2) < 20
    assert np.quantile(arm[:, 1], 0.98) > 0.6 and np.quantile(arm[:, 1], 0.2) < -0.7
    assert np.quantile(arm[:, 2], 0.95) > 0.7


@pytest.mark.parametrize("name", ["fly_001", "walk_1", "walk_", "walk_-01", "", "walk"])
def test_unknown_clip(name):
    with pytest.raises(PosebookError, match="actions: walk"):
        load_clip("procedural", name)


def test_unknown_motion():
    with pytest.raises(PosebookError, match="procedural, cmu"):
        list_clips("amass")
    with pytest.raises(PosebookError, match="procedural, cmu"):
        load_clip("amass", "x")
