"""Chapter 5's lifters: variants that learn and are kept, a prior that is shared, a hint that settles near and far."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from posebook import checkpoint
from posebook.data import open_dataset
from posebook.experiments import lifting
from posebook.experiments.lifting import hand_variants, tell_camera, train_prior, train_variant, variants
from posebook.experiments.lifting_images import image_variants
from posebook.experiments.lifting_sets import constant_depth, open_setting
from posebook.metrics import n_mpjpe
from posebook.models.selfsup import Lifter, rotation
from posebook.profile import smoke


@pytest.fixture(scope="module")
def sizes():
    made = smoke()
    return replace(made, lifting=replace(made.lifting, stills=48, prior_poses=64, poses_seen=64, batch=32))


@pytest.fixture(scope="module")
def setting(sizes, body_cache):
    return open_setting("procedural", sizes, open_dataset("procedural", "test", smoke()))


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
    return replace(setting, test=setting.train, versions=[*setting.versions[:2], "own"])


def test_an_interrupted_lifter_goes_on_to_the_same_numbers(setting, sizes, cache, monkeypatch):
    """Killed in the middle, the training's file is used by the next call, and gone when the outcome is kept."""
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    long = replace(sizes, lifting=replace(sizes.lifting, poses_seen=320))
    variant = lifting.Variant("interrupted")
    train_prior(variant, long, setting, 0, "cpu")
    calls = []

    def stop_at_fifth(*_):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return original(*_)

    original = lifting.LiftingModel.forward
    monkeypatch.setattr(lifting.LiftingModel, "forward", stop_at_fifth)
    with pytest.raises(KeyboardInterrupt):
        train_variant(variant, long, setting, 0, "cpu")
    assert len(list(cache.glob("*.pt"))) == 1
    resumed = train_variant(variant, long, setting, 0, "cpu")
    assert len(calls) == 5 + 6 and not list(cache.glob("*.pt"))  # four of ten steps were kept
    monkeypatch.setattr(lifting.LiftingModel, "forward", original)
    whole = train_variant(replace(variant, row="whole"), long, setting, 0, "cpu")
    assert all(torch.equal(whole.state[name], resumed.state[name]) for name in whole.state)
    assert whole.history.losses == resumed.history.losses
    assert np.array_equal(whole.predictions["joints3d"], resumed.predictions["joints3d"])


def test_a_camera_above_is_levelled_by_a_negative_angle():
    """The hint's sign, by geometry: a camera that looks down sees the vertical come towards it."""
    down = np.radians(lifting.LOOKS_DOWN)
    up = torch.tensor([0.0, -np.cos(down), -np.sin(down)], dtype=torch.float32)  # y down, z away from the camera
    lifter = Lifter(17, 16)
    tell_camera(lifter, "above")
    level = rotation.rotation_x(lifter.angles.bias.detach())[0] @ up
    torch.testing.assert_close(level, torch.tensor([0.0, -1.0, 0.0]), atol=1e-6, rtol=0)
    before = Lifter(17, 16)
    kept = before.angles.bias.clone()
    tell_camera(before, "")
    assert torch.equal(before.angles.bias, kept)


def test_core_is_at_most_six_trainings_and_rows_are_named_once():
    every = [*variants(), *hand_variants(), *image_variants()]
    rows = [v.row for v in every]
    core = sum(getattr(v, "core", False) for v in every)
    assert len(rows) == len(set(rows)) and core + 1 <= 6  # and the prior
