"""Human3.6M in both forms."""

import json

import fixtures_human36m as fixture
import numpy as np
import people
import pytest

from posebook.data.batches import Batches
from posebook.data.real import human36m, human36m_json
from posebook.data.real.checks import h36m17_order
from posebook.data.real.geometry import project_lens
from posebook.data.real.prepare import prepare
from posebook.errors import PosebookError


@pytest.mark.parametrize("metadata", [False, True])
def test_archives(tmp_path, prepared, metadata):
    camera = fixture.write_archives(tmp_path / "h36m", metadata=metadata)
    dataset = prepared(human36m.READER, tmp_path / "h36m", "test")
    assert len(dataset) == fixture.FRAMES and dataset.texts["action"][0] == "Directions" and dataset[0].fps == 50
    np.testing.assert_allclose(dataset.arrays["joints3d_h36m17"], camera, atol=1e-5)
    assert h36m17_order(np.asarray(dataset.arrays["joints3d_h36m17"])) == "h36m17"
    # the stored camera with its lens, in pixels of the crop, against the 2D labels
    box, size = dataset.boxes[0], dataset.image_size
    whole = dataset.stored["K"][0]
    for i in range(len(dataset)):
        seen = project_lens(dataset.extras["keypoints3d"][i].astype(float), whole, dataset.extras["distortion"][i])
        label = dataset.stored["keypoints2d"][i, :, :2]
        assert np.abs(seen - label).max() < 0.01
    pinhole = people.pinhole(camera[0], whole)
    assert 0.05 < np.abs(pinhole - dataset.stored["joints2d_h36m17"][0]).max() < 3  # the lens is seen
    in_crop = (dataset.stored["joints2d_h36m17"][0] - box[:2]) * size / box[2]
    np.testing.assert_allclose(dataset.arrays["joints2d_h36m17"][0], in_crop, atol=1e-3)
    image = dataset.arrays["image"]  # frames of a video: forwards, again, and back; grey of level 20 k
    assert [abs(int(image[k].max()) - 20 * k) < 6 for k in (3, 4, 4, 1)] == [True] * 4
    assert not dataset[0].valid["global_orient"] and dataset[0].valid["joints2d_h36m17"]


def test_wrong_order_of_tangential_terms_is_visible():
    """The spec's trap: exchanging p1 and p2 moves points by tenths of a pixel."""
    points = fixture.world() @ people.camera_z_up()[0].T + people.camera_z_up()[1] + [0.6, 0.6, -1.5]
    right = np.array(human36m.CAMERAS["54138969"][4:])
    assert np.abs(project_lens(points, fixture.K, right) - fixture.lens(points)).max() < 1e-9
    wrong = right[[0, 1, 2, 4, 3]]
    assert 0.05 < np.abs(project_lens(points, fixture.K, wrong) - fixture.lens(points)).max() < 2


def test_archives_with_mistakes(tmp_path):
    fixture.write_archives(tmp_path / "m", factor=1.0)
    with pytest.raises(PosebookError, match="expected metres; the bone from left_hip"):
        prepare(human36m.READER, tmp_path / "m", "test", tmp_path / "out")
    fixture.write_archives(tmp_path / "h36m")
    (tmp_path / "h36m/S9/MyPoseFeatures/D2_Positions/Directions 1.54138969.cdf").unlink()
    outcome = prepare(human36m.READER, tmp_path / "h36m", "test", tmp_path / "out")
    assert outcome.state == "missing" and "D2_Positions" in outcome.message and "vision.imar.ro" in outcome.message
    fixture.write_archives(tmp_path / "cut")
    path = tmp_path / "cut/S9/MyPoseFeatures/D3_Positions_mono/Directions 1.54138969.cdf"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(PosebookError, match="not a whole CDF"):
        prepare(human36m.READER, tmp_path / "cut", "test", tmp_path / "out")


def test_json_form(tmp_path, prepared, pinhole, monkeypatch):
    fixture.write_json(tmp_path / "h36m")
    dataset = prepared(human36m_json.READER, tmp_path / "h36m", "test")
    assert len(dataset) == 2 * 2 * fixture.FRAMES and dataset.texts["camera"][:7].tolist() == ["1"] * 6 + ["4"]
    assert dataset.texts["frame"][0] == 0 and dataset.texts["image"][0].endswith("_000001.jpg")
    R, t = people.camera_z_up()
    np.testing.assert_allclose(dataset.arrays["joints3d_h36m17"][:6], fixture.world(9) @ R.T + t, atol=1e-5)
    found = pinhole(np.asarray(dataset.arrays["joints3d_h36m17"]), np.asarray(dataset.arrays["K"]))
    assert np.abs(found - np.asarray(dataset.arrays["joints2d_h36m17"])).max() < 0.05
    assert (found > 0).all() and (found < dataset.image_size).all()  # boxes and projections belong together
    batch = Batches(dataset).get(np.array([0, 7]))  # what chapters train on
    assert batch.image.shape == (2, 3, dataset.image_size, dataset.image_size) and batch.pixels.shape == (2, 17, 2)
    np.testing.assert_allclose(batch.pixels.numpy(), found[[0, 7]], atol=0.05)
    assert dataset.arrays["image"][3].max() <= 5 and not dataset[0].valid["transl"]
    assert dataset[0].valid["betas"] and not dataset[5].valid["betas"]  # the last frame has no fit


def test_json_fits_land_on_the_camera(tmp_path, prepared, monkeypatch):
    """With J0 known, the camera-frame parameters pose the fixture's skeleton into the camera frame."""
    monkeypatch.setattr(human36m_json, "rest_pelvis", lambda betas: np.tile(people.REST[0], (len(betas), 1)))
    fixture.write_json(tmp_path / "h36m")
    dataset = prepared(human36m_json.READER, tmp_path / "h36m", "test")
    poses = np.concatenate([dataset.arrays["global_orient"], dataset.arrays["body_pose"]], 1)[:5].astype(float)
    posed = people.forward(poses, np.asarray(dataset.arrays["transl"][:5], float))
    R, t = people.camera_z_up()
    expected = people.person(fixture.FRAMES, 9).joints[:5] @ people.Z_TO_Y @ R.T + t
    np.testing.assert_allclose(posed, expected, atol=1e-5)


def test_json_form_with_mistakes(tmp_path):
    fixture.write_json(tmp_path / "left", left_first=True)
    with pytest.raises(PosebookError, match="These are joints in the order h36m17_left_first"):
        prepare(human36m_json.READER, tmp_path / "left", "test", tmp_path / "out")
    fixture.write_json(tmp_path / "h36m", fits=False)
    path = tmp_path / "h36m" / "annotations" / "Human36M_subject9_data.json"
    stored = json.loads(path.read_text())
    del stored["images"][3]["frame_idx"]
    path.write_text(json.dumps(stored))
    with pytest.raises(PosebookError, match=r"subject9_data.json, an image: the fields frame_idx are missing"):
        prepare(human36m_json.READER, tmp_path / "h36m", "test", tmp_path / "out")
    path.write_text(json.dumps({"images": []}))
    with pytest.raises(PosebookError, match="the fields annotations are missing"):
        prepare(human36m_json.READER, tmp_path / "h36m", "test", tmp_path / "out")
    fixture.dump(tmp_path / "h36m", 9, "camera", {"1": {}})
    with pytest.raises(PosebookError, match="subject9_camera.json: the fields 2, 3, 4 are missing"):
        prepare(human36m_json.READER, tmp_path / "h36m", "test", tmp_path / "out")
    path.unlink()
    assert "subject9_data.json" in prepare(human36m_json.READER, tmp_path / "h36m", "test", tmp_path / "out").message
