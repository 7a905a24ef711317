"""Chapter 4: features, windows, variants that learn in two steps, the motion prior's order of steps, filters."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from posebook.data.body_batches import BodyBatches
from posebook.data.halves import open_picture_half
from posebook.experiments import temporal
from posebook.experiments.filters import GRIDS, Bodies, choose, filtered, officially_filtered, quick_score
from posebook.experiments.hmr import PELVIS, ROW, frames, train_hmr, truth_of, weights_digest
from posebook.experiments.motion_prior import MotionPrior, MotionWindows
from posebook.experiments.temporal_claims import claims
from posebook.experiments.temporal_pictures import FROZEN, TOGETHER
from posebook.models.motion_discriminator import MotionDiscriminator
from posebook.models.spin_body import free_spin_body
from posebook.motion import list_clips
from posebook.motion.kept import kept_clip
from posebook.profile import smoke
from posebook.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from posebook.smoothing import official_one_euro_axis_angle, smooth, smooth_vectors


def test_truth_is_where_the_dataset_says(sets):
    bodies = sets[1]
    batch = bodies.get(slice(0, 4))
    truth = truth_of(batch, free_spin_body("full", vertices=False), bodies.size)
    knee = 10  # of the 49: the right knee is SMPL's joint 5
    assert torch.allclose(truth.kp_3d[:, knee], batch.joints3d[:, 5], atol=1e-4)
    assert truth.kp_3d[:, PELVIS].abs().max() == 0
    pixels = (truth.kp_2d[:, knee, :2] + 1) / 2 * bodies.size
    assert (pixels - batch.pixels[:, 5]).abs().max() < 0.05
    assert torch.allclose(truth.theta[:, 75:], batch.betas)


def test_features_are_kept_and_those_of_the_network(single, sets, sizes):
    outcome, (_, test) = single
    assert test.features.shape == (len(sets[1]), 256) and test.rotations.shape[1:] == (24, 3, 3)

    class Broken(torch.nn.Module):
        def feature_extractor(self, image):
            raise AssertionError("computed again")

    again = frames(outcome, Broken(), sets[1])
    assert np.array_equal(again.features, test.features)


def test_what_was_trained_now_and_what_comes_from_the_cache_have_one_digest(single, sizes, layer):
    stills, rows = open_picture_half("procedural", smoke())
    again = train_hmr(sizes, BodyBatches(stills, layer=layer), rows, 0, "cpu")  # from the cache
    trained = single[0].state
    turned = dict(reversed(list(trained.items())))
    assert weights_digest(again.state) == weights_digest(trained) == weights_digest(turned)
    other = trained | {"conv1.weight": trained["conv1.weight"] + 1}
    assert weights_digest(other) != weights_digest(trained)


def test_windows_stay_inside_their_sequence_and_the_first_share_has_no_3d(single, sets, sizes):
    data = temporal.clip_data(single[1][1], sets[1], 6, 1, 0.5)
    names = sets[1].dataset.texts["sequence"]
    assert data.windows.shape == (6 * 3, 6)  # 8 frames hold 3 windows of 6
    for window, flag in zip(data.windows.tolist(), data.only_2d.tolist(), strict=True):
        assert len(set(names[window])) == 1 and window == list(range(window[0], window[0] + 6))
        assert flag == (window[0] < 24)


@pytest.mark.parametrize("row", [v.row for v in temporal.variants()])
def test_every_variant_learns_in_two_steps_and_is_kept(row, single, sets, sizes, judge):
    variant = next(v for v in temporal.variants() if v.row == row)
    outcome, (train, test) = single
    data = [temporal.clip_data(f, b, 6, stride, 0.5) for f, b, stride in zip((train, test), sets, (1, 6), strict=True)]
    args = (variant, sizes, "procedural", outcome, *data, sets[1], judge, 0, "cpu")
    made = temporal.train_variant(*args)
    assert np.isfinite(made.history.losses).all() and made.predictions["joints3d"].shape == (48, 17, 3)
    start = temporal.build_model(variant, sizes, outcome.state).state_dict()
    moved = {name.split(".")[1] for name, value in start.items() if not torch.equal(value, made.state[name])}
    assert {"gru", "gru_cur"} & moved and "fc1" in moved
    assert temporal.train_variant(*args).history == made.history  # from the cache
    for name, value in temporal.train_variant(*args).predictions.items():
        assert np.array_equal(value, made.predictions[name])


def test_half_windows_are_the_same_frames(single, sets):
    data = temporal.clip_data(single[1][1], sets[1], 6, 6, 0.5)
    halves = data.halved()
    assert halves.windows.shape == (12, 3) and torch.equal(halves.windows.sort().values, halves.windows)
    assert set(halves.windows.flatten().tolist()) == set(data.windows.flatten().tolist())
    names = sets[1].dataset.texts["sequence"]
    for window, flag in zip(halves.windows.tolist(), halves.only_2d.tolist(), strict=True):
        assert len(set(names[window])) == 1 and flag == bool(data.only_2d[(data.windows == window[0]).any(1)].any())


def test_trained_networks_and_their_critic_come_back(single, sets, sizes, judge):
    variant = temporal.Variant("VIBE", prior="last")
    outcome, (train, test) = single
    data = [temporal.clip_data(f, b, 6, 6, 0.5) for f, b in zip((train, test), sets, strict=True)]
    made = temporal.train_variant(variant, sizes, "procedural", outcome, *data, sets[1], judge, 0, "cpu")
    network = temporal.trained_model(variant, sizes, outcome.state, made)
    names = sets[1].dataset.texts["sequence"]
    body = temporal.predict(network, variant, data[1].features, names, 6)
    found = temporal.score(body.rotmat, body.theta[:, 75:], sets[1], judge)
    assert np.abs(found["joints3d"] - made.predictions["joints3d"]).max() < 1e-5
    torch.manual_seed(0)
    fresh = MotionDiscriminator("last", 8, 8).state_dict()
    critic = temporal.trained_critic(variant, sizes, made)
    assert not torch.equal(critic.state_dict()["fc.weight"], fresh["fc.weight"])
    assert critic(torch.zeros(2, 6, 69)).shape == (2, 1)


def test_a_killed_training_goes_on_with_its_critic_to_the_same_bits(
    single, sets, sizes, judge, launching, stopping_at, monkeypatch
):
    """As `posebook train 04 --row VIBE`: network, critic, the critic's optimiser and the step that it waits with."""
    variant = next(v for v in temporal.variants() if v.row == "VIBE")
    long = replace(sizes, temporal=replace(sizes.temporal, windows_seen=20))  # five steps
    outcome, (train, test) = single
    data = [temporal.clip_data(f, b, 6, 6, 0.5) for f, b in zip((train, test), sets, strict=True)]
    args = (variant, long, "procedural", outcome, *data, sets[1], judge, 0, "cpu")
    whole = temporal.train_variant(*args)
    calls = stopping_at(monkeypatch, temporal.WindowLoss, "__call__", 4)
    with launching(), pytest.raises(KeyboardInterrupt):
        temporal.train_variant(*args)
    with launching():
        resumed = temporal.train_variant(*args)
    assert len(calls) == 4 + 2  # three of five steps were kept
    assert {name.split(".")[0] for name in whole.state} > {"critic"} and whole.state.keys() == resumed.state.keys()
    assert all(torch.equal(whole.state[name], resumed.state[name]) for name in whole.state)
    assert whole.history.losses == resumed.history.losses


def test_a_prior_takes_over_anothers_state():
    windows = MotionWindows("procedural", 6)
    one, two = (MotionPrior("last", 8, windows, 1e-3) for _ in range(2))
    assert one.state_dict()["waiting"] is None
    draw = torch.Generator().manual_seed(0)
    for _ in range(2):
        one.scores(torch.randn(3, 6, 85, generator=draw), draw)
    two.load_state_dict(copy.deepcopy(one.state_dict()))
    assert one.step() == two.step() and two.step() is None  # weights, moments, and the batch that waits
    assert all(torch.equal(a, b) for a, b in zip(one.network.parameters(), two.network.parameters(), strict=True))


def test_a_network_that_adds_nothing_says_what_single_frames_say(single, sets, sizes):
    outcome, (_, test) = single
    variant = temporal.Variant("VIBE")
    net = temporal.build_model(variant, sizes, outcome.state)
    torch.nn.init.zeros_(net.encoder.linear.weight)
    torch.nn.init.zeros_(net.encoder.linear.bias)
    names = sets[1].dataset.texts["sequence"]
    body = temporal.predict(net, variant, torch.from_numpy(test.features), names, 6)
    assert np.abs(body.rotmat.numpy() - test.rotations).max() < 1e-4


def test_repeated_ends_are_windows_of_the_first_and_last_frame(single, sets, sizes):
    outcome, (_, test) = single
    variant = temporal.Variant("TCMR", "tcmr", residual=False)
    net = temporal.build_model(variant, sizes, outcome.state).eval()
    clip = torch.from_numpy(test.features[:8])
    body = temporal.predict(net, variant, clip, np.zeros(8), None)
    with torch.no_grad():
        for t in (0, 2, 4, 7):
            window = clip[(torch.arange(6) + t - 3).clamp(0, 7)]
            assert torch.allclose(net(window[None]).body.rotmat[0], body.rotmat[t], atol=1e-5)


def test_the_prior_steps_after_the_generator_on_the_batch_before():
    windows = MotionWindows("procedural", 6)
    torch.manual_seed(0)
    prior, generator = MotionPrior("attention", 8, windows, 1e-3), torch.Generator().manual_seed(0)
    theta = torch.randn(3, 6, 85, requires_grad=True)
    before = prior.network.fc.weight.clone()
    prior.scores(theta, generator).sum().backward()
    assert theta.grad[..., 6:75].abs().sum() > 0 and theta.grad[..., :6].abs().sum() == 0
    assert torch.equal(prior.network.fc.weight, before) and prior.network.fc.weight.grad is None
    assert prior.step() > 0 and not torch.equal(prior.network.fc.weight, before)
    assert prior.step() is None


def test_the_prior_learns_to_tell_noise_from_motion():
    windows = MotionWindows("procedural", 6)
    torch.manual_seed(0)
    prior, generator = MotionPrior("concat", 16, windows, 3e-3), torch.Generator().manual_seed(0)
    for _ in range(60):
        prior.scores(torch.randn(16, 6, 85), generator)
        prior.step()
    with torch.no_grad():
        real = prior.network(windows.draw(32, generator)).mean()
        fake = prior.network(torch.randn(32, 6, 69)).mean()
    assert real > fake + 0.5


def test_motion_windows_are_pieces_of_training_clips():
    windows = MotionWindows("procedural", 5)
    drawn = windows.draw(3, torch.Generator().manual_seed(1)).numpy()
    train = [kept_clip("procedural", c.name).body_pose for c in list_clips("procedural") if c.split == "train"]
    for window in drawn:
        starts = [(poses, i) for poses in train for i in np.flatnonzero((poses[:-4] == window[0]).all(1))]
        assert any(np.abs(poses[i : i + 5] - window).max() < 1e-6 for poses, i in starts)


def test_true_bodies_score_near_zero_and_filters_cost_them(sets, judge):
    test = sets[1]
    true = Bodies(torch.from_numpy(test.relative), torch.from_numpy(np.array(test.dataset.arrays["betas"])))
    assert quick_score(true, test, judge)["mpjpe"] < 0.5
    names = test.dataset.texts["sequence"]
    strong = filtered(true, names, 30.0, "gaussian", sigma=0.2)
    assert quick_score(strong, test, judge)["mpjpe"] > 2
    kept = officially_filtered(true, names)
    assert torch.allclose(kept.rotations[0], true.rotations[0], atol=1e-5)  # the first frame passes
    assert torch.equal(kept.betas, true.betas)


def test_clips_are_filtered_as_each_alone():
    """Clips of the same and of other lengths, taken together, to the bit."""
    names = np.repeat(["a", "b", "c", "d"], (20, 14, 20, 9))
    turns = torch.randn(len(names), 24, 3, generator=torch.Generator().manual_seed(0)).mul(0.1).cumsum(0)
    bodies = Bodies(axis_angle_to_matrix(turns), turns[:, :10, 0].contiguous())
    own = [np.flatnonzero(names == name) for name in "abcd"]
    for name, (parameter, values) in GRIDS.items():
        found = filtered(bodies, names, 30.0, name, **{parameter: values[1]})
        for rows in own:
            how = {"fps": 30.0, "filter": name, parameter: values[1]}
            assert torch.equal(found.rotations[rows], smooth(bodies.rotations[rows], **how))
            assert torch.equal(found.betas[rows], smooth_vectors(bodies.betas[rows], **how))
    found = officially_filtered(bodies, names).rotations
    for rows in own:
        alone = official_one_euro_axis_angle(matrix_to_axis_angle(bodies.rotations[rows]))
        assert torch.equal(found[rows], axis_angle_to_matrix(alone))


def test_the_strength_is_the_smoothest_that_costs_little(sets, judge):
    test = sets[1]
    axis_angles = 0.05 * torch.randn(len(test), 24, 3, generator=torch.Generator().manual_seed(0))
    noise = axis_angle_to_matrix(axis_angles)
    shaky = Bodies(torch.from_numpy(test.relative) @ noise, torch.from_numpy(np.array(test.dataset.arrays["betas"])))
    raw = quick_score(shaky, test, judge)
    choice = choose(shaky, test, judge, "gaussian")
    parameter, values = GRIDS["gaussian"]
    assert [line["value"] for line in choice.tried] == list(values)
    cheap = [line for line in choice.tried if line["mpjpe"] <= raw["mpjpe"] + 1]
    assert choice.parameters == {parameter: min(cheap, key=lambda line: line["accel_error"])["value"]}
    assert min(line["accel_error"] for line in cheap) < 0.7 * raw["accel_error"]


def test_claims_ask_for_rows_that_the_chapter_has():
    trained = {v.row for v in temporal.variants()}
    asked = {name for claim in claims() for name in (claim.row_a, claim.row_b)}
    extra = {"VIBE, slerp", FROZEN, TOGETHER}
    assert {name for name in asked if not name.startswith(ROW)} <= trained | extra
    assert sum(v.core for v in temporal.variants()) + 1 <= 6
    assert len(claims()) == len({c.claim for c in claims()})
