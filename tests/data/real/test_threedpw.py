"""3DPW: from pickles to samples, against numbers that the fixture knows."""

import shutil

import fixtures_threedpw as fixture
import numpy as np
import people
import pytest
from whole_sets import stand_in

from posebook.data.real.prepare import prepare
from posebook.data.real.threedpw import READER
from posebook.errors import PosebookError

KEPT = [f for f in range(fixture.FRAMES) if f != fixture.NO_CAMERA]


@pytest.fixture
def opened(tmp_path, prepared):
    stored = fixture.write(tmp_path / "3DPW")
    return stored, prepared(READER, tmp_path / "3DPW", "test")


def test_rows_and_texts(opened):
    _, dataset = opened
    assert len(dataset) == 2 * len(KEPT) and dataset.manifest["left_out"] == {"no valid camera": 2}
    assert dataset.texts["frame"][:7].tolist() == KEPT
    sample = dataset[8]
    assert sample.sequence == "downtown_walking_00_1" and sample.clip == "downtown_walking_00" and sample.fps == 30
    assert dataset.texts["gender"][0] == "male" and dataset.texts["gender"][8] == "female"
    assert sample.valid["joints3d"] and not sample.valid["joints3d_h36m17"] and not sample.valid["depth"]
    assert not dataset.arrays["depth"][3].any() and len(np.unique(dataset.texts["sequence"])) == 2


def test_projected_joints_meet_detections(opened, pinhole):
    """3D joints with the stored camera, in crop pixels, against what the fixture detected in the whole picture."""
    stored, dataset = opened
    found = pinhole(np.asarray(dataset.arrays["joints3d"]), np.asarray(dataset.arrays["K"]))
    labels = np.asarray(dataset.extras["keypoints2d"])
    for k, j in enumerate(fixture.OPENPOSE):
        seen = labels[:, k, 2] > 0
        if j >= 0:
            assert np.abs(found[seen, j] - labels[seen, k, :2]).max() < 0.05
    assert (labels[:, 1, 2] > 0).sum() == 2 * (len(KEPT) - 2)  # two frames without detections
    np.testing.assert_allclose(dataset.arrays["joints2d"], found, atol=0.01)
    whole = people.pinhole(np.asarray(dataset.arrays["joints3d"][3]), fixture.K)
    assert np.abs(whole[12] - stored["poses2d"][0][3, :2, 1]).max() < 0.05


def test_parameters_land_in_the_camera_frame(opened):
    """The fixture's own forward kinematics with the camera-frame parameters gives the camera-frame joints."""
    _, dataset = opened
    poses = np.concatenate([dataset.arrays["global_orient"], dataset.arrays["body_pose"]], 1)
    posed = people.forward(poses.astype(float), np.asarray(dataset.arrays["transl"], float))
    np.testing.assert_allclose(posed, dataset.arrays["joints3d"], atol=1e-5)


def test_crops(opened):
    _, dataset = opened
    image = dataset.arrays["image"]
    assert image.shape == (len(dataset), dataset.image_size, dataset.image_size, 3)
    assert image[2].dtype == np.uint8 and image[[0, 3]].shape[0] == 2 and image[1:3, ::2].shape[1] == image.shape[1] / 2
    box = dataset.boxes[0]
    inside = dataset.arrays["joints2d"][0]
    assert box[2] == box[3] and (inside > 0).all() and (inside < dataset.image_size).all()
    shutil.rmtree(dataset.manifest["source"] + "/imageFiles")
    with pytest.raises(PosebookError, match="image_00000.jpg of row 0 is missing"):
        image[0]


def change(root, **changed):
    fixture.save(root, "test", fixture.write(root, pictures=False) | changed)
    return root


def refused(root, tmp_path, message):
    with pytest.raises(PosebookError, match=message):
        prepare(READER, root, "test", tmp_path / "bad")
    assert not (tmp_path / "bad").exists()


def test_mixed_up_files_are_named(tmp_path):
    root = tmp_path / "3DPW"
    stored = fixture.write(root, pictures=False)
    mm = {n: [1000 * v for v in stored[n]] for n in ("jointPositions", "trans")}
    refused(change(root, **mm), tmp_path, "millimetres")
    refused(change(root, jointPositions=[1000 * v for v in stored["jointPositions"]]), tmp_path, "joint 0 minus trans")
    mirrored = [v * [[-1.0], [1], [1]] for v in stored["poses2d"]]
    for v in mirrored:
        v[:, 0] += 1080 * (v[:, 2] > 0)
    refused(change(root, poses2d=mirrored), tmp_path, "mirrored picture")
    camera = stored["cam_poses"] * np.array([[-1.0], [1], [1], [1]])
    refused(change(root, cam_poses=camera), tmp_path, "determinant -1")
    flip = [0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20, 23, 22]
    exchanged = [v.reshape(-1, 24, 3)[:, flip].reshape(-1, 72) for v in stored["jointPositions"]]
    refused(change(root, jointPositions=exchanged), tmp_path, "knees bend backwards")


def test_a_missing_field_is_named(tmp_path):
    root = tmp_path / "3DPW"
    stored = fixture.write(root, pictures=False)
    del stored["campose_valid"]
    fixture.save(root, "test", stored)
    refused(root, tmp_path, "downtown_walking_00.pkl: the fields campose_valid are missing")


def test_scored_joints_are_regressed_with_the_users_models(tmp_path, prepared, monkeypatch):
    """A stand-in for SMPL and its regressor that poses the fixture's skeleton; the rows have the left leg first."""
    stand_in(tmp_path / "models", monkeypatch)
    fixture.write(tmp_path / "3DPW", pictures=False)
    dataset = prepared(READER, tmp_path / "3DPW", "test")
    R, t = people.camera_y_up()
    expected = people.h36m17(people.person(fixture.FRAMES, 1).joints) @ R.T + t
    np.testing.assert_allclose(dataset.arrays["joints3d_h36m17"][7:], expected[KEPT], atol=1e-4)
    assert "joints3d_h36m17" not in dataset.manifest["missing_fields"]
