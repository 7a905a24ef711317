"""Rotations against the recording and scipy; what a learned elevation does to the views."""

import math

import pytest
import torch
from scipy.spatial.transform import Rotation

from posebook.errors import PosebookError
from posebook.models.selfsup import draw_noise, second_views
from posebook.models.selfsup.rotation import FIXED_RANGE, euler_xyz, rotation_x, rotation_y, rotation_z

EXACT = {"atol": 1e-5, "rtol": 0}


def recorded_noise(step):
    """The recorded draw as ViewNoise: eps = (x_ang + mean) / std."""
    noise = draw_noise(len(step["x_ang"]))
    normal = (step["x_ang"] + step["angle_mean"]) / step["angle_std_unbiased"]
    return noise._replace(azimuth=step["y_ang"], normal=normal)


@pytest.mark.parity
def test_euler_rotations_repeat_the_official_ones(recorded):
    torch.testing.assert_close(euler_xyz(recorded["rotation"]["euler"]), recorded["rotation"]["xyz"], **EXACT)


@pytest.mark.parity
def test_views_repeat_the_recorded_step(recorded):
    step = recorded["step"]["plain"]
    views = second_views(step["angle"][:, 0], recorded_noise(step))
    torch.testing.assert_close(views.elevation, step["x_ang"], **EXACT)
    torch.testing.assert_close(views.levelling, step["comp_ang"], **EXACT)
    torch.testing.assert_close(rotation_x(views.elevation), step["R_x"], **EXACT)
    torch.testing.assert_close(rotation_y(views.azimuth), step["R_y"], **EXACT)
    torch.testing.assert_close(rotation_x(views.levelling), step["R_comp"], **EXACT)
    torch.testing.assert_close(views.rotation, step["R"], **EXACT)


@pytest.mark.parametrize(("axis", "ours"), [("x", rotation_x), ("y", rotation_y), ("z", rotation_z)])
def test_axes_are_right_handed(axis, ours):
    for degrees in (-170, 30, 90):
        wanted = torch.tensor(Rotation.from_euler(axis, degrees, degrees=True).as_matrix())
        torch.testing.assert_close(ours(torch.tensor(math.radians(degrees), dtype=torch.float64)), wanted)


def test_a_learned_elevation_takes_the_tilt_away_and_draws_another():
    """People upright under cameras of tilts N(0.3, 0.1): the second views have the same distribution of tilts."""
    g = torch.Generator().manual_seed(0)
    tilt = 0.3 + 0.1 * torch.randn(20000, generator=g)
    up = rotation_x(tilt)[..., 1]  # the world's vertical in the first camera
    views = second_views(-tilt, draw_noise(20000, g))
    seen = (views.rotation @ up.unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(seen[:, 0], torch.zeros(20000), atol=1e-5, rtol=0)
    again = torch.atan2(seen[:, 2], seen[:, 1])
    assert again.mean().item() == pytest.approx(0.3, abs=0.01) and again.std().item() == pytest.approx(0.1, abs=0.01)


def test_the_papers_composition_is_conjugation_by_the_drawn_elevation():
    noise, angle = draw_noise(64, torch.Generator().manual_seed(1)), 0.2 * torch.randn(64)
    views = second_views(angle, noise, composition="paper")
    drawn = rotation_x(angle.mean() + angle.std() * noise.normal)
    torch.testing.assert_close(views.rotation, drawn.mT @ rotation_y(noise.azimuth) @ drawn)


def test_gradients_reach_every_angle_only_when_it_is_learned():
    noise, angle = draw_noise(8, torch.Generator().manual_seed(2)), torch.randn(8, requires_grad=True)
    for composition in ("elepose", "paper"):
        value = second_views(angle, noise, composition=composition).rotation[:, 1].sum()
        assert torch.autograd.grad(value, angle)[0].abs().min() > 0
    fixed = second_views(angle, noise, "fixed")
    assert not fixed.rotation.requires_grad
    assert fixed.elevation.abs().max() <= FIXED_RANGE


def test_one_sample_and_unknown_names_are_refused():
    with pytest.raises(PosebookError, match="at least 2 poses"):
        second_views(torch.zeros(1), draw_noise(1))
    assert second_views(torch.zeros(1), draw_noise(1), "fixed").rotation.isfinite().all()
    for options in ({"elevation": "none"}, {"composition": "other"}):
        with pytest.raises(PosebookError, match="Expected elevation"):
            second_views(torch.zeros(2), draw_noise(2), **options)
