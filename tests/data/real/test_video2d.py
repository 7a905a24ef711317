"""The 2D video sets: PennAction, PoseTrack, InstaVariety, Kinetics."""

import fixtures_flat as fixture
import numpy as np
import pytest

from posebook.data.real import instavariety, kinetics, pennaction, posetrack
from posebook.data.real.prepare import prepare
from posebook.errors import PosebookError
from posebook.joint_atlas import convert


def limbs(dataset, joints):
    return convert(np.asarray(dataset.stored["keypoints2d"])[..., :2], joints, "lsp14").points[:, :12]


def test_pennaction(tmp_path, prepared):
    pixels = fixture.write_pennaction(tmp_path / "penn")
    dataset = prepared(pennaction.READER, tmp_path / "penn", "train")
    assert len(dataset) == 3 and dataset.manifest["left_out"] == {"no visible joint": 1}
    np.testing.assert_allclose(limbs(dataset, "penn13"), fixture.smpl_pixels()[:3, fixture.LIMBS], atol=1e-3)
    assert not dataset.stored["keypoints2d"][:, 0].any()  # heads are not visible
    assert dataset.texts["image"][0] == "Penn_Action/frames/0001/000001.jpg" and dataset.texts["frame"][0] == 0
    assert dataset.texts["action"][0] == "baseball_swing"
    box, whole = dataset.boxes[0], pixels[0]
    assert (whole.min(0) > box[:2]).all() and (whole.max(0) < box[:2] + box[2]).all()
    fixture.write_pennaction(tmp_path / "penn", boxes=2)
    assert prepared(pennaction.READER, tmp_path / "penn", "test").texts["sequence"][:].tolist() == ["0002"] * 2


@pytest.mark.parametrize("shuffle", [False, True])
def test_posetrack_reads_the_order_from_the_file(tmp_path, prepared, shuffle):
    pixels = fixture.write_posetrack(tmp_path / "pt", shuffle=shuffle)
    dataset = prepared(posetrack.READER, tmp_path / "pt", "val")
    assert np.unique(dataset.texts["sequence"]).tolist() == ["0001_video_0", "0001_video_1"]
    expected = pixels[:, :, fixture.LIMBS].reshape(-1, 12, 2)
    np.testing.assert_allclose(limbs(dataset, "posetrack17"), expected, atol=1e-3)
    assert dataset.texts["frame"][:].tolist() == [0, 1, 2, 3] * 2
    assert dataset.texts["image"][5] == "images/val/0001_video/000001.jpg"
    assert (dataset.boxes[4:, 2] > 50).all()  # drawn round the joints


def test_posetrack_with_another_skeleton(tmp_path):
    fixture.write_posetrack(tmp_path / "pt", names=["tail"] + fixture.POSETRACK[1:])
    with pytest.raises(PosebookError, match="do not name the keypoints nose"):
        prepare(posetrack.READER, tmp_path / "pt", "val", tmp_path / "out")


def test_instavariety(tmp_path, prepared):
    pixels = fixture.write_instavariety(tmp_path / "insta")
    dataset = prepared(instavariety.READER, tmp_path / "insta", "train")
    assert (
        len(dataset) == 8
        and dataset.texts["sequence"][4] == "video00001"
        and "image" in dataset.manifest["missing_fields"]
    )
    np.testing.assert_allclose(limbs(dataset, "openpose25"), pixels[:, fixture.LIMBS], atol=1e-3)
    seen = dataset.extras["keypoints2d"][0, 1:15, :2] * 224 / dataset.image_size
    np.testing.assert_allclose(seen, dataset.stored["keypoints2d"][0, 1:15, :2], atol=1e-3)
    assert not dataset[3].image.any() and not dataset[3].valid["image"]
    path = tmp_path / "insta" / "insta_train_db.h5"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(PosebookError, match="not an HDF5 file"):
        prepare(instavariety.READER, tmp_path / "insta", "train", tmp_path / "again")


def test_kinetics(tmp_path, prepared):
    points = fixture.write_kinetics(tmp_path / "kinetics")
    dataset = prepared(kinetics.READER, tmp_path / "kinetics", "train")
    np.testing.assert_allclose(dataset.stored["keypoints2d"], points, atol=1e-3)
    assert dataset[2].fps == 25 and abs(int(dataset[2].image.max()) - 40) < 6
    np.savez(tmp_path / "kinetics" / "b.npz", keypoints=points)
    with pytest.raises(PosebookError, match="b.npz: the fields box, frame, fps, video are missing"):
        prepare(kinetics.READER, tmp_path / "kinetics", "train", tmp_path / "out2")
