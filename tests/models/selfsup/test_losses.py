"""The pose terms against both recorded steps, loops, and what they should forgive."""

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.selfsup import (
    ELEPOSE_BODY17,
    LossWeights,
    draw_noise,
    joint_major,
    lift,
    pose_losses,
    project,
    run_cycle,
    second_views,
    weighted,
)
from posebook.models.selfsup.losses import bones, deformation, three_d, two_d

NAMES = {"flow": "nf", "three_d": "3d", "two_d": "2d", "deformation": "def", "bones": "bone"}


def _replayed(recorded, name, lifter, prior):
    """One recorded step: Cycle and losses; "clamped" has another depth bias."""
    step = recorded["step"][name]
    if name == "clamped":
        torch.nn.init.constant_(lifter.depth.bias, -9.1)
    noise = draw_noise(32)
    normal = (step["x_ang"] + step["angle_mean"]) / step["angle_std_unbiased"]
    noise = noise._replace(azimuth=step["y_ang"], normal=normal)
    cycle = run_cycle(lifter, joint_major(step["p2d"]), lambda angle: second_views(angle, noise))
    return step, cycle, pose_losses(cycle, prior, ELEPOSE_BODY17)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["plain", "clamped"])
def test_a_training_step_repeats_the_official_one(recorded, filled_lifter, filled_prior, name):
    step, cycle, losses = _replayed(recorded, name, filled_lifter, filled_prior)
    torch.testing.assert_close(cycle.first.depth, step["depth_raw"], atol=1e-5, rtol=0)
    torch.testing.assert_close(cycle.views.rotation, step["R"], atol=1e-5, rtol=0)
    for ours, theirs in NAMES.items():
        assert getattr(losses, ours).item() == pytest.approx(step[f"loss_{theirs}"].item(), rel=1e-4)
        assert getattr(LossWeights(), ours) == step["weights"][theirs]
    total = weighted(losses, LossWeights())
    assert total.item() == pytest.approx(step["total"].item(), rel=1e-4)
    total.backward()
    norms = {n: p.grad.norm().item() for n, p in filled_lifter.named_parameters()}
    assert norms == pytest.approx(step["grad_norms"], rel=1e-4)
    torch.optim.Adam(filled_lifter.parameters(), 2e-4, weight_decay=1e-5).step()
    with torch.no_grad():
        after = filled_lifter(joint_major(step["p2d"]))
    torch.testing.assert_close(after.depth, step["depth_after_step"], atol=1e-4, rtol=0)
    torch.testing.assert_close(after.angle, step["angle_after_step"][:, 0], atol=1e-4, rtol=0)


@pytest.mark.parity
def test_projection_repeats_the_official_one(recorded):
    points = joint_major(recorded["helpers"]["proj_in"], 3)  # its depth includes the distance
    wanted = joint_major(recorded["helpers"]["proj_out"])
    torch.testing.assert_close(project(points, 0.0), wanted, atol=1e-5, rtol=0)


def test_projection_undoes_lifting():
    torch.manual_seed(0)
    pose, depth = 0.1 * torch.randn(3, 5, 2), torch.randn(3, 5)
    pose[:, 2] = 0
    points = lift(pose, depth, root=2)
    assert not points[:, 2].any()
    torch.testing.assert_close(project(points), pose)


def test_clamped_and_root_depths_have_no_gradient():
    depth = torch.tensor([[3.0, -9.5, 0.5]], requires_grad=True)
    lift(torch.ones(1, 3, 2), depth).sum().backward()
    assert depth.grad[0, 0] == 0 and depth.grad[0, 1] == 0 and depth.grad[0, 2] != 0


def test_terms_by_loops():
    g = torch.Generator().manual_seed(0)
    a, b = (torch.randn(5, 17, 3, generator=g, dtype=torch.float64) for _ in range(2))
    x, y = a.numpy(), b.numpy()
    assert two_d(a[..., :2], b[..., :2]).item() == pytest.approx(
        sum(np.abs(x - y)[i, :, :2].sum() for i in range(5)) / 5
    )
    assert three_d(a, b).item() == pytest.approx(np.mean([np.linalg.norm((x - y)[i]) for i in range(5)]))
    pairs = [np.linalg.norm((x[i] - x[i + 1]) - (y[i] - y[i + 1])) for i in (0, 2)]  # the fifth has no partner
    assert deformation(a, b).item() == pytest.approx(np.mean(pairs))
    total = 0.0
    for pose in x:
        lengths = [np.linalg.norm(pose[i] - pose[j]) for i, j in ELEPOSE_BODY17.links]
        relative = np.array(lengths) / np.mean(lengths)
        total += ((np.array(ELEPOSE_BODY17.bone_means) - relative) ** 2).sum()
    assert bones(a, ELEPOSE_BODY17).item() == pytest.approx(total / 5)


def test_a_perfect_lifter_has_no_cycle_losses(toy):
    """An oracle that knows each pose's depth, turned or not, closes the cycle: only the prior remains."""
    structure, points, _ = toy
    true = points(6).double()
    scale = 2.0 * torch.linalg.vector_norm(true[:, 2], dim=-1).mean()
    true = true / scale
    known = {}

    def oracle(pose):
        from posebook.models.selfsup import Lifted

        depth = true[..., 2] if not known else known["turned"][..., 2]
        return Lifted(depth, torch.full((6,), 0.2, dtype=torch.float64))

    def views(angle):
        found = second_views(angle + 0.01 * torch.arange(6), noise)
        known["turned"] = true @ found.rotation.mT
        return found

    noise = draw_noise(6, torch.Generator().manual_seed(0))
    noise = type(noise)(*(part.double() for part in noise))
    cycle = run_cycle(oracle, project(true), views)
    torch.testing.assert_close(cycle.points, true)
    losses = pose_losses(cycle, lambda pose: pose.new_zeros(len(pose)), structure)
    assert max(losses.two_d, losses.three_d, losses.deformation) < 1e-12
    assert losses.bones < 1e-12  # the toy's bones are the structure's


def test_weights_leave_terms_out():
    weights = LossWeights()
    assert weights.without("bones").bones == 0 and weights.without("bones").two_d == 1
    base = weights.without("base")
    assert (base.two_d, base.three_d, base.deformation, base.flow, base.adversarial) == (0, 0, 0, 1, 10)
    other = weights.without("base", "image")
    assert (other.adversarial, other.skeleton, other.two_d, other.three_d) == (0, 0, 0, 1)
    for names in (("elevation",), ("base", "elepose")):
        with pytest.raises(PosebookError, match="Unknown term"):
            weights.without(*names)


def test_a_term_without_weight_may_be_anything():
    from posebook.models.selfsup import PoseLosses

    terms = PoseLosses(*(torch.tensor(float(v)) for v in (1, 2, 3, float("nan"), 5)))
    assert weighted(terms, LossWeights().without("flow")).item() == 1 + 2 + 3 + 250


def test_a_batch_of_one_is_refused():
    with pytest.raises(PosebookError, match="at least 2 poses"):
        deformation(torch.zeros(1, 17, 3), torch.zeros(1, 17, 3))
