"""Chapter 5's lifters: sets with nobody in common, true depths that lift exactly, variants that learn and are kept."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from posebook.data import open_dataset
from posebook.data.halves import open_disjoint_stills
from posebook.experiments import lifting
from posebook.experiments.lifting import METRE, constant_depth, mean_depth, open_setting, train_variant, variants
from posebook.metrics import n_mpjpe, pa_mpjpe
from posebook.models.selfsup import lift
from posebook.profile import smoke


@pytest.fixture(scope="module")
def sizes():
    made = smoke()
    return replace(made, lifting=replace(made.lifting, stills=48, prior_poses=64, poses_seen=64, batch=32))


@pytest.fixture(scope="module")
def setting(sizes, body_cache):
    return open_setting("procedural", sizes, open_dataset("procedural", "test", smoke()))


def test_bag_and_pictures_have_no_clip_and_nobody_in_common(sizes, body_cache):
    sets = [open_disjoint_stills("procedural", half, 48, sizes) for half in ("motion", "pictures")]
    for name in ("clip", "subject"):
        assert not set(sets[0].texts[name]) & set(sets[1].texts[name])


def test_true_depths_lift_to_the_true_pose(setting):
    for part in (setting.train, setting.test):
        points = lift(part.poses, part.depth)
        assert n_mpjpe(points * METRE, part.joints) < 12  # the lifter's camera looks at the root, the true one past it
        assert pa_mpjpe(points * METRE, part.joints) < 8


def test_baselines_are_what_they_say(setting):
    flat = constant_depth(setting)
    assert np.abs(flat[..., 2]).max() < 1e-5 and flat.shape == setting.test.joints.shape
    known = pa_mpjpe(torch.from_numpy(mean_depth(setting)), setting.test.joints)
    assert known < 1.2 * pa_mpjpe(torch.from_numpy(flat), setting.test.joints)


def test_scale_is_the_bags_and_bones_are_measured(setting):
    distance = setting.bag.poses[:, setting.structure.far_joint].norm(dim=-1).mean()
    assert distance == pytest.approx(0.1, abs=1e-5)
    assert sum(setting.structure.bone_means) == pytest.approx(16, rel=1e-4)


@pytest.mark.parametrize("row", [v.row for v in variants()])
def test_every_variant_learns_and_is_kept(row, setting, sizes, cache):
    variant = next(v for v in variants() if v.row == row)
    made = train_variant(variant, sizes, setting, 0, "cpu")
    assert np.isfinite(made.history.losses).all() and made.predictions["joints3d"].shape == (48, 17, 3)
    again = train_variant(variant, sizes, setting, 0, "cpu")
    assert again.history == made.history and np.array_equal(again.predictions["joints3d"], made.predictions["joints3d"])
    prior = {name for name in made.state if name.startswith("prior.")}
    assert prior and all(name.startswith(("prior.", "lifter.")) for name in made.state)


def test_variants_share_a_prior_and_leave_it_alone(setting, sizes, cache):
    first = train_variant(variants()[0], sizes, setting, 0, "cpu")
    other = train_variant(lifting.Variant("x", without="bones"), sizes, setting, 0, "cpu")
    for name in (n for n in first.state if n.startswith("prior.")):
        assert torch.equal(first.state[name], other.state[name])


def test_a_supervised_lifter_comes_near_the_truth(setting, sizes, cache):
    long = replace(sizes, lifting=replace(sizes.lifting, poses_seen=12800, learning_rate=3e-3, width=64))
    own = replace_test(setting)
    taught = train_variant(lifting.Variant("twin", supervised=True), long, own, 0, "cpu")
    error = n_mpjpe(torch.from_numpy(taught.predictions["joints3d"]), own.test.joints)
    assert error < 0.6 * n_mpjpe(torch.from_numpy(constant_depth(own)), own.test.joints)


def replace_test(setting):
    """The training poses as test poses: what a lifter has seen."""
    return lifting.Setting(setting.structure, setting.bag, setting.train, setting.train, [*setting.versions[:2], "own"])


def test_core_is_at_most_six_trainings_and_rows_are_named_once():
    rows = [v.row for v in variants()]
    assert len(rows) == len(set(rows)) and sum(v.core for v in variants()) <= 6
