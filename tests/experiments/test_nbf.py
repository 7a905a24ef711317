"""Chapter 2's rows: what each sees and learns from, true answers decode to the truth, results come from the cache."""

import copy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from posebook.data.degrade import DEGRADATIONS
from posebook.data.inputs import INPUTS, channels, joints_picture, parts_picture, rgb_picture
from posebook.experiments import bodies, nbf
from posebook.experiments.bodies import Judge
from posebook.experiments.degradation import degradation_curve, degraded_labels
from posebook.experiments.nbf import (
    Variant,
    build_model,
    has_labels,
    mean_body,
    mean_latent,
    picture_of,
    predict,
    seen_by,
    train_variant,
    training_loss,
    variants,
)
from posebook.experiments.nbf_claims import claims
from posebook.experiments.segmentation import StageOne
from posebook.models.nbf import NeuralBodyFitting
from posebook.models.nbf_losses import LossMix
from posebook.profile import gpu, laptop, smoke

UNTRAINED = {"12 parts, predicted at test only"}  # rows made of a trained network: another test input


@pytest.fixture(scope="module")
def judge(few_bodies):
    return Judge(few_bodies[1])


@pytest.fixture(scope="module")
def stages(few_bodies):
    """Stage 1's answers, made up: every label and joint is another one."""

    def spoilt(batches):
        batch = batches.get(slice(0, None))
        labels = torch.where(batch.parts > 0, 1 + batch.parts % 24, batch.parts)
        return labels.numpy(), batch.pixels.flip(1).numpy()

    return {"predicted": StageOne(*spoilt(few_bodies[0]), *spoilt(few_bodies[1]), ())}


def test_rows_differ_in_name_and_see_the_same_number_of_pictures():
    for profile in (smoke(), laptop(), gpu()):
        rows = variants(profile)
        assert len({v.row for v in rows}) == len(rows)
        assert len({replace(v, row="", core=False) for v in rows}) == len(rows)  # and in what they do
        assert {v.row for v in rows if v.share != 1} == {"RGB, equal time"}
        assert {v.row for v in rows if v.init != "scratch"} <= {"RGB, trunk"}
        assert any(v.core for v in rows) and {v.picture for v in rows} == set(INPUTS)


def test_every_claim_names_rows_that_exist():
    for profile in (smoke(), laptop()):
        rows = {v.row for v in variants(profile)} | UNTRAINED
        for claim in claims():
            assert {claim.row_a, claim.row_b} <= rows and claim.row_a != claim.row_b
    assert len({(c.row_a, c.row_b) for c in claims()}) == len(claims())
    trunk = {"RGB, trunk"}  # there is none of the paper's size: that claim is not run there
    assert trunk | {v.row for v in variants(gpu())} >= {row for c in claims() for row in (c.row_a, c.row_b)} - UNTRAINED


def test_true_maps_and_joints_make_oracle_rows():
    oracle = {v.row: v.oracle for v in variants(laptop())}
    assert oracle["12 parts"] == oracle["12 parts, 2D loss"] == oracle["silhouette"] == ("part labels",)
    assert oracle["24 joints"] == ("2D joints",)
    assert oracle["RGB"] == oracle["12 parts, predicted"] == oracle["24 joints, predicted"] == ()


def test_a_smaller_share_of_labels_is_a_subset_of_a_larger_one():
    shares = (0, 0.01, 0.05, 0.2, 1)
    masks = [has_labels(20000, share) for share in shares]
    for share, mask in zip(shares, masks, strict=True):
        assert mask.shape == (20000,) and mask.dtype == bool
        assert mask.mean() == pytest.approx(share, abs=0.01)
    assert all((larger | ~smaller).all() for smaller, larger in zip(masks, masks[1:], strict=False))
    assert not masks[0].any() and masks[-1].all()
    np.testing.assert_array_equal(has_labels(20000, 0.2), masks[3])
    assert not np.array_equal(has_labels(20000, 0.2, seed=1), masks[3])


@pytest.mark.parametrize("target", ["global", "relative"])
def test_mean_of_the_labelled_bodies(few_bodies, target):
    batch = few_bodies[0].get(slice(0, None))
    rotations = batch.rotations if target == "global" else batch.relative
    numbers = np.concatenate([batch.betas.numpy(), rotations.numpy().reshape(12, 216)], 1)
    np.testing.assert_allclose(mean_latent(few_bodies[0], target).numpy(), numbers.mean(0), atol=1e-6)
    some = torch.arange(12) % 5 == 1
    found = mean_latent(few_bodies[0], target, some)
    np.testing.assert_allclose(found.numpy(), numbers[some.numpy()].mean(0), atol=1e-6)


@pytest.mark.parametrize("target", ["global", "relative"])
def test_offsets_and_mean_decode_to_the_truth(few_bodies, layer, tiny, target):
    train, test = few_bodies
    model = build_model(Variant("v", "rgb", target=target), tiny, mean_latent(train, target), layer)
    batch = test.get(slice(0, None))
    found = model.decode(model.offsets(batch.betas, batch.rotations, batch.relative))
    torch.testing.assert_close(found.betas, batch.betas, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.rotations, batch.rotations, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.relative, batch.relative, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.joints, batch.joints3d, atol=1e-4, rtol=0)


def test_every_variant_sees_what_it_says(few_bodies, stages, layer):
    rgb, parts = (seen_by(Variant("v", name, "predicted"), stages, *few_bodies) for name in ("rgb", "parts12"))
    assert rgb == seen_by(Variant("v", "parts12"), {}, *few_bodies) == tuple(few_bodies)
    stage = stages["predicted"]
    for shown, labels, joints in zip(parts, stage[0:4:2], stage[1:4:2], strict=True):
        batch = shown.get(slice(0, 3))
        np.testing.assert_array_equal(batch.labels.numpy(), labels[:3])
        expected = parts_picture(labels[:3], 12)
        assert torch.equal(picture_of(Variant("v", "parts12", "predicted"), batch), expected)
        assert not torch.equal(expected, parts_picture(batch.parts, 12))
        expected = joints_picture(torch.from_numpy(joints[:3]), 64)
        assert torch.equal(picture_of(Variant("v", "joints", "predicted"), batch), expected)
        assert torch.equal(picture_of(Variant("v", "rgb"), batch), rgb_picture(batch.image))
        hot = picture_of(Variant("v", "parts12", encoding="one-hot"), batch)
        assert hot.shape == (3, 13, 64, 64) and hot.is_contiguous(memory_format=torch.channels_last)
    batch = few_bodies[0].get(slice(0, 2))
    for variant in variants(smoke()):
        deep = build_model(variant, smoke(), torch.zeros(226), layer).trunk.conv1.in_channels
        assert picture_of(variant, batch).shape == (2, deep, 64, 64)
        assert deep == channels(variant.picture, variant.encoding)


class Knows(torch.nn.Module):
    """Answers with the truth about the batch that was drawn last, moved off it by `error`; keeps what it saw."""

    def __init__(self, model, batches, wrapped=False):
        super().__init__()
        self.inner, self.batches = model, copy.copy(batches)
        self.batches.augmented = self.draw
        self.error = torch.nn.Parameter(torch.zeros(len(batches), 226))
        if wrapped:
            self.module = model  # as Fabric wraps a network

    def draw(self, rows, generator):
        self.rows, self.batch = rows, self.batches.get(rows)
        return self.batch

    def offsets(self, *truth):
        return self.inner.offsets(*truth)

    def forward(self, picture):
        self.picture = picture
        offsets = self.inner.offsets(self.batch.betas, self.batch.rotations, self.batch.relative)
        return self.inner.decode(offsets + self.error[self.rows])


@pytest.mark.parametrize("target", ["global", "relative"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_losses_vanish_at_the_truth(few_bodies, layer, tiny, target, wrapped):
    variant = Variant("v", "parts12", mix=LossMix(1, 1, 1), target=target)
    model = build_model(variant, tiny, mean_latent(few_bodies[0], target), layer)
    net = Knows(model, few_bodies[0], wrapped)
    loss = training_loss(variant, net.batches, torch.ones(12, dtype=torch.bool))
    assert loss(net, np.arange(4), torch.Generator()) < 1e-3
    with torch.no_grad():
        net.error += 0.1
    assert loss(net, np.arange(4), torch.Generator()) > 0.1


def test_rows_without_labels_teach_by_2d_only(few_bodies, layer, tiny):
    labelled = torch.arange(12) % 3 == 0
    model = build_model(Variant("v", "rgb"), tiny, mean_latent(few_bodies[0], "global"), layer)
    rows = np.array([1, 3, 4, 9])
    for mix, taught in ((LossMix(1, 1, 0), [3, 9]), (LossMix(0, 0, 1), [1, 3, 4, 9]), (LossMix(1, 0, 1), [1, 3, 4, 9])):
        net = Knows(model, few_bodies[0])
        with torch.no_grad():
            net.error += 0.1
        loss = training_loss(Variant("v", "rgb", mix=mix), net.batches, labelled)
        loss(net, rows, torch.Generator()).backward()
        assert net.error.grad.any(1).nonzero().flatten().tolist() == taught


def test_degraded_rows_learn_from_degraded_maps(few_bodies, layer, tiny):
    model = build_model(Variant("v", "parts24"), tiny, mean_latent(few_bodies[0], "global"), layer)
    net, seen = Knows(model, few_bodies[0]), {}
    for amount in (0.0, 0.5):
        loss = training_loss(Variant("v", "parts24", degraded=amount), net.batches, torch.ones(12, dtype=torch.bool))
        loss(net, np.arange(4), torch.Generator().manual_seed(0))
        seen[amount] = net.picture
    clean = parts_picture(few_bodies[0].get(slice(0, 4)).parts, 24)
    assert torch.equal(seen[0.0], clean)
    assert 0.01 < (seen[0.5] != clean).any(1).double().mean() < 0.5


@pytest.mark.parametrize(
    "variant",
    [
        *(Variant(name, name) for name in INPUTS),
        Variant("one-hot", "parts12", encoding="one-hot"),
        Variant("predicted", "parts12", "predicted"),
        Variant("joints alone", "parts6", mix=LossMix(0, 1, 1, "geman-mcclure"), target="relative", labelled=0.5),
        Variant("degraded", "parts24", degraded=0.5),
    ],
    ids=lambda v: v.row,
)
def test_every_kind_of_picture_trains_and_comes_back_from_the_cache(
    few_bodies, stages, judge, tiny, cache, variant, monkeypatch
):
    train, test = few_bodies
    made = train_variant(variant, tiny, stages, train, test, judge, 0, "cpu")
    shapes = {name: values.shape for name, values in made.predictions.items()}
    assert shapes == {"joints3d": (6, 17, 3), "pve": (6,), "err_quat": (6,), "betas": (6, 10), "pose": (6, 24, 3)}
    assert all(np.isfinite(values).all() for values in made.predictions.values())
    assert (made.predictions["pve"] > 0).all() and np.isfinite(made.history.losses).all()
    assert made.images_seen == 8 and made.parameters > 0 and made.gflop > 0 and made.ms_per_image > 0
    monkeypatch.setattr(nbf, "fit", lambda *a, **k: pytest.fail("trained again"))
    again = train_variant(variant, tiny, stages, train, test, judge, 0, "cpu")
    for name, values in made.predictions.items():
        np.testing.assert_array_equal(again.predictions[name], values)
    model = build_model(variant, tiny, torch.zeros(226), judge.joints17.layer)
    model.load_state_dict(again.state)  # the weights are the ones that predicted, the mean among them
    found = predict(model, variant, seen_by(variant, stages, train, test)[1], judge)
    np.testing.assert_allclose(found["joints3d"], made.predictions["joints3d"], atol=1e-4)


def test_another_seed_and_other_sizes_are_trained_anew(few_bodies, judge, tiny, cache):
    train, test = few_bodies
    variant = Variant("v", "parts12")
    first, other = (train_variant(variant, tiny, {}, train, test, judge, seed, "cpu") for seed in (0, 1))
    assert not np.array_equal(first.predictions["pve"], other.predictions["pve"])
    longer = train_variant(replace(variant, share=2), tiny, {}, train, test, judge, 0, "cpu")
    assert longer.images_seen == 2 * first.images_seen
    assert sum(path.is_dir() for path in cache.iterdir()) == 3


class Blind(torch.nn.Module):
    """A trunk that keeps what it is shown and says how much of it there is."""

    out_channels = 1

    def __init__(self):
        super().__init__()
        self.shown = []

    def forward(self, picture):
        self.shown.append(picture)
        return SimpleNamespace(pooled=(picture > -1).float().mean((1, 2, 3)).unsqueeze(1))


@pytest.fixture
def blind(few_bodies, layer):
    torch.manual_seed(0)
    model = NeuralBodyFitting(Blind(), layer, mean_latent(few_bodies[0], "global"))
    torch.nn.init.normal_(model.head.weight, std=0.5)
    return model


def test_predict_shows_maps_as_bad_as_asked(few_bodies, judge, blind):
    test, variant = few_bodies[1], Variant("v", "parts12")

    def shown(variant, **how):
        blind.trunk.shown.clear()
        found = predict(blind, variant, test, judge, mesh=False, **how)
        return torch.cat(blind.trunk.shown), found

    clean, found = shown(variant)
    assert torch.equal(clean, parts_picture(test.get(slice(0, None)).parts, 12)) and "pve" not in found
    worse, other = shown(variant, kind="shift", amount=0.5)
    assert torch.equal(worse, parts_picture(degraded_labels(test, "shift", 0.5), 12))
    assert not torch.equal(worse, clean) and not np.array_equal(other["joints3d"], found["joints3d"])
    degraded = replace(variant, degraded=0.5)  # trained on such maps: sees them in the test, too, unless told otherwise
    assert torch.equal(shown(degraded)[0], parts_picture(degraded_labels(test, "mixed", 0.5), 12))
    assert torch.equal(shown(degraded, amount=0.0)[0], clean)


def test_predictions_do_not_depend_on_how_many_are_made_at_once(few_bodies, judge, blind, monkeypatch):
    variant = Variant("v", "parts12")
    whole = predict(blind, variant, few_bodies[1], judge)
    for module in (bodies, nbf):
        monkeypatch.setattr(module, "BATCH", 4)
    for name, values in predict(blind, variant, few_bodies[1], judge).items():
        np.testing.assert_allclose(values, whole[name], rtol=1e-4, atol=1e-4)


def test_the_mean_body_is_what_a_network_says_first(few_bodies, judge, tiny, layer):
    train, test = few_bodies
    found = mean_body(train, test, judge)
    model = build_model(Variant("v", "rgb"), tiny, mean_latent(train, "global"), layer)
    torch.nn.init.zeros_(model.head.weight)
    first = predict(model, Variant("v", "rgb"), test, judge)
    for name, values in first.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, atol=1e-3)
    assert np.ptp(found["joints3d"], axis=0).max() < 1e-5 and np.ptp(found["pve"]) > 1


def test_degradation_curve_starts_at_the_clean_maps(few_bodies, judge, blind):
    curve = degradation_curve(blind, Variant("v", "parts12"), few_bodies[1], judge, (0, 1))
    assert list(curve.columns) == ["kind", "amount", "f1", "mpjpe"]
    assert set(curve["kind"]) == set(DEGRADATIONS) and len(curve) == 2 * len(DEGRADATIONS)
    start, end = (curve[curve["amount"] == amount].set_index("kind") for amount in (0, 1))
    assert (start["f1"] == 1).all() and (end["f1"] < 0.9).all()
    assert start["mpjpe"].nunique() == 1
    truth = np.array(few_bodies[1].dataset.arrays["joints3d_h36m17"])
    joints = predict(blind, Variant("v", "parts12"), few_bodies[1], judge, mesh=False)["joints3d"]
    off = np.linalg.norm((joints - joints[:, :1]) - (truth - truth[:, :1]), axis=-1).mean()
    assert start["mpjpe"].iloc[0] == pytest.approx(1000 * off, rel=1e-4)
