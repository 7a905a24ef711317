"""FreiHAND, training and evaluation."""

import fixtures_freihand as fixture
import numpy as np
import pytest

from posebook.data.real import freihand
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


def test_the_mean_hand_is_added(tmp_path, prepared):
    (tmp_path / "models").mkdir()
    np.savez(tmp_path / "models" / "MANO_RIGHT.npz", hands_mean=np.full(45, 0.5))
    fixture.write(tmp_path / "freihand", "evaluation")
    dataset = prepared(freihand.READER, tmp_path / "freihand", "evaluation")
    np.testing.assert_allclose(dataset[0].hand_pose, np.arange(3, 48) + 0.5)


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
