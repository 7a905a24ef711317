"""FreiHAND, training and evaluation."""

import fixtures_freihand as fixture
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from posebook.data.real import freihand
from posebook.data.real.body_models import posed_knuckle
from posebook.data.real.prepare import prepare
from posebook.errors import PosebookError
from posebook.hand.sample import HandSample


@pytest.fixture(autouse=True)
def no_mano(monkeypatch, tmp_path):
    monkeypatch.setattr(freihand, "models_folder", lambda: tmp_path / "models")


def test_training(tmp_path, prepared, pinhole):
    points = fixture.write(tmp_path / "freihand")
    dataset = prepared(freihand.READER, tmp_path / "freihand", "training")
    assert len(dataset) == 12 and dataset.texts["action"][:].tolist() == ["gs"] * 3 + ["hom"] * 3 + [
        "sample"] * 3 + ["auto"] * 3  # fmt: skip
    sample = dataset[7]
    assert isinstance(sample, HandSample) and sample.clip == "hand-00000001"
    np.testing.assert_allclose(sample.joints3d, points[1], atol=1e-6)
    assert abs(int(sample.image[..., 0].mean()) - 140) < 4  # picture 7 = hand 1 + 2 versions
    found = pinhole(np.asarray(dataset.arrays["joints3d"]), np.asarray(dataset.arrays["K"]))
    scale = dataset.image_size / 224
    uv = points @ fixture.K.T
    assert np.abs(found[:3] - uv[..., :2] / uv[..., 2:] * scale).max() < 0.01
    np.testing.assert_allclose(dataset.arrays["joints2d"], found, atol=1e-3)
    assert sample.valid["betas"] and not sample.valid["hand_pose"] and not sample.valid["transl"]
    np.testing.assert_allclose(sample.betas, 61 + np.arange(48, 58))
    assert sample.valid["mask"] and sample.mask.dtype == bool  # of hand 1: 51 of 224 columns, in a crop of 64 pixels
    share = dataset.extras["mask"][:].mean((1, 2))
    np.testing.assert_allclose(share, [50 / 224, 51 / 224, 52 / 224] * 4, atol=0.6 / dataset.image_size)


def test_the_mean_hand_is_added_and_the_translation_found(tmp_path, prepared, monkeypatch):
    (tmp_path / "models").mkdir()
    np.savez(tmp_path / "models" / "MANO_RIGHT.npz", hands_mean=np.full(45, 0.5))
    knuckles = np.random.default_rng(0).normal(size=(3, 3))
    monkeypatch.setattr(freihand, "posed_knuckle", lambda fields, model: knuckles)
    points = fixture.write(tmp_path / "freihand", "evaluation")
    dataset = prepared(freihand.READER, tmp_path / "freihand", "evaluation")
    np.testing.assert_allclose(dataset[0].hand_pose, np.arange(3, 48) + 0.5)
    np.testing.assert_allclose(knuckles + dataset.arrays["transl"][:], points[:, 9], atol=1e-6)
    assert not dataset[0].valid["mask"]  # only training has masks


def test_the_posed_knuckle_is_that_of_the_hands_skeleton():
    """The free hand in MANO's form: turned as a whole, the knuckle turns about the wrist; fingers do not move it."""
    turn = np.array([[0.3, -0.5, 0.2]])
    fields = {"global_orient": np.zeros((1, 3)), "hand_pose": np.zeros((1, 45)), "betas": np.zeros((1, 10))}
    rest, wrist = (posed_knuckle(fields, "free", joint)[0] for joint in (4, 0))
    bent = posed_knuckle(fields | {"global_orient": turn, "hand_pose": np.full((1, 45), 0.4)}, "free")[0]
    np.testing.assert_allclose(bent, wrist + Rotation.from_rotvec(turn[0]).apply(rest - wrist), atol=1e-5)
    assert 0.05 < np.linalg.norm(rest - wrist) < 0.15


def test_mistakes(tmp_path):
    fixture.write(tmp_path / "left", left=True)
    with pytest.raises(PosebookError, match="left hands"):
        prepare(freihand.READER, tmp_path / "left", "training", tmp_path / "out")
    fixture.write(tmp_path / "mm", factor=1000)
    with pytest.raises(PosebookError, match="millimetres"):
        prepare(freihand.READER, tmp_path / "mm", "training", tmp_path / "out")
    (tmp_path / "mm" / "training_K.json").write_text("[[1, 2]]")
    with pytest.raises(PosebookError, match=r"training_K.json: expected \(N, 3, 3\)"):
        prepare(freihand.READER, tmp_path / "mm", "training", tmp_path / "out")
    fixture.write(tmp_path / "no_eval", "evaluation")
    (tmp_path / "no_eval" / "evaluation_xyz.json").unlink()
    outcome = prepare(freihand.READER, tmp_path / "no_eval", "evaluation", tmp_path / "out")
    assert outcome.state == "missing" and "FreiHAND_pub_v2_eval.zip" in outcome.message
