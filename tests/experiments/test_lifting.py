"""Chapter 5's lifters: variants that learn and are kept, a prior that is shared, a hint that settles near and far."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch

from posebook import checkpoint
from posebook.data import open_dataset
from posebook.experiments import lifting
from posebook.experiments.lifting import (
    build_model,
    hand_variants,
    mirrored,
    own_loss,
    train_prior,
    train_variant,
    variants,
)
from posebook.experiments.lifting_images import image_variants
from posebook.experiments.lifting_sets import constant_depth, open_setting
from posebook.metrics import n_mpjpe
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


def test_an_interrupted_lifter_goes_on_to_the_same_numbers(setting, sizes, cache, stopping_at, monkeypatch):
    """Killed in the middle, the training's file is used by the next call, and gone when the outcome is kept."""
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    long = replace(sizes, lifting=replace(sizes.lifting, poses_seen=320))
    variant = lifting.Variant("interrupted")
    train_prior(variant, long, setting, 0, "cpu")
    original = lifting.LiftingModel.forward
    calls = stopping_at(monkeypatch, lifting.LiftingModel, "forward", 9)
    with pytest.raises(KeyboardInterrupt):
        train_variant(variant, long, setting, 0, "cpu")
    assert len(list(cache.glob("*.pt"))) == 2  # the start, and the first world in the middle
    resumed = train_variant(variant, long, setting, 0, "cpu")
    assert len(calls) == 9 + 4 + 10 + 2 and not list(
        cache.glob("*.pt")
    )  # the rest of one world, the other, both judged
    monkeypatch.setattr(lifting.LiftingModel, "forward", original)
    whole = train_variant(replace(variant, row="whole"), long, setting, 0, "cpu")
    assert all(torch.equal(whole.state[name], resumed.state[name]) for name in whole.state)
    assert whole.history.losses == resumed.history.losses
    assert np.array_equal(whole.predictions["joints3d"], resumed.predictions["joints3d"])


def test_notebook_and_posebook_train_do_not_go_on_with_each_others_half(
    setting, sizes, cache, launching, stopping_at, monkeypatch
):
    """Interrupted in the notebook, then trained by `posebook train`, itself interrupted once; and the reverse."""
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    long = replace(sizes, lifting=replace(sizes.lifting, poses_seen=320))
    variant, args = lifting.Variant("one world", worlds=1), (long, setting, 0, "cpu")
    whole = train_variant(variant, *args)

    def interrupted(variant, last):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            stopping_at(patch, lifting.LiftingModel, "forward", last)
            train_variant(variant, *args)

    for row in ("notebook first", "command first"):
        other = replace(variant, row=row)
        for launch in (False, True) if row == "notebook first" else (True, False):
            with launching() if launch else nullcontext():
                interrupted(other, 6)
        with launching() if row == "notebook first" else nullcontext(), monkeypatch.context() as patch:
            calls = stopping_at(patch, lifting.LiftingModel, "forward", 0)
            made = train_variant(other, *args)
        assert len(calls) == 5 + 1  # the other half, and judged
        assert all(torch.equal(whole.state[name], made.state[name]) for name in whole.state)
    assert not [*cache.glob("checkpoints/*.pt")]
    (left,) = cache.glob("training/*/*.last.pt")  # of the command that did not come to its end
    assert left.name == "command-first.last.pt"


def test_the_mirror_world_has_every_depth_and_angle_turned_over(setting, sizes, cache):
    variant = variants()[0]
    model = build_model(variant, sizes, train_prior(variant, sizes, setting, 0, "cpu"))
    other, poses = mirrored(model), setting.test.poses
    for name in ("depth", "angle"):
        said, turned = (getattr(m.lifter(poses), name) for m in (model, other))
        torch.testing.assert_close(turned, -said)
        assert said.abs().max() > 0
    assert abs(own_loss(model, poses) - own_loss(other, poses)) > 1e-4  # perspective tells them apart


def test_of_both_worlds_the_lower_loss_is_kept_and_no_label_is_asked(setting, sizes, cache):
    variant = lifting.Variant("two worlds")
    made = train_variant(variant, sizes, setting, 0, "cpu")
    kept, other = made.predictions["own_loss"]
    model = build_model(variant, sizes, train_prior(variant, sizes, setting, 0, "cpu"))
    model.load_state_dict(made.state)
    assert own_loss(model, setting.train.poses) == pytest.approx(kept, rel=1e-5) and kept < other
    assert made.images_seen == 32 + 2 * 64 and made.history.images == [32, 64, 96]
    blind = replace(setting, train=setting.train._replace(depth=-setting.train.depth), versions=["other labels"] * 3)
    again = train_variant(variant, sizes, blind, 0, "cpu")
    lifter = [name for name in made.state if name.startswith("lifter.")]
    assert lifter and all(torch.equal(made.state[name], again.state[name]) for name in lifter)


def test_the_papers_way_trains_one_world(setting, sizes, cache):
    made = train_variant(next(v for v in variants() if v.worlds == 1), sizes, setting, 0, "cpu")
    assert len(made.predictions["own_loss"]) == 1 and made.images_seen == 64


def test_lifter_and_twin_are_trained_as_long_as_each_other_and_longer_than_every_variation(setting, sizes, cache):
    longest = {v.row for v in variants() if v.length == 3}
    assert longest == {"lifter", "lifter, supervised twin"} and {v.length for v in variants()} == {1, 3}
    twin = lifting.Variant("twin", supervised=True)
    seen = [train_variant(replace(twin, length=n), sizes, setting, 0, "cpu").images_seen for n in (1, 3)]
    assert seen == [64, 192]


def test_core_is_at_most_six_trainings_and_rows_are_named_once():
    every = [*variants(), *hand_variants(), *image_variants()]
    rows = [v.row for v in every]
    core = sum(getattr(v, "core", False) for v in every)
    assert len(rows) == len(set(rows)) and core + 1 <= 6  # and the prior
