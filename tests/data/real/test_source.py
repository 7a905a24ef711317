"""Real datasets in the place of rendered people: splits, crops, labels and what `open_dataset` hands to chapters."""

import numpy as np
import people
import pytest
import whole_sets
from typer.testing import CliRunner

from posebook.cli import app
from posebook.data import open_dataset
from posebook.data.batches import Batches
from posebook.data.body_batches import BodyBatches
from posebook.data.halves import open_disjoint_stills, open_motion_half, open_picture_half
from posebook.data.real import open_real
from posebook.data.real.chapters import check_chapter, lacking
from posebook.data.real.labels import head_for_nose, pelvis_orient
from posebook.data.real.recipe import thinned
from posebook.data.real.source import training_poses
from posebook.data.real.whole import open_whole
from posebook.data.shards import open_shards
from posebook.errors import PosebookError
from posebook.experiments.lifting_sets import open_setting
from posebook.joint_atlas import atlas_set
from posebook.profile import smoke


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POSEBOOK_CACHE", str(tmp_path / "cache"))
    return tmp_path


def opened(name, splits=("train", "val", "test")):
    return [open_dataset(name, split, smoke(), workers=1) for split in splits]


def test_3dpw_keeps_its_splits_and_labels(cache, monkeypatch, pinhole):
    whole_sets.make_3dpw(cache / "3DPW", monkeypatch, frames=8)
    train, val, test = opened("3dpw")
    assert {clip for clip in train.texts["clip"]} == {"a_00", "b_00"} and set(val.texts["clip"]) == {"c_00"}
    assert (
        len(test) == 14 and set(test.texts["subject"]) == {"d_00_0", "d_00_1"} and set(test.texts["action"]) == {"all"}
    )
    assert "3DPW test, from its split test: 14 images" in test.describe() and test.manifest["missing_fields"] == [
        "parts", "depth", "mask"]  # fmt: skip
    real = open_real("3dpw", "test", smoke())
    for field in ("image", "K", "joints3d", "joints2d_h36m17", "betas", "global_orient"):
        np.testing.assert_array_equal(test.arrays[field], real.arrays[field][:])
    sample = test[3]
    assert sample.image.shape == (64, 64, 3) and sample.valid["joints3d_h36m17"] and not sample.valid["parts"]
    found = pinhole(np.array(test.arrays["joints3d_h36m17"]), np.array(test.arrays["K"]))
    assert np.abs(found - test.arrays["joints2d_h36m17"]).max() < 0.05  # pixels of the crop
    assert Batches(test).get(slice(0, 3)).pixels.shape == (3, 17, 2)
    with pytest.raises(PosebookError, match="3dpw test has no parts, which fitting a body needs"):
        BodyBatches(test)


def test_validation_and_halves_share_nobody(cache, monkeypatch):
    whole_sets.make_human36m(cache / "h36m", monkeypatch, frames=4)
    train, val, test = opened("human36m_json")
    people_in = [set(d.texts["subject"].tolist()) for d in (train, val, test)]
    assert [len(p) for p in people_in] == [4, 1, 2] and people_in[2] == {"S9", "S11"}
    assert people_in[0] | people_in[1] == {"S1", "S5", "S6", "S7", "S8"}
    bag, pictures = (open_disjoint_stills("human36m_json", half, 96, smoke()) for half in ("motion", "pictures"))
    for name in ("subject", "clip"):
        assert not set(bag.texts[name]) & set(pictures.texts[name])
    assert set(bag.texts["subject"]) | set(pictures.texts["subject"]) == people_in[0] and len(bag) + len(pictures) == 32
    few = open_disjoint_stills("human36m_json", "motion", 8, smoke())
    assert len(few) == 8 and set(few.texts["sample_id"]) < set(bag.texts["sample_id"])
    assert few.manifest["data_version"] != bag.manifest["data_version"]
    setting = open_setting("human36m_json", smoke(), test)
    assert len(setting.bag.poses) == len(bag) and setting.datasets[1].describe() == pictures.describe()


def test_3dhp_has_the_17_joints_but_for_the_nose(cache, monkeypatch, pinhole):
    whole_sets.make_3dhp(cache / "3dhp", monkeypatch, frames=2)  # fewer than a clip has: none is left out
    train, _, test = opened("mpi_inf_3dhp")
    real = open_real("mpi_inf_3dhp", "test", smoke())
    own, points = atlas_set("mpii3d17"), real.extras["keypoints3d"][:]
    h36m = atlas_set("h36m17")
    for place, joint in (
        ("nose", "head"),
        ("torso", "spine"),
        ("left_wrist", "left_wrist"),
        ("right_hip", "right_hip"),
    ):
        np.testing.assert_allclose(test.arrays["joints3d_h36m17"][:, h36m.index(place)], points[:, own.index(joint)])
    for dataset in (train, test):
        found = pinhole(np.array(dataset.arrays["joints3d_h36m17"]), np.array(dataset.arrays["K"]))
        assert np.abs(found - dataset.arrays["joints2d_h36m17"]).max() < 0.05
        assert "the head stands for Human3.6M's nose; orientation from hips and spine" in dataset.describe()
    assert train.arrays["image"].max() > 0  # frames of the videos


def test_orientation_from_joints_is_that_of_the_pelvis():
    """A skeleton without bends: its 17 joints turned by R have the orientation R."""
    rest = people.h36m17(people.forward(np.zeros((1, 72)), np.zeros((1, 3))))[0]
    rest[7, 0], rest[7, 2] = rest[0, 0], rest[0, 2]  # the spine straight above the pelvis
    turns = people.Rotation.from_rotvec([[0.1, 0.2, 0.3], [3.0, 0.1, 0], [0, 1.5, 0]])
    posed = np.einsum("nij,kj->nki", turns.as_matrix(), rest)
    found = people.Rotation.from_rotvec(pelvis_orient(posed))
    assert (found * turns.inv()).magnitude().max() < 0.02


def test_the_28_and_the_17_joints_of_3dhp_agree():
    points = np.random.default_rng(0).normal(size=(2, 28, 3))
    of17 = points[:, [7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6]]
    np.testing.assert_array_equal(head_for_nose(points, "mpii3d28"), head_for_nose(of17, "mpii3d17"))
    np.testing.assert_array_equal(head_for_nose(points, "mpii3d28")[:, 9], points[:, 6])


def test_thinning():
    assert thinned(np.arange(10), 10).tolist() == thinned(np.arange(10), 99).tolist() == list(range(10))
    assert thinned(np.arange(0, 20, 2), 4).tolist() == [0, 6, 12, 18]


def test_sequences_are_clips_without_gaps(cache, monkeypatch):
    """3DPW's fixture has no camera in frame 5 of 24: of the runs 0..4 and 6..23 two clips of 8 frames are left."""
    whole_sets.make_3dpw(cache / "3DPW", monkeypatch, frames=24)
    test = open_dataset("3dpw", "test", smoke(), workers=1)
    assert len(test) == 2 * 16 and set(test.texts["sequence"]) == {"d_00_0", "d_00_1"}
    assert test.texts["frame"][:16].tolist() == list(range(7, 23))
    clips = open_motion_half("3dpw", smoke())  # windows of 6 frames: one scene of the two, both of its people
    assert len(clips) % smoke().temporal.window == 0 and len(set(clips.texts["clip"])) == 1
    stills, rows = open_picture_half("3dpw", smoke())
    assert set(stills.texts["clip"][rows]) == {"a_00", "b_00"} - set(clips.texts["clip"])
    poses = training_poses("3dpw", 6)
    assert [len(p) for p in poses] == [18] * 4
    person = people.person(24, 0)
    np.testing.assert_allclose(poses[0], person.poses[6:, 3:], atol=1e-6)


def test_rows_without_a_fit_are_left_out_where_the_others_have_bodies(tmp_path, own_cache, monkeypatch):
    """Human3.6M's JSON form has no fit of the last frame; with your SMPL files its bodies are complete."""
    own_cache("body")
    whole_sets.make_bodies(tmp_path / "models", monkeypatch)
    whole_sets.make_human36m(tmp_path / "h36m", monkeypatch, frames=4, fits=True)
    assert not lacking("02", "human36m_json") and not lacking("03", "human36m_json")
    test = open_dataset("human36m_json", "test", smoke(), workers=1)
    assert len(test) == 2 * 2 * 3 and 3 not in test.texts["frame"] and test.manifest["missing_fields"] == ["depth"]
    root = np.asarray(test.arrays["joints3d"])[:, 0]
    hips = np.asarray(test.arrays["joints3d_h36m17"])[:, 0]
    assert np.abs(root - hips).max() < 0.02  # the fit stands where the joints are


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_shards_hold_every_frame_of_the_chapters_splits(cache, monkeypatch, split):
    whole_sets.make_human36m(cache / "h36m", monkeypatch, frames=20)
    thin = open_dataset("human36m_json", split, smoke(), workers=1)
    whole = open_whole("human36m_json", split, smoke())
    own = open_real("human36m_json", "test" if split == "test" else "train", smoke())
    people_in = {"train": 4, "val": 1, "test": 2}[split]
    assert len(whole) == people_in * 2 * 20 and len(thin) < len(whole) <= len(own) and len(thin) <= 96
    assert set(thin.texts["subject"]) == set(whole.texts["subject"]) and set(whole.texts["sample_id"]) >= set(
        thin.texts["sample_id"]
    )
    monkeypatch.delenv("POSEBOOK_PROFILE", raising=False)
    given = ["shards", "human36m_json", "--split", split, "--profile", "smoke", "--out", str(cache / "shards")]
    said = CliRunner().invoke(app, given, catch_exceptions=False)
    assert said.exit_code == 0 and f"{len(whole)} pictures in 1 shards" in said.stdout
    shards = open_shards(cache / "shards")
    row = int(np.flatnonzero(np.asarray(whole.texts["sample_id"]) == thin.texts["sample_id"][5])[0])
    for field in ("image", "joints3d_h36m17", "joints2d_h36m17", "K"):
        np.testing.assert_array_equal(np.asarray(shards.arrays[field][row]), thin.arrays[field][5])
    assert shards.manifest["missing_fields"] == thin.manifest["missing_fields"]
    assert shards.manifest["data_version"] != thin.manifest["data_version"]


def test_help_says_which_frames_shards_and_trainings_take():
    help_of = {
        name: CliRunner().invoke(app, [name, "--help"], terminal_width=200).stdout for name in ("shards", "train")
    }
    assert "every frame of the split" in " ".join(help_of["shards"].split())
    assert "thinned out" in " ".join(help_of["train"].split())


def test_unknown_splits_are_refused():
    with pytest.raises(PosebookError, match="Unknown split 'validation': expected one of train, val, test"):
        open_whole("3dpw", "validation", smoke())


def test_one_sentence_where_labels_are_missing(cache, monkeypatch):
    whole_sets.make_3dpw(cache / "3DPW", monkeypatch, scored=False, frames=6)
    with pytest.raises(PosebookError) as refused:
        check_chapter("01", "3dpw")
    text = str(refused.value)
    assert "Chapter 01 needs image, K, joints2d_h36m17, joints3d_h36m17, but 3DPW as prepared has no" in text
    assert "convert your SMPL files" in text and text.endswith("sets here that have them: procedural and cmu.")
    whole_sets.make_human36m(cache / "h36m", monkeypatch, frames=2)
    check_chapter("01", "human36m_json")
    with pytest.raises(PosebookError, match="that have them: procedural and cmu, human36m_json"):
        check_chapter("05", "3dpw")
    assert lacking("02", "human36m_json") == ["parts", "joints2d", "joints3d", "betas", "body_pose"]
    with pytest.raises(PosebookError, match="Human3.6M.*is not prepared"):
        check_chapter("01", "human36m")
    with pytest.raises(PosebookError, match="Unknown motion or dataset 'dance'"):
        open_dataset("dance")


def test_one_person_cannot_be_cut_in_two(cache, monkeypatch):
    monkeypatch.setattr(whole_sets.human36m_json, "SUBJECTS", {"train": (1,), "test": (9, 11)})
    whole_sets.make_human36m(cache / "h36m", monkeypatch, frames=2)
    assert len(open_dataset("human36m_json", "train", smoke())) == 4
    with pytest.raises(PosebookError, match="two people or scenes at least"):
        open_dataset("human36m_json", "val", smoke())
    with pytest.raises(PosebookError, match="two are needed"):
        open_disjoint_stills("human36m_json", "motion", 8, smoke())
