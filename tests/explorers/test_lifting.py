"""LiftingExplorer driven by its traits, against the cycle and the prior called directly."""

import math

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.explorers import LiftingExplorer
from posebook.models.selfsup import Lifter, LossWeights, lift


@pytest.fixture
def explorer(prior, poses):
    torch.manual_seed(1)
    return LiftingExplorer(Lifter(5, 16), prior, poses)


def test_a_camera_that_stays_sees_the_given_pose(explorer, prior, poses):
    """Azimuth 0 and no tilts: the second view is the first one, and every cycle term but its own lift closes."""
    explorer.level.value, explorer.azimuth.value, explorer.elevation.value, explorer.pose.value = False, 0, 0, 3
    torch.testing.assert_close(explorer.cycle.turned_pose[0], poses[3])
    assert explorer.values["two_d"] < 1e-5 and explorer.values["three_d"] < 1e-5
    assert explorer.values["deformation"] < 1e-5
    with torch.no_grad():
        assert explorer.values["flow"] == pytest.approx(prior(poses[3:4]).item(), abs=1e-3)


def test_the_elevation_slider_undoes_the_lifters_angle(explorer):
    explorer.azimuth.value = 0
    angle = float(explorer.cycle.first.angle[0])
    explorer.elevation.value = math.degrees(-angle)
    torch.testing.assert_close(explorer.cycle.views.rotation[0], torch.eye(3), atol=1e-6, rtol=0)


def test_half_a_turn_mirrors_the_lifted_pose(explorer, poses):
    explorer.level.value, explorer.azimuth.value, explorer.elevation.value = False, 180, 0
    points = lift(poses[:1], explorer.lifter(poses[:1]).depth)[0]
    turned = points * torch.tensor([-1.0, 1, -1])
    torch.testing.assert_close(explorer.cycle.turned[0], turned.detach(), atol=1e-5, rtol=0)
    drawn = explorer.scene.data[0]
    assert np.nanmax(drawn.x) == pytest.approx(turned[:, 0].max().item(), abs=1e-5)


def test_labels_say_the_terms_and_their_weights(prior, poses):
    explorer = LiftingExplorer(Lifter(5, 16), prior, poses, LossWeights(bones=2.0))
    for name, value in explorer.values.items():
        assert f"<td>{name}</td><td align='right'>{value:.3f}</td>" in explorer.table.value
        assert f"{value:.3f}" in explorer.text()
    assert explorer.weighted["bones"] == pytest.approx(2 * explorer.values["bones"])
    assert f"{sum(explorer.weighted.values()):.3f}" in explorer.table.value
    assert f"{explorer.values['two_d']:.3f}" in explorer.first.layout.title.text


def test_every_pose_is_drawn_upright(explorer, poses):
    explorer.pose.value = len(poses) - 1  # its partner is the first one
    given = explorer.first.data[len(explorer.first.data) // 2 :]
    ys = np.concatenate([t.y[np.isfinite(t.y)] for t in given])
    assert ys.max() == pytest.approx(-poses[-1, :, 1].min().item(), abs=1e-6)
    assert explorer.png().startswith(b"\x89PNG")


def test_what_does_not_fit_is_refused(prior, poses):
    with pytest.raises(PosebookError, match="lifter has 17 joints"):
        LiftingExplorer(Lifter(17, 8), prior, poses)
    with pytest.raises(PosebookError, match="at least 2"):
        LiftingExplorer(Lifter(5, 8), prior, poses[:1])
