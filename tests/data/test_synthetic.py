"""Samples against smplx, the regressors, the camera rules and the split."""

import numpy as np
import pytest
import torch

from posebook.body import load_assets, load_body
from posebook.data import open_dataset
from posebook.data.camera import project
from posebook.data.synthetic import Pool, draw_views
from posebook.errors import PosebookError
from posebook.profile import smoke
from posebook.splits import membership


@pytest.fixture(scope="module")
def test_set(body_cache):
    return open_dataset("procedural", "test", smoke())


@pytest.fixture(scope="module")
def train_set(body_cache):
    return open_dataset("procedural", "train", smoke())


def test_smplx_with_the_sample_parameters_lands_in_the_camera_frame(test_set):
    body, regressor = load_body("free", level="full"), torch.tensor(np.array(load_assets("full").regressors["h36m17"]))
    for i in (0, 13, len(test_set) - 1):
        s = test_set[i]
        inputs = {k: torch.tensor(getattr(s, k))[None] for k in ("global_orient", "body_pose", "betas", "transl")}
        out = body(**inputs)
        np.testing.assert_allclose(out.joints[0, :24].detach().numpy(), s.joints3d, atol=1e-4)
        joints = (regressor @ out.vertices[0]).detach().numpy()
        np.testing.assert_allclose(joints, s.joints3d_h36m17, atol=1e-4)
        np.testing.assert_allclose(project(s.joints3d, s.K), s.joints2d, atol=1e-2)
        np.testing.assert_allclose(project(s.joints3d_h36m17, s.K), s.joints2d_h36m17, atol=1e-2)


def test_mask_parts_and_depth_agree_with_the_joints(test_set):
    body = load_body("free", level="coarse")
    for i in (3, 20):
        s = test_set[i]
        assert np.array_equal(s.mask, s.parts > 0) and np.array_equal(s.mask, s.depth > 0)
        inputs = {k: torch.tensor(getattr(s, k))[None] for k in ("global_orient", "body_pose", "betas", "transl")}
        vertices = body(**inputs).vertices[0].detach().numpy()
        assert vertices[:, 2].min() - 0.01 < s.depth[s.mask].min() and s.depth.max() < vertices[:, 2].max() + 0.01
        pixels = project(vertices, s.K)
        columns = np.flatnonzero(s.mask.any(0))
        assert abs(columns.min() - pixels[:, 0].min()) < 1.5 and abs(columns.max() + 1 - pixels[:, 0].max()) < 1.5


def test_camera_rules(test_set, train_set):
    for dataset in (test_set, train_set):
        pelvis = np.asarray(dataset.arrays["joints3d"])[:, 0]
        angle = np.degrees(np.arccos(pelvis[:, 2] / np.linalg.norm(pelvis, axis=1)))
        assert angle.max() <= 3.0 + 1e-3  # the axis points at the person
    distance = np.linalg.norm(np.asarray(train_set.arrays["joints3d"])[:, 0], axis=1)
    assert 3.0 - 1e-3 <= distance.min() and distance.max() <= 6.0 + 1e-3
    low, high = train_set.manifest["azimuth_reached_degrees"]
    assert -70 <= low < -40 and 40 < high <= 70  # stills: as drawn, relative to the heading


def test_sequences_are_contiguous_and_of_one_person(test_set):
    texts = test_set.texts
    for name in np.unique(texts["sequence"]):
        rows = texts["sequence"] == name
        assert len(set(texts["subject"][rows])) == 1 and np.array_equal(
            np.diff(texts["frame"][rows]), np.ones(rows.sum() - 1)
        )
        step = np.linalg.norm(np.diff(np.asarray(test_set.arrays["joints3d"])[rows][:, 0], axis=0), axis=1)
        assert step.max() < 0.3  # metres in 1/30 s


def test_no_subject_clip_or_scene_is_in_two_splits(test_set, train_set):
    assert not set(test_set.texts["subject"]) & set(train_set.texts["subject"])
    assert not set(test_set.texts["clip"]) & set(train_set.texts["clip"])
    assert not set(test_set.manifest["backgrounds"]) & set(train_set.manifest["backgrounds"])
    assert {membership("background", b) for b in test_set.manifest["backgrounds"]} == {"test"}
    people = {membership("subject", s) for s in test_set.manifest["subjects"]}
    assert people == {"test"} and {membership("subject", s) for s in train_set.manifest["subjects"]} == {"train"}


def test_left_and_right_are_the_subjects_own(train_set):
    """A person who faces the camera has the left side on the picture's right."""
    facing = np.asarray(train_set.arrays["global_orient"])
    joints = np.asarray(train_set.arrays["joints2d"])
    azimuth = np.array([abs(a) for a in azimuths(facing)])
    frontal = azimuth < 30
    assert frontal.sum() > 5
    assert (joints[frontal, 1, 0] > joints[frontal, 2, 0]).mean() > 0.95  # left hip right of right hip


def azimuths(global_orient):
    matrix = torch.linalg.matrix_exp(torch.stack([skew(torch.tensor(v)) for v in global_orient]))
    facing = matrix[:, :, 2].numpy()
    return np.degrees(np.arctan2(facing[:, 0], -facing[:, 2]))


def skew(v):
    return torch.tensor([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])


def test_reached_azimuth_is_where_the_camera_stands(train_set):
    """Independent of the manifest: camera centre in the body's own heading frame, from the sample's parameters."""
    low, high = train_set.manifest["azimuth_reached_degrees"]
    upright = np.array([s for s in range(len(train_set)) if train_set.texts["action"][s] == "walk"])
    seen = azimuths(np.asarray(train_set.arrays["global_orient"])[upright])
    assert len(upright) >= 4 and low - 12 < seen.min() and seen.max() < high + 12  # a walking pelvis hardly tilts


def test_a_field_that_a_dataset_lacks_is_not_valid(train_set, monkeypatch):
    assert all(train_set[0].valid.values())
    monkeypatch.setitem(train_set.manifest, "missing_fields", ["betas"])
    assert not train_set[0].valid["betas"] and train_set[0].valid["image"]


def test_a_split_without_clips_is_one_error():
    with pytest.raises(PosebookError, match="at least 32 frames"):
        draw_views(["x-test-sequences-000000"], Pool([1], [1], []), 32, smoke().data)
