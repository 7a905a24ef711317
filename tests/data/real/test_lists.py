"""MPII, MuCo-3DHP, C2F's Human3.6M and SPIN's lists: against the points that their fixtures were made from."""

import json

import fixtures_human36m
import fixtures_lists as fixture
import h5py
import numpy as np
import pytest
from scipy.io import savemat

from posebook.data.real import human36m_c2f, mpii, muco, open_real, spin_npz
from posebook.data.real.evaluate import evaluation, score_frames
from posebook.data.real.prepare import prepare
from posebook.errors import PosebookError
from posebook.joint_atlas import convert


@pytest.mark.parametrize("kind", ["h5", "json"])
def test_mpii_in_both_forms_is_the_same(tmp_path, prepared, kind):
    pixels = fixture.write_mpii(tmp_path / "mpii", kind)
    dataset = prepared(mpii.READER, tmp_path / "mpii", "valid")
    stored = dataset.stored["keypoints2d"]
    np.testing.assert_allclose(stored[1:, :, :2], pixels[1:], atol=1e-3)  # continuous: pixel 1's centre is 0.5
    assert not stored[0, 0].any() and stored[0, 1:, 2].all() and stored[1, 10, 2] == (0.5 if kind == "h5" else 1)
    extent = np.ptp(pixels, axis=1).max(1)
    np.testing.assert_allclose(dataset.boxes[:, 2], 1.25 * extent, rtol=1e-5)
    middle = (pixels.min(1) + pixels.max(1)) / 2 + np.stack([0 * extent, 15 * extent / 200], 1)
    np.testing.assert_allclose(dataset.boxes[:, :2] + dataset.boxes[:, 2:] / 2, middle, atol=1e-3)
    assert dataset[2].image[..., 0].max() > 190 and not dataset[2].valid["joints3d"]
    lsp = convert(stored[1:, :, :2], "mpii16", "lsp14")
    left, right = lsp.points[:, 3], lsp.points[:, 2]  # hips of people seen from the front
    assert lsp.valid.all() and (left[:, 0] > right[:, 0]).any()


def test_mpiis_own_file(tmp_path, prepared):
    """The same people as in the hourglass's list; the test picture and the person without joints are left out."""
    pixels = fixture.write_mpii_mat(tmp_path / "own")
    own = prepared(mpii.READER, tmp_path / "own", "train")
    fixture.write_mpii(tmp_path / "listed", "h5", "train")
    outcome = prepare(mpii.READER, tmp_path / "listed", "train", tmp_path / "other" / "train")
    listed = open_real("mpii", "train", root=tmp_path / "other")
    assert outcome.state == "prepared" and len(own) == 3
    np.testing.assert_allclose(own.stored["keypoints2d"][1:, :, :2], pixels[1:], atol=1e-3)
    np.testing.assert_allclose(own.stored["keypoints2d"], listed.stored["keypoints2d"], atol=1e-3)
    np.testing.assert_allclose(own.boxes, listed.boxes, atol=1e-3)
    assert own.texts["image"][:].tolist() == [f"images/{i:09d}.jpg" for i in (0, 1, 1)]
    refused = prepare(mpii.READER, tmp_path / "own", "valid", tmp_path / "bad")
    assert refused.state == "missing" and "u12_1.mat does not tell who is in valid" in refused.message
    path = tmp_path / "own" / "mpii_human_pose_v1_u12_1.mat"
    savemat(path, {"RELEASE": {"annolist": np.zeros(2), "img_train": np.zeros(3)}})
    with pytest.raises(PosebookError, match="2 pictures, but img_train has 3"):
        prepare(mpii.READER, tmp_path / "own", "train", tmp_path / "bad")


def test_muco_fits_are_those_of_the_person_that_is_kept(tmp_path, prepared):
    fixture.write_muco(tmp_path / "muco")
    fits = fixture.write_muco_fits(tmp_path / "muco")
    dataset = prepared(muco.READER, tmp_path / "muco", "train")
    pose = np.concatenate([dataset.arrays["global_orient"], dataset.arrays["body_pose"]], 1)
    np.testing.assert_allclose(pose[0], fits[1]["pose"], atol=1e-6)  # annotation 1 is the nearer of picture 0
    np.testing.assert_allclose(dataset.arrays["betas"][0], fits[1]["shape"], atol=1e-6)
    np.testing.assert_allclose(dataset.arrays["transl"][0], fits[1]["trans"][0], atol=1e-5)
    assert dataset[0].valid["betas"] and not dataset[1].valid["betas"]  # annotation 3 has no fit
    fixture.write_muco_fits(tmp_path / "muco", unit=1000)
    with pytest.raises(PosebookError, match="m from its pelvis joint: another frame or unit"):
        prepare(muco.READER, tmp_path / "muco", "train", tmp_path / "bad")


def test_muco_keeps_the_nearest_person(tmp_path, prepared, pinhole):
    points = fixture.write_muco(tmp_path / "muco")
    dataset = prepared(muco.READER, tmp_path / "muco", "train")
    np.testing.assert_allclose(dataset.extras["keypoints3d"][:], points, atol=1e-5)
    found = pinhole(np.asarray(dataset.extras["keypoints3d"]), np.asarray(dataset.arrays["K"]))
    assert np.abs(found - dataset.extras["keypoints2d"][:][..., :2]).max() < 0.05
    assert dataset.texts["image"][1] == "data/unaugmented_set/0000001.jpg" and dataset[1].image[..., 1].max() > 140
    path = tmp_path / "muco" / "data" / "MuCo-3DHP.json"
    content = json.loads(path.read_text())
    for person in content["annotations"]:
        person["keypoints_cam"] = (np.array(person["keypoints_cam"]) * [-1, 1, 1]).tolist()
    path.write_text(json.dumps(content))
    with pytest.raises(PosebookError, match="knees bend backwards"):
        prepare(muco.READER, tmp_path / "muco", "train", tmp_path / "bad")


@pytest.mark.parametrize(("cells", "part"), [(True, True), (False, False)])
def test_c2f(tmp_path, prepared, pinhole, cells, part):
    """Left leg first in the file, right leg first here; frames in order; K of the file, or of the camera's name."""
    points = fixture.write_c2f(tmp_path / "c2f", cells, part)
    dataset = prepared(human36m_c2f.READER, tmp_path / "c2f", "test")
    np.testing.assert_allclose(dataset.arrays["joints3d_h36m17"][:], points, atol=1e-5)
    assert dataset.texts["frame"][:].tolist() == [0, 5, 10, 15, 20, 25] and dataset.texts["action"][0] == "Eating"
    found = pinhole(np.asarray(dataset.arrays["joints3d_h36m17"]), np.asarray(dataset.arrays["K"]))
    assert np.abs(found - dataset.arrays["joints2d_h36m17"][:]).max() < 0.05
    whole = pinhole(points, np.tile(fixtures_human36m.K, (6, 1, 1)))
    np.testing.assert_allclose(dataset.stored["joints2d_h36m17"], whole, atol=0.01)
    evaluated = evaluation(dataset)
    assert evaluated.protocol.name == "h36m_c2f" and len(evaluated.rows) == 6  # their frames are every fifth


def test_c2f_mistakes(tmp_path):
    fixture.write_c2f(tmp_path / "c2f", left_first=False)
    with pytest.raises(PosebookError, match="hips point against the shoulders"):
        prepare(human36m_c2f.READER, tmp_path / "c2f", "test", tmp_path / "bad")
    fixture.write_c2f(tmp_path / "c2f")
    with h5py.File(tmp_path / "c2f" / "annot" / "valid.h5", "w") as out:
        out["part"] = np.zeros((5, 17, 2))
    with pytest.raises(PosebookError, match=r"expected part \(6, 17, 2\), found \(5, 17, 2\)"):
        prepare(human36m_c2f.READER, tmp_path / "c2f", "test", tmp_path / "bad")
    assert "annot/train.mat" in prepare(human36m_c2f.READER, tmp_path / "c2f", "train", tmp_path / "bad").message


def test_spins_lists(tmp_path, prepared):
    """Root-relative joints are scored after alignment; 2D and 3D name the same joints."""
    relative = fixture.write_spin(tmp_path / "spin")
    dataset = prepared(spin_npz.READER, tmp_path / "spin", "h36m_valid_protocol1")
    np.testing.assert_allclose(dataset.arrays["joints3d_h36m17"][:], relative, atol=1e-6)
    assert dataset.extras["fitted"][:].tolist() == [1, 1, 0, 1] and "K" in dataset.manifest["missing_fields"]
    moved = convert(dataset.stored["keypoints2d"][..., :2], "spin49", "h36m17").points
    whole = fixtures_human36m.world() @ fixture.people.camera_z_up()[0].T + fixture.people.camera_z_up()[1]
    pixels = fixture.people.pinhole(whole[:4], fixtures_human36m.K)
    same = [0, 1, 2, 3, 4, 5, 6, 8, 11, 12, 13, 14, 15, 16]
    np.testing.assert_allclose(moved[:, same], pixels[:, same], atol=1e-2)
    fixture.write_spin(tmp_path / "some", labelled=False)
    some = prepare(spin_npz.READER, tmp_path / "some", "h36m_valid_protocol1", tmp_path / "out" / "some")
    manifest = json.loads((tmp_path / "out" / "some" / "manifest.json").read_text())
    assert some.state == "prepared" and "joints3d_h36m17" in manifest["missing_fields"]
    np.savez(tmp_path / "some" / "3dpw_test.npz", imgname=np.array(["a"]), center=np.zeros((2, 2)), scale=np.ones(1))
    with pytest.raises(PosebookError, match=r"expected center \(1, 2\), found \(2, 2\)"):
        prepare(spin_npz.READER, tmp_path / "some", "3dpw_test", tmp_path / "bad")


def test_scores_of_a_perfect_answer(tmp_path, prepared):
    fixture.write_c2f(tmp_path / "c2f")
    evaluated = evaluation(prepared(human36m_c2f.READER, tmp_path / "c2f", "test"), "h36m_c2f")
    assert score_frames(evaluated, evaluated.truth + [1.0, 2, 3])["mpjpe"].max() < 1e-3
