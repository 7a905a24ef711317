"""UP-3D."""

import pickle

import fixtures_up3d as fixture
import numpy as np
import people
import pytest

from posebook.data.real import up3d
from posebook.data.real.prepare import prepare
from posebook.errors import PosebookError


@pytest.mark.parametrize("rt", [(0.0, 0.0, 0.0), (0.2, -0.1, 0.3)])
def test_posed_bodies_meet_the_labelled_joints(tmp_path, prepared, pinhole, monkeypatch, rt):
    """The fixture's skeleton posed by the stored parameters, seen by the stored camera, in crop pixels."""
    monkeypatch.setattr(up3d, "rest_pelvis", lambda betas: people.REST[:1])
    fixture.write(tmp_path / "up", rt=rt)
    dataset = prepared(up3d.READER, tmp_path / "up", "test")
    poses = np.concatenate([dataset.arrays["global_orient"], dataset.arrays["body_pose"]], 1).astype(float)
    posed = people.forward(poses, np.asarray(dataset.arrays["transl"], float))
    found = pinhole(posed, np.asarray(dataset.arrays["K"], float))[:, fixture.LSP]
    labels = dataset.extras["keypoints2d"][:]
    assert np.abs(found - labels[..., :2]).max() < 0.5 and (labels[..., 2] == 1).all()
    assert 20 < posed[0, 0, 2] < 30 and dataset.texts["image"][0] == "up-3d/01234_image.png"
    assert dataset[0].valid["betas"] and not dataset[0].valid["joints3d"] and dataset[0].image.max() == 70
    mask, (x, y, side, _) = dataset[0].mask, dataset.boxes[0]  # the fixture's rectangle in the picture, in the crop
    inside = [(min(high, low + side) - max(low, edge)) * dataset.image_size / side
              for low, edge, high in ((x, 100, 180), (y, 50, 250))]  # fmt: skip
    found = mask.any(0).sum(), mask.any(1).sum()
    assert dataset[0].valid["mask"] and np.abs(np.array(found) - inside).max() <= 1.5


def test_mistakes(tmp_path, monkeypatch):
    monkeypatch.setattr(up3d, "rest_pelvis", lambda betas: None)
    stored = fixture.write(tmp_path / "up", rt=(0.1, 0, 0))
    with pytest.raises(PosebookError, match="body_models.py"):
        prepare(up3d.READER, tmp_path / "up", "test", tmp_path / "out")
    del stored["rt"]
    (tmp_path / "up" / "up-3d" / "01234_body.pkl").write_bytes(pickle.dumps(stored, protocol=2))
    with pytest.raises(PosebookError, match="01234_body.pkl: the fields rt are missing"):
        prepare(up3d.READER, tmp_path / "up", "test", tmp_path / "out")
    np.save(tmp_path / "up" / "up-3d" / "01234_joints.npy", np.zeros((14, 3)))
    fixture_pickle = fixture.write(tmp_path / "other")
    (tmp_path / "up" / "up-3d" / "01234_body.pkl").write_bytes(pickle.dumps(fixture_pickle, protocol=2))
    with pytest.raises(PosebookError, match=r"expected \(2 or 3, 14\)"):
        prepare(up3d.READER, tmp_path / "up", "test", tmp_path / "out")
    (tmp_path / "up" / "up-3d" / "test.txt").write_text("hello\n")
    with pytest.raises(PosebookError, match="expected lines like"):
        up3d.label_files(tmp_path / "up", "test")
