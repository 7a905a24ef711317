"""The losses against hand formulas, their limits, and which pictures teach by what."""

import numpy as np
import pytest
import torch

from posebook.cameras import project
from posebook.errors import PosebookError
from posebook.models.nbf import NBFOutput
from posebook.models.nbf_losses import (
    KINDS,
    LossMix,
    joints2d_loss,
    joints3d_loss,
    latent_loss,
    masked_mean,
    nbf_loss,
    robust_distance,
)

K = torch.tensor([[300.0, 0, 32], [0, 300, 32], [0, 0, 1]]).expand(5, 3, 3)
ROOT = torch.tensor([0.1, -0.2, 6.0]).expand(5, 3)
NONE = torch.zeros(5, dtype=torch.bool)
SOME = torch.tensor([True, False, True, False, False])


def normal(*shape, seed=0):
    return torch.tensor(np.random.default_rng(seed).normal(size=shape), dtype=torch.float32)


def residual(*lengths):
    """(B, 1, 3) residuals of given lengths, in a direction that is no axis."""
    return torch.tensor(lengths, dtype=torch.float64)[:, None, None] * torch.tensor([2.0, -1, 2]).double() / 3


def test_euclidean_and_squared():
    torch.testing.assert_close(robust_distance(residual(0.5, 3), "euclidean")[:, 0], torch.tensor([0.5, 3]).double())
    torch.testing.assert_close(robust_distance(residual(0.5, 3), "squared")[:, 0], torch.tensor([0.25, 9]).double())
    assert robust_distance(normal(5, 24, 2), "euclidean").shape == (5, 24)


def test_geman_mcclure_is_quadratic_near_zero_and_one_far_away():
    near, middle, far = robust_distance(residual(1e-3, 0.2, 1e4), "geman-mcclure", scale=0.2)[:, 0].tolist()
    assert near == pytest.approx((1e-3 / 0.2) ** 2, rel=1e-4)
    assert middle == pytest.approx(0.5)
    assert far == pytest.approx(1)


def tukey_by_hand(lengths):
    """One joint: the biweight in units of 1.4826 median absolute deviations, sample by sample."""
    spread = 1.4826 * np.median(np.abs(lengths - np.median(lengths)))
    cost = []
    for length in lengths:
        e = length / spread
        cost.append((1 - (1 - (e / 4.685) ** 2) ** 3) / 6 if e < 4.685 else 1 / 6)
    return cost


def test_tukey_by_hand_with_one_spread_per_joint():
    values = normal(9, 4, 3).double() * torch.tensor([0.01, 1, 30, 5]).double()[:, None]  # joints of unlike spread
    values[3] *= 100  # an outlier in each
    expected = np.stack([tukey_by_hand(values[:, j].norm(dim=-1).numpy()) for j in range(4)], 1)
    found = robust_distance(values, "tukey")
    torch.testing.assert_close(found, torch.from_numpy(expected), atol=1e-6, rtol=1e-6)
    assert (found[3] == 1 / 6).all()


def test_tukey_limits():
    lengths = (1e-4, 0.9, 1.0, 1.1, 50.0)  # median 1, median absolute deviation 0.1
    values = residual(*lengths).requires_grad_()
    found = robust_distance(values, "tukey")[:, 0]
    e = 1e-4 / 0.14826
    assert found[0].item() == pytest.approx(e**2 / (2 * 4.685**2), rel=1e-4)  # least squares for small residuals
    assert found[-1].item() == pytest.approx(1 / 6)
    found.sum().backward()
    assert not values.grad[-1].any() and values.grad[0].any()  # an outlier does not pull


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_finite_at_zero_and_where_all_residuals_are_alike(kind):
    for start in (torch.zeros(5, 24, 3), torch.ones(5, 24, 3)):
        values = start.requires_grad_()
        cost = robust_distance(values, kind)
        cost.sum().backward()
        assert cost.isfinite().all() and values.grad.isfinite().all()


def test_masked_mean_is_that_of_the_valid_samples():
    values = normal(5, 7, 3)
    torch.testing.assert_close(masked_mean(values, None), values.mean())
    torch.testing.assert_close(masked_mean(values, SOME), values[[0, 2]].mean())
    values.requires_grad_()
    nothing = masked_mean(values, NONE)
    nothing.backward()
    assert nothing == 0 and not values.grad.any()


def test_latent_and_3d_losses_by_hand():
    a, b = normal(5, 226), normal(5, 226, seed=1)
    torch.testing.assert_close(latent_loss(a, b), (a - b).abs().sum() / (5 * 226))
    torch.testing.assert_close(latent_loss(a, b, SOME), (a - b)[[0, 2]].abs().mean())
    c, d = normal(5, 24, 3), normal(5, 24, 3, seed=1)
    torch.testing.assert_close(joints3d_loss(c, d), (c - d).square().sum(-1).mean())  # squared is the default
    torch.testing.assert_close(joints3d_loss(c, d, kind="euclidean"), (c - d).norm(dim=-1).mean())
    torch.testing.assert_close(joints3d_loss(c, d, SOME, "euclidean"), (c - d)[[0, 2]].norm(dim=-1).mean())
    assert joints3d_loss(c, c) == 0 == latent_loss(a, a)


def test_masked_samples_give_no_gradient():
    latent, joints = normal(5, 226).requires_grad_(), normal(5, 24, 3).requires_grad_()
    loss = latent_loss(latent, normal(5, 226, seed=1), SOME)
    (loss + joints3d_loss(joints, normal(5, 24, 3, seed=1), SOME)).backward()
    for values in (latent, joints):
        assert not values.grad[~SOME].any() and values.grad[SOME].flatten(1).any(1).all()


def flat(seed=0):
    """Joints around the pelvis, and their true pixels."""
    joints = 0.3 * normal(5, 24, 3, seed=seed)
    return joints, project(joints + ROOT[:, None], K)


@pytest.mark.parametrize("kind", KINDS[:3])
def test_2d_loss_is_zero_at_the_truth(kind):
    joints, pixels = flat()
    assert joints2d_loss(joints, ROOT, K, pixels, 64, kind) == pytest.approx(0, abs=1e-5)
    assert joints2d_loss(joints + 0.1, ROOT, K, pixels, 64, kind) > 1e-3
    assert joints2d_loss(joints, ROOT + 0.1, K, pixels, 64, kind) > 1e-3  # root and camera matter
    assert joints2d_loss(joints, ROOT, 1.1 * K, pixels, 64, kind) > 1e-3


def test_2d_loss_counts_half_pictures():
    joints, pixels = flat()
    moved = pixels + torch.tensor([3.0, 4.0])  # 5 pixels of 64
    assert joints2d_loss(joints, ROOT, K, moved, 64).item() == pytest.approx(5 / 32, rel=1e-4)
    assert joints2d_loss(joints, ROOT, K, moved, 64, "squared").item() == pytest.approx((5 / 32) ** 2, rel=1e-4)
    scaled = K * torch.tensor([3.5, 3.5, 1])[:, None]  # the same crop at 224 pixels
    assert joints2d_loss(joints, ROOT, scaled, 3.5 * moved, 224).item() == pytest.approx(5 / 32, rel=1e-4)


def output(seed=0):
    joints, _ = flat(seed)
    latent = normal(5, 226, seed=seed)
    rotations = torch.eye(3).expand(5, 24, 3, 3)
    return NBFOutput(latent.requires_grad_(), latent[:, :10], rotations, rotations, joints.requires_grad_())


def test_the_mix_is_a_weighted_sum():
    found, offsets, (joints, pixels) = output(), normal(5, 226, seed=1), flat(2)
    truth = offsets, joints, ROOT, K, pixels, 64
    mix = LossMix(2, 3, 5, "geman-mcclure", 0.3)
    expected = 2 * latent_loss(found.latent, offsets, SOME)
    expected = expected + 3 * joints3d_loss(found.joints, joints, SOME, "geman-mcclure", 0.3)
    expected = expected + 5 * joints2d_loss(found.joints, ROOT, K, pixels, 64, "geman-mcclure", 0.3)
    torch.testing.assert_close(nbf_loss(found, *truth, mix, SOME), expected)
    demo = latent_loss(found.latent, offsets) + joints2d_loss(found.joints, ROOT, K, pixels, 64)
    torch.testing.assert_close(nbf_loss(found, *truth, LossMix()), demo)  # specs/nbf.md section 5


@pytest.mark.parametrize(("weights", "unused"), [((0, 1, 1), "offsets"), ((1, 0, 1), "joints"), ((1, 1, 0), "pixels")])
def test_losses_of_weight_zero_are_not_computed(weights, unused):
    truth = {"offsets": normal(5, 226), "joints": flat()[0], "root": ROOT, "K": K, "pixels": flat()[1], "size": 64}
    truth[unused] = truth[unused] * torch.nan  # a dataset that lacks it
    assert nbf_loss(output(3), **truth, mix=LossMix(*weights)).isfinite()


def test_unlabelled_pictures_teach_by_2d_alone():
    joints, pixels = flat(2)
    found = output()
    nbf_loss(found, normal(5, 226, seed=1), joints, ROOT, K, pixels, 64, LossMix(1, 1, 1), SOME).backward()
    assert found.latent.grad[SOME].any() and not found.latent.grad[~SOME].any()
    assert found.joints.grad.flatten(1).any(1).all()
    alone = output()
    nbf_loss(alone, normal(5, 226, seed=1), joints, ROOT, K, pixels, 64, LossMix(0, 0, 1)).backward()
    torch.testing.assert_close(found.joints.grad[~SOME], alone.joints.grad[~SOME])
    nothing = nbf_loss(output(), normal(5, 226), joints, ROOT, K, pixels, 64, LossMix(1, 1, 0), NONE)
    assert nothing == 0


def test_unknown_losses_and_weights_are_refused():
    with pytest.raises(PosebookError, match="robust must be one of euclidean"):
        LossMix(robust="huber")
    with pytest.raises(PosebookError, match="Unknown loss 'huber'"):
        robust_distance(torch.zeros(1, 1, 3), "huber")
    for bad in ({"latent": -1}, {"latent": 0, "joints2d": 0}, {"scale": 0}):
        with pytest.raises(PosebookError, match="must be >= 0, not all 0, and scale > 0"):
            LossMix(**bad)
