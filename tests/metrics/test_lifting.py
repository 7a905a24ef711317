"""Metrics of lifted poses against ElePose's recorded numbers and against loops."""

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.joints import H36M17
from posebook.metrics import mpjpe, n_mpjpe, pa_mpjpe, pck, root_relative
from posebook.metrics.lifting import (
    cps,
    depth_flip_rate,
    depth_flipped,
    lifting_scores,
    norm_scaled,
    pa_mpjpe_mirror,
    pa_mpjpe_rms,
    side_flip_rate,
    side_free_error,
)

USE = {"rtol": 1e-5, "atol": 2e-4}  # mm


@pytest.fixture(scope="module")
def recorded(parity):
    """The recording with poses (32, 17, 3) in metres, roots at 0."""
    m = parity.load("elepose.pt")["metrics"]
    as_points = lambda x: root_relative(x.view(-1, 3, 17).mT / 1000, [0])  # noqa: E731
    return m | {"gt": as_points(m["gt"]), "pred": as_points(m["pred"])}


@pytest.mark.parity
def test_official_numbers_per_pose(recorded):
    pred, gt = recorded["pred"], recorded["gt"]
    torch.testing.assert_close(mpjpe(norm_scaled(pred, gt), gt, "none"), recorded["n_mpjpe"], **USE)
    torch.testing.assert_close(pa_mpjpe_mirror(pred, gt, "none"), recorded["p_mpjpe_best"], **USE)
    torch.testing.assert_close(pa_mpjpe_rms(pred, gt, "none"), recorded["p_mpjpe_batch"], **USE)
    mirror = depth_flipped(gt)
    torch.testing.assert_close(pa_mpjpe_mirror(mirror, gt, "none"), recorded["mirror_best"], atol=1e-3, rtol=0)
    torch.testing.assert_close(pa_mpjpe(mirror, gt, "none"), recorded["mirror_noreflect"], **USE)


@pytest.mark.parity
def test_official_means(recorded):
    found = lifting_scores(recorded["pred"], recorded["gt"])
    wanted = recorded["all"]
    names = {"MPJPE": "N-MPJPE (norm ratio)", "PCK": "PCK@150 (%)", "AUC": "AUC (%)", "CPS": "CPS"}
    for theirs, ours in names.items():
        assert found[ours] == pytest.approx(wanted[theirs].item(), rel=1e-5)


@pytest.mark.parity
def test_the_traps_of_the_specification(recorded):
    """Section 3.1: two scalings, a mirror that scores nothing, a root that lifts PCK."""
    pred, gt = recorded["pred"], recorded["gt"]
    assert n_mpjpe(pred, gt, scaling="norm").item() == pytest.approx(128.54, abs=0.01)
    assert n_mpjpe(pred, gt).item() == pytest.approx(126.75, abs=0.01)
    assert pa_mpjpe_rms(pred, gt).item() == pytest.approx(86.91, abs=0.01)
    assert pa_mpjpe(pred, gt).item() == pytest.approx(86.45, abs=0.01)
    assert pa_mpjpe_mirror(depth_flipped(gt), gt).item() < 1e-3
    assert pa_mpjpe(depth_flipped(gt), gt).item() == pytest.approx(131.9, abs=0.1)
    rooted = root_relative(gt, [0]) + torch.tensor([1.0, 0, 0]) * (torch.arange(17) > 0).float().unsqueeze(1)
    assert pck(rooted, gt).item() == pytest.approx(100 / 17, abs=1e-4)


@pytest.mark.parity
def test_validation_step_repeats_the_official_one(recorded, parity):
    from posebook.models.selfsup import Lifter, joint_major, lift

    wanted = parity.load("elepose.pt")["validation"]
    lifter = Lifter()
    parity.fill.fill_elepose(lifter.state_dict())
    with torch.no_grad():
        pose = joint_major(wanted["p2d"])
        pred = lift(pose, lifter(pose).depth)
    gt = joint_major(wanted["p3d"], 3) / 1000
    assert pa_mpjpe_mirror(pred, gt).item() == pytest.approx(wanted["logged"]["pa"], abs=1e-2)
    assert n_mpjpe(pred, gt, scaling="norm").item() == pytest.approx(wanted["logged"]["mpjpe_scaled"], abs=1e-2)


def _poses(count=20, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(count, 17, 3)))


def test_cps_by_a_loop():
    gt = 0.3 * _poses()
    pred = gt + 0.05 * _poses(seed=1)
    total = 0
    for threshold in range(301):
        for p, g in zip(pred.numpy(), gt.numpy(), strict=True):
            total += (1000 * np.linalg.norm(p - g, axis=1)).max() < threshold
    assert cps(pred, gt).item() == pytest.approx(total / len(gt))
    assert cps(gt, gt).item() == 300


def test_flips_are_counted():
    gt = _poses()
    pred = gt + 0.01 * _poses(seed=1)
    flipped = pred.clone()
    flipped[:5] = depth_flipped(flipped[:5])
    assert depth_flip_rate(flipped, gt).item() == 25 and depth_flip_rate(pred, gt).item() == 0
    torch.testing.assert_close(pa_mpjpe_mirror(flipped, gt), pa_mpjpe(pred, gt))
    swapped = pred.clone()
    swapped[:8] = swapped[:8, H36M17.flip]
    assert side_flip_rate(swapped, gt, H36M17.flip).item() == 40
    assert side_flip_rate(swapped[..., :2], gt[..., :2], H36M17.flip).item() == 40
    torch.testing.assert_close(side_free_error(swapped, gt, H36M17.flip) * 1000, mpjpe(pred, gt))


def test_a_flip_about_the_root_keeps_the_projection_and_the_root():
    pose = _poses(3)
    flipped = depth_flipped(pose, (1, 2))
    assert torch.equal(flipped[..., :2], pose[..., :2])
    torch.testing.assert_close(flipped[:, 1:3, 2].mean(1), pose[:, 1:3, 2].mean(1))
    torch.testing.assert_close(depth_flipped(flipped, (1, 2)), pose)


def test_zeros_are_not_scaled_into_nan():
    assert not norm_scaled(torch.zeros(1, 17, 3), torch.ones(1, 17, 3)).any()


def test_wrong_flips_are_refused():
    with pytest.raises(PosebookError, match="permutation"):
        side_flip_rate(_poses(), _poses(), (0, 1, 2))
    with pytest.raises(PosebookError, match="permutation"):
        side_free_error(_poses(), _poses(3), H36M17.flip)
