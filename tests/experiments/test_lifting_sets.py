"""Chapter 5's sets: nobody in common, seen from all round, poses as no crop had been made, depths that lift exactly."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from posebook.data import open_dataset
from posebook.data.halves import open_disjoint_stills
from posebook.experiments import lifting_sets
from posebook.experiments.lifting_sets import (
    constant_depth,
    facing,
    hand_setting,
    mean_depth,
    open_mismatch,
    open_setting,
    rays_of,
    seen_from,
    to_unit,
    true_depth,
    zoom_of,
)
from posebook.metrics import n_mpjpe, pa_mpjpe
from posebook.models.selfsup import BODY17, check_prior
from posebook.profile import smoke


@pytest.fixture(scope="module")
def sizes():
    made = smoke()
    return replace(made, lifting=replace(made.lifting, stills=48))


@pytest.fixture(scope="module")
def test_set(body_cache):
    return open_dataset("procedural", "test", smoke())


@pytest.fixture(scope="module")
def setting(sizes, test_set):
    return open_setting("procedural", sizes, test_set)


def test_bag_and_pictures_have_no_clip_and_nobody_in_common(setting):
    for name in ("clip", "subject"):
        bag, pictures = (set(d.texts[name]) for d in setting.datasets[:2])
        assert bag and pictures and not bag & pictures


def test_people_are_seen_from_all_round_whatever_the_benchmark_does(setting, sizes):
    assert sizes.data.azimuth < 90
    assert all(facing(d).max() > 120 for d in setting.datasets[:2])
    assert facing(setting.datasets[2]).max() < 120  # the clip's heading, from which a pelvis may turn a little
    near = seen_from(setting, 60.0)
    assert 0 < len(near) < 48 and (facing(setting.datasets[1])[near] <= 60).all()
    assert len(seen_from(setting, 180.0)) == 48


def test_rays_are_x_over_z_of_the_camera(setting):
    dataset = setting.datasets[1]
    joints = np.array(dataset.arrays["joints3d_h36m17"])
    expected = joints[..., :2] / joints[..., 2:]
    found = rays_of(dataset, BODY17).numpy()
    np.testing.assert_allclose(found - found[:, :1], expected - expected[:, :1], atol=1e-5)


def test_crops_of_any_zoom_give_the_same_pose(setting):
    """The same people cropped twice as wide: units of the crop shrink, poses over the zoom stay."""
    dataset = setting.datasets[1]
    size, pixels = dataset.manifest["image_size"], lifting_sets.pixels_of(dataset, BODY17)
    unit = to_unit(pixels, size) / zoom_of(dataset, size)[:, None, None]
    rays = rays_of(dataset, BODY17)
    torch.testing.assert_close(unit - unit[:, :1], rays - rays[:, :1], atol=1e-6, rtol=0)
    corners = to_unit(torch.tensor([0.5, size - 0.5]), size)  # centres of the first and the last pixel
    torch.testing.assert_close(corners, torch.tensor([-1.0, 1.0]))


def test_true_depths_lift_to_the_true_pose(setting):
    points = torch.from_numpy(true_depth(setting))
    assert n_mpjpe(points, setting.test.joints) < 12  # the lifter's camera looks at the root, the true one past it
    assert pa_mpjpe(points, setting.test.joints) < 10


def test_baselines_are_what_they_say(setting):
    flat = constant_depth(setting)
    assert np.abs(flat[..., 2]).max() < 1e-5 and flat.shape == setting.test.joints.shape
    near, round_ = (n_mpjpe(torch.from_numpy(mean_depth(setting, a)), setting.test.joints) for a in (70.0, 180.0))
    assert near < round_  # fronts and backs cancel each other
    with_truth = replace(setting, train=setting.test._replace(depth=setting.test.depth[:1]))
    one = torch.from_numpy(mean_depth(with_truth))[:1]
    torch.testing.assert_close(one, torch.from_numpy(true_depth(setting))[:1])


def test_scale_is_the_bags_and_bones_are_measured(setting):
    distance = setting.bag.poses[:, setting.structure.far_joint].norm(dim=-1).mean()
    assert distance == pytest.approx(0.1, abs=1e-5)
    assert sum(setting.structure.bone_means) == pytest.approx(16, rel=1e-4)
    check_prior(setting.bag.poses, setting.structure)


def test_hands_are_split_by_person_and_pose(few_hands):
    setting = hand_setting(*few_hands)
    bag, pictures, _ = setting.datasets
    for name in ("subject", "clip"):
        assert not set(bag.texts[name]) & set(pictures.texts[name])
    assert len(bag) + len(pictures) <= 12 and setting.bag.poses.shape[1:] == (21, 2)
    assert len(set(setting.versions)) == 3
    found = n_mpjpe(torch.from_numpy(true_depth(setting)), setting.test.joints)
    assert found < 0.3 * n_mpjpe(torch.from_numpy(constant_depth(setting)), setting.test.joints)


def test_another_motion_source_that_is_not_there_is_left_out_with_the_command(tmp_path, monkeypatch, sizes, test_set):
    monkeypatch.setenv("POSEBOOK_CACHE", str(tmp_path))
    found = open_mismatch("procedural", "cmu", sizes, test_set)
    assert not found.settings and "left out" in found.left_out and "data_download/cmu_mocap.py" in found.left_out


def test_a_mismatched_bag_comes_from_the_other_source_and_scales_all_sets(monkeypatch, sizes, test_set):
    """The other source stands in for CMU: which halves are opened, and that its bag sets scale and bones."""
    asked = []

    def record(motion, half, count, profile):
        asked.append((motion, half))
        stand_in = replace(profile, data=replace(profile.data, seed=2)) if motion == "cmu" else profile
        return open_disjoint_stills("procedural", half, count, stand_in)

    monkeypatch.setattr(lifting_sets, "open_disjoint_stills", record)
    monkeypatch.setattr(lifting_sets, "list_clips", lambda motion: [])
    monkeypatch.setattr(lifting_sets, "open_dataset", lambda *_: test_set)
    found = open_mismatch("procedural", "cmu", sizes, test_set)
    assert asked == [("cmu", "motion"), ("procedural", "pictures"), ("cmu", "motion"), ("cmu", "pictures"),
                     ("procedural", "motion"), ("cmu", "pictures")]  # fmt: skip
    here, own, back = found.settings.values()
    assert list(found.settings) == ["lifter, prior of cmu motion", "cmu, lifter", "cmu, prior of procedural motion"]
    assert here.versions[0] == own.versions[0] != back.versions[0] and here.versions[1] != own.versions[1]
    assert here.scale == own.scale != back.scale
