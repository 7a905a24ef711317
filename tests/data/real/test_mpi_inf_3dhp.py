"""MPI-INF-3DHP, training and test."""

import fixtures_mpi_inf_3dhp as fixture
import numpy as np
import pytest

from posebook.data.real.mpi_inf_3dhp import CAMERAS, READER
from posebook.data.real.prepare import prepare
from posebook.errors import PosebookError
from posebook.joint_atlas import convert


def test_training(tmp_path, prepared, pinhole):
    fixture.write_train(tmp_path / "3dhp")
    dataset = prepared(READER, tmp_path / "3dhp", "train")
    assert len(dataset) == len(CAMERAS) * fixture.FRAMES and dataset.texts["camera"][15] == "4"
    np.testing.assert_allclose(dataset.extras["keypoints3d"][15:20], fixture.joints28(0, 4), atol=1e-5)
    np.testing.assert_allclose(dataset.extras["universal3d"][:], 0.9 * dataset.extras["keypoints3d"][:], atol=1e-5)
    found = pinhole(np.asarray(dataset.extras["keypoints3d"]), np.asarray(dataset.arrays["K"]))
    assert np.abs(found - dataset.extras["keypoints2d"][:][..., :2]).max() < 0.5
    assert dataset.texts["image"][16] == "S1/Seq1/imageSequence/video_4.avi#1"
    lsp = convert(dataset.extras["keypoints3d"][:1], "mpii3d28", "lsp14")
    assert lsp.valid.all() and "joints3d_h36m17" in dataset.manifest["missing_fields"]  # it has no H36M nose


def test_test_set(tmp_path, prepared, pinhole):
    points = fixture.write_test(tmp_path / "3dhp")
    dataset = prepared(READER, tmp_path / "3dhp", "test")
    assert dataset.manifest["left_out"] == {"not valid": 1} and dataset.texts["frame"][:].tolist() == [0, 1, 3, 4]
    assert dataset.texts["image"][2].endswith("TS6/imageSequence/img_000004.jpg")
    assert dataset.texts["action"][0] == "Sports"
    np.testing.assert_allclose(dataset.extras["keypoints3d"][:], points[[0, 1, 3, 4]], atol=1e-5)
    found = pinhole(np.asarray(dataset.extras["keypoints3d"]), np.asarray(dataset.arrays["K"]))
    assert np.abs(found - dataset.extras["keypoints2d"][:][..., :2]).max() < 0.5


def test_mistakes(tmp_path):
    fixture.write_train(tmp_path / "m", factor=1e6)
    with pytest.raises(PosebookError, match="millimetres"):
        prepare(READER, tmp_path / "m", "train", tmp_path / "out")
    fixture.write_test(tmp_path / "mirror", mirrored=True)
    with pytest.raises(PosebookError, match="mirrored picture"):
        prepare(READER, tmp_path / "mirror", "test", tmp_path / "out")
    path = tmp_path / "m" / "S1" / "Seq1" / "camera.calibration"
    path.write_text("\n".join(path.read_text().splitlines()[:30]))
    with pytest.raises(PosebookError, match="expected cameras"):
        prepare(READER, tmp_path / "m", "train", tmp_path / "out")
    path.unlink()
    assert "camera.calibration" in prepare(READER, tmp_path / "m", "train", tmp_path / "out").message
    test = tmp_path / "mirror" / "mpi_inf_3dhp_test_set" / "TS6" / "annot_data.mat"
    test.write_bytes(b"MATLAB 5.0")
    with pytest.raises(PosebookError, match="not an HDF5 file"):
        prepare(READER, tmp_path / "mirror", "test", tmp_path / "out")
