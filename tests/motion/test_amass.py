"""AMASS files as they come: float64 poses of 52 joints, bytes for the gender, an odd frame rate, z up."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from posebook.errors import PosebookError
from posebook.motion.amass import find_amass, list_amass, load_amass, prepare_amass, read_amass, split_of
from posebook.motion.skeleton import skeleton

FRAMES = 121  # one second and a frame at 120 fps


def write(root, name="ACCAD/s007/walk", frames=FRAMES, **changed):
    path = root / f"{name}_poses.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    poses = np.zeros((frames, 156))
    poses[:, :3] = Rotation.from_matrix([[1, 0, 0], [0, 0, -1], [0, 1, 0]]).as_rotvec()  # stands upright, z up
    poses[:, 3 * 4 : 3 * 4 + 3] = np.linspace(0, 1, frames)[:, None] * [0.9, 0, 0]  # left knee
    poses[:, 3 * 22], poses[:, 3 * 37] = 0.11, 0.22  # first joints of the index fingers
    poses[:, 3 * 23] = 0.99  # the next joint of a finger is not SMPL's
    trans = np.stack([np.linspace(0, 2, frames), np.linspace(0, 1, frames), np.full(frames, 1.1)], 1)
    stored = {"poses": poses, "trans": trans, "betas": np.zeros(16), "dmpls": np.zeros((frames, 8)),
              "gender": np.array(b"female"), "mocap_framerate": np.array(120.00004577636719)} | changed  # fmt: skip
    np.savez(path, **{k: v for k, v in stored.items() if v is not None})
    np.savez(path.parent / "shape.npz", betas=np.zeros(16))
    return path


def test_a_file_becomes_an_upright_clip_at_30_fps(tmp_path, body_cache):
    clip = read_amass(write(tmp_path), "ACCAD/s007/walk")
    assert clip.fps == 30 and clip.transl.shape == (31, 3) and clip.subject == "ACCAD/s007" and clip.action == "walk"
    np.testing.assert_allclose(clip.global_orient, 0, atol=1e-6)  # upright with y up is no rotation
    # the pelvis goes 2 m along x and, in a frame with y up, 1 m along -z
    pelvis = skeleton().joints[0].numpy()
    path = clip.transl + pelvis
    np.testing.assert_allclose(path[-1] - path[0], [2, 0, -1], atol=1e-5)
    height = clip.transl[:, 1] + pelvis[1]
    np.testing.assert_allclose(height, 1.1 + pelvis[2], atol=1e-5)
    pose = clip.body_pose.reshape(-1, 23, 3)
    np.testing.assert_allclose(pose[:, 3, 0], np.linspace(0, 0.9, 31), atol=1e-5)
    np.testing.assert_allclose(pose[:, 21:, 0], [[0.11, 0.22]] * 31, atol=1e-6)


def test_prepare_resumes_and_lists(tmp_path, body_cache):
    write(tmp_path / "in")
    write(tmp_path / "in", "SFU/0005/jump", poses=np.zeros((9, 156)))  # trans of another length
    files = find_amass(tmp_path / "in")
    skipped = prepare_amass(files.items(), tmp_path / "out")
    assert list(skipped) == ["SFU/0005/jump"] and "expected poses" in skipped["SFU/0005/jump"]
    stored = tmp_path / "out" / "ACCAD" / "s007" / "walk.npz"
    before = stored.stat().st_mtime_ns
    write(tmp_path / "in", "SFU/0005/jump")
    assert not prepare_amass(files.items(), tmp_path / "out") and stored.stat().st_mtime_ns == before
    clips = list_amass(tmp_path / "out")
    assert [(c.name, c.split) for c in clips] == [("ACCAD/s007/walk", "train"), ("SFU/0005/jump", "val")]
    assert len(load_amass("SFU/0005/jump", tmp_path / "out").transl) == 31
    assert split_of("SSM_synced") == "test"


def test_mistakes(tmp_path, body_cache):
    with pytest.raises(PosebookError, match="No files named"):
        find_amass(tmp_path)
    with pytest.raises(PosebookError, match="the fields mocap_framerate are missing"):
        read_amass(write(tmp_path, mocap_framerate=None), "a/b/c")
    path = write(tmp_path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(PosebookError, match="not a whole npz"):
        read_amass(path, "a/b/c")
    with pytest.raises(PosebookError, match="not prepared"):
        list_amass(tmp_path / "out")
    with pytest.raises(PosebookError, match="No AMASS clip"):
        load_amass("a/b/c", tmp_path / "out")
