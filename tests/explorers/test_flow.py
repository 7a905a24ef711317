"""FlowExplorer driven by its traits, against the prior called directly."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.explorers import FlowExplorer
from posebook.explorers.flow import MIDDLE, latent_directions, outside_share


@pytest.fixture
def flow(prior, poses):
    return FlowExplorer(prior, poses, directions=3)


def test_directions_are_unit_and_ordered_by_what_they_move(prior):
    axes = latent_directions(prior)
    torch.testing.assert_close(axes @ axes.T, torch.eye(5), atol=1e-5, rtol=0)
    with torch.no_grad():
        middle = prior.decode(torch.zeros(1, 5))
        moved = [(prior.decode(0.01 * a[None]) - middle).norm().item() for a in axes]
    assert moved == sorted(moved, reverse=True)


def test_sliders_decode_and_a_given_start_is_itself(flow, prior, poses):
    flow.start.value = 7
    torch.testing.assert_close(flow.begin, prior.poses(prior.coefficients(poses[7:8]))[0], atol=1e-5, rtol=0)
    with torch.no_grad():
        assert flow.likelihood == pytest.approx(prior.log_likelihood(poses[7:8]).item(), abs=1e-3)
        flow.along[1].value = 1.5
        wanted = prior.decode(prior.latent(poses[7:8]) + 1.5 * flow.axes[1])[0]
    torch.testing.assert_close(flow.shown, wanted)
    below = (flow.likelihoods < flow.likelihood).float().mean().item()
    assert flow.share == pytest.approx(100 * below)
    assert f"{flow.likelihood:.2f}" in flow.caption.value


def test_bending_moves_one_joint_and_costs_likelihood(flow):
    assert flow.start.value == MIDDLE
    before = flow.shown.clone(), flow.likelihood
    flow.joint.value, flow.bend[1].value = "left_arm", 100
    change = flow.shown - before[0]
    assert change[3, 1].item() == pytest.approx(0.1) and not change[[0, 1, 2, 4]].any()
    assert flow.likelihood < before[1] - 1
    assert 0 < flow.outside < 100 and "outside the kept components" in flow.caption.value
    flow.reset.click()
    assert flow.likelihood == pytest.approx(before[1]) and flow.outside == 0


def test_a_change_within_the_span_is_not_outside(prior):
    within = prior.poses(torch.ones(1, 5)) - prior.poses(torch.zeros(1, 5))
    assert outside_share(prior, within) == pytest.approx(0, abs=0.1)


def test_curve_and_picture(flow):
    assert sum(flow.curve.data[0].y) == pytest.approx(100)
    assert flow.curve.data[1].x[0] == pytest.approx(flow.likelihood)
    assert flow.png().startswith(b"\x89PNG")


def test_more_directions_than_there_are_are_refused(prior, poses):
    with pytest.raises(PosebookError, match="5 directions, 6 asked"):
        FlowExplorer(prior, poses, directions=6)
