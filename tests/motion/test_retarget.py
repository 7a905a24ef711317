"""Retargeting against the BVH's own forward kinematics, computed here with scipy, on made-up and on real files."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from posebook.body import load_body
from posebook.errors import PosebookError
from posebook.joints import SMPL24
from posebook.motion.bvh import read_bvh
from posebook.motion.cmu_clip import floor_below, to_clip
from posebook.motion.retarget import METRES, present_frames
from posebook.motion.skeleton import skeleton

LIMBS = {  # SMPL bone -> BVH bone
    ("left_shoulder", "left_elbow"): ("LeftArm", "LeftForeArm"),
    ("left_elbow", "left_wrist"): ("LeftForeArm", "LeftHand"),
    ("right_shoulder", "right_elbow"): ("RightArm", "RightForeArm"),
    ("right_elbow", "right_wrist"): ("RightForeArm", "RightHand"),
    ("left_hip", "left_knee"): ("LeftUpLeg", "LeftLeg"),
    ("left_knee", "left_ankle"): ("LeftLeg", "LeftFoot"),
    ("right_hip", "right_knee"): ("RightUpLeg", "RightLeg"),
    ("right_knee", "right_ankle"): ("RightLeg", "RightFoot"),
}


def own_kinematics(bvh) -> dict[str, np.ndarray]:
    """Joint positions (T, 3) by name: all CMU joints have channels Z Y X, the root its position first."""
    rotations, positions, angles = {}, {}, bvh.values[:, 3:].reshape(len(bvh.values), -1, 3)
    for j, name in enumerate(bvh.names):
        local = Rotation.from_euler("ZYX", angles[:, j], degrees=True)
        if bvh.parents[j] < 0:
            rotations[name], positions[name] = local, bvh.values[:, :3] + bvh.offsets[j]
        else:
            parent = bvh.names[bvh.parents[j]]
            rotations[name] = rotations[parent] * local
            positions[name] = positions[parent] + rotations[parent].apply(bvh.offsets[j])
    return positions


def body_joints(clip) -> torch.Tensor:
    """smplx's own joints of a clip (T, 24, 3)."""
    smpl, t = load_body("free", level="coarse"), len(clip.transl)
    with torch.no_grad():
        out = smpl(global_orient=torch.tensor(clip.global_orient), body_pose=torch.tensor(clip.body_pose),
                   transl=torch.tensor(clip.transl), betas=torch.zeros(t, 10))  # fmt: skip
    return out.joints[:, :24].double()


def limb_errors(path, fps=120.0) -> dict[tuple[str, str], np.ndarray]:
    """Angle (T,) in degrees between each limb bone of the clip and of the file; needs fps a multiple of 30."""
    bvh = read_bvh(path)
    clip = to_clip(bvh, skeleton(), fps, "x", "y", "z")
    frames = present_frames(bvh)[:: int(fps / 30)]
    source, joints, errors = own_kinematics(bvh), body_joints(clip).numpy(), {}
    for (a, b), (c, d) in LIMBS.items():
        made = joints[:, SMPL24.index(b)] - joints[:, SMPL24.index(a)]
        wanted = (source[d] - source[c])[frames][: len(made)]
        cosine = (made * wanted).sum(1) / np.linalg.norm(made, axis=1) / np.linalg.norm(wanted, axis=1)
        errors[a, b] = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return errors


@pytest.mark.parametrize("seed", range(3))
def test_limb_directions_made_up(mini, seed):
    for bone, error in limb_errors(mini(mini.values(100, seed))).items():
        assert error.mean() < 0.1 and error.max() < 0.5, (bone, error.mean())


@pytest.mark.parametrize("name", ["01_01", "02_01", "02_04", "05_05", "06_14", "07_12", "09_10", "13_29", "14_24"])
def test_limb_directions_real(real_bvh, name):
    files = sorted(real_bvh.rglob(f"{name}.bvh*"))
    if not files:
        pytest.skip(f"no {name} in {real_bvh}")
    errors = limb_errors(files[0])
    print(name, {f"{a}->{b}": f"{e.mean():.4f} deg" for (a, b), e in errors.items()})
    assert np.mean([e.mean() for e in errors.values()]) < 3.0  # the contract
    for bone, error in errors.items():
        assert error.mean() < 0.1, (bone, error.mean())


def test_tpose_becomes_a_tpose(mini):
    """A file that stays in its T-pose: straight legs, arms 8 degrees below level as in the file, trunk upright."""
    values = mini.values(12)
    values[1:] = values[0]
    joints = body_joints(to_clip(read_bvh(mini(values)), skeleton(), 120.0, "x", "y", "z"))[0]
    j = {n: joints[SMPL24.index(n)] for n in SMPL24.names}
    arm = j["left_wrist"] - j["left_shoulder"]
    assert arm[0] > 0 and torch.rad2deg(torch.atan2(arm[1], arm[0])) == pytest.approx(-8, abs=0.5)
    leg = j["right_ankle"] - j["right_hip"]
    assert leg[1] < 0 and torch.rad2deg(torch.atan2(leg[0], -leg[1])).abs() < 2
    rest = skeleton().joints
    torch.testing.assert_close(j["head"] - j["pelvis"], rest[15] - rest[0], atol=1e-4, rtol=0)
    torch.testing.assert_close(j["left_foot"] - j["left_ankle"], rest[10] - rest[7], atol=2e-3, rtol=0)


@pytest.mark.parametrize(("fps", "frames"), [(120.0, 121), (60.0, 121), (100.0, 121)])
def test_fps(mini, fps, frames):
    """Duration is (captured frames - 1) / fps whatever the file's frame time says."""
    clip = to_clip(read_bvh(mini(frames + 1)), skeleton(), fps, "x", "y", "z")
    assert clip.fps == 30.0 and len(clip.transl) == int((frames - 1) / fps * 30 + 1e-6) + 1


def test_resampling_is_between_neighbours(mini):
    """At 60 fps from a 45 fps file, sample 1 (1/30 s) lies half-way between captured frames 1 and 2."""
    values = mini.values(8)
    values[1:, 3:6] = 0
    values[2, 4], values[3, 4] = 10, 30  # root Y degrees at frames 2, 3
    clip = to_clip(read_bvh(mini(values)), skeleton(), 45.0, "x", "y", "z")
    assert np.degrees(clip.global_orient[1, 1]) == pytest.approx(20, abs=1e-3)


def test_zero_roots_are_bridged(mini):
    values = mini.values(60)
    values[1:4, :3] = 0
    values[30, :3] = 0
    clip = to_clip(read_bvh(mini(values)), skeleton(), 120.0, "x", "y", "z")
    assert len(clip.transl) == (59 - 4) // 4 + 1
    assert np.linalg.norm(np.diff(clip.transl, axis=0), axis=1).max() < 0.1


def test_half_turns_of_the_root_are_undone(mini):
    values = mini.values(80)
    values[:, 3:6] = 0
    flipped = values.copy()
    flipped[40:60, 4] += 180
    good, bad = (to_clip(read_bvh(mini(v)), skeleton(), 120.0, "x", "y", "z") for v in (values, flipped))
    np.testing.assert_allclose(bad.global_orient, good.global_orient, atol=1e-5)
    np.testing.assert_allclose(bad.transl, good.transl, atol=1e-4)


def test_a_subject_who_faces_backwards_is_not_turned(mini):
    """The T-pose faces +z, the motion -z (as in 06_14): a legitimate half turn between frames 0 and 1."""
    values = mini.values(60)
    values[:, 3:6] = 0
    values[1:, 4] = 178
    path = mini(values)
    clip = to_clip(read_bvh(path), skeleton(), 120.0, "x", "y", "z")
    np.testing.assert_allclose(np.degrees(clip.global_orient[:, 1]), 178, atol=1e-3)
    assert max(error.max() for error in limb_errors(path).values()) < 0.5


def test_path_is_scaled_to_the_legs(mini):
    values = mini.values(60)
    values[:, 3:] = values[0, 3:]
    values[:, :3] = [0, 17, 0] + np.arange(60)[:, None] * [0, 0, 1]
    clip = to_clip(read_bvh(mini(values)), skeleton(), 30.0, "x", "y", "z")
    cmu_leg = (np.hypot(2.6, 7.14) + np.hypot(2.49, 6.85) + np.hypot(2.6, 7.13) + np.hypot(2.47, 6.78)) / 2 * METRES
    step = np.diff(clip.transl[:, 2]).mean()
    assert step == pytest.approx(METRES * skeleton().leg_length / cmu_leg, rel=1e-3)


def test_other_skeleton(mini):
    path = mini(10)
    path.write_text(path.read_text().replace("LeftForeArm", "l_elbow"))
    with pytest.raises(PosebookError, match="not the CMU skeleton; joints LeftForeArm"):
        to_clip(read_bvh(path), skeleton(), 120.0, "02_01", "y", "z")


def test_no_motion(mini):
    values = mini.values(5)
    values[1:, :3] = 0
    with pytest.raises(PosebookError, match="no captured frames"):
        to_clip(read_bvh(mini(values)), skeleton(), 120.0, "02_01", "y", "z")


def test_floor_follows_a_tilt_but_not_a_jump_or_a_climb():
    t = np.linspace(0, 1, 240)
    x, z = 4 * t - 2, 0 * t
    walk = np.c_[x, 0.02 * x + 0.01 * np.abs(np.sin(40 * t)), z]
    np.testing.assert_allclose(floor_below(walk), 0.02 * x, atol=0.006)
    jump = walk.copy()
    jump[100:130, 1] += 0.4 * np.sin(np.linspace(0, np.pi, 30))
    np.testing.assert_allclose(floor_below(jump), 0.02 * x, atol=0.01)
    climb = np.c_[x, np.clip(2 * t - 0.5, 0, 1), z]
    np.testing.assert_allclose(floor_below(climb), 0, atol=0.01)


def test_real_clips_stand_on_the_floor(real_bvh):
    """Full mesh, real walks: the lowest vertex is never 1 cm under the floor nor 4 cm above it."""
    smpl = load_body("free", level="full")
    for name in ("02_01", "07_01"):
        clip = to_clip(read_bvh(next(real_bvh.rglob(f"{name}.bvh*"))), skeleton(), 120.0, name, "walk", "x")
        rows = np.arange(0, len(clip.transl), 6)
        with torch.no_grad():
            out = smpl(global_orient=torch.tensor(clip.global_orient[rows]),
                       body_pose=torch.tensor(clip.body_pose[rows]), transl=torch.tensor(clip.transl[rows]),
                       betas=torch.zeros(len(rows), 10))  # fmt: skip
        low = out.vertices[..., 1].amin(1)
        assert low.min() > -0.01 and low.max() < 0.04
