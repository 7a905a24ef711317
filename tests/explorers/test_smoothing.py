"""SmoothingExplorer driven by its controls, against the filters and metrics called by hand."""

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.explorers import SmoothingExplorer
from posebook.explorers.smoothing import DIALS, OFFICIAL
from posebook.metrics import accel, accel_error, mpjpe
from posebook.rotations import axis_angle_to_matrix
from posebook.smoothing import gaussian, savitzky_golay

FPS, T = 30, 40
NAMES = ["pelvis", "elbow", "wrist"]
BONE = torch.tensor([0.0, 0.3, 0.0]).double()


def arm(rotations: torch.Tensor) -> torch.Tensor:
    """Two bones in a row, (T, 2, 3, 3) -> (T, 3, 3) metres, away from the origin."""
    bone = BONE.to(rotations.dtype)
    elbow = rotations[:, 0] @ bone
    wrist = elbow + rotations[:, 0] @ rotations[:, 1] @ bone
    return torch.stack([torch.zeros_like(elbow), elbow, wrist], 1) + torch.tensor([0.1, 0.2, 4.0])


def clip(frames=T):
    time = torch.arange(frames).double()[:, None] / FPS
    angles = torch.sin(3 * time) * torch.tensor([0.5, 0.9])
    swing = torch.stack([0 * angles, 0 * angles, angles], -1)
    true = axis_angle_to_matrix(swing)
    noise = torch.randn(frames, 2, 3, generator=torch.Generator().manual_seed(0)).double()
    return true, true @ axis_angle_to_matrix(0.1 * noise)


@pytest.fixture
def explorer():
    true, noisy = clip()
    return SmoothingExplorer(arm(true), noisy, arm, FPS, NAMES)


def rooted(joints):
    return joints - joints[:, :1]


def test_smoothed_joints_and_scores_are_those_of_the_filter(explorer):
    true, noisy = clip()
    explorer.strength.value = 0.8
    expected = rooted(arm(gaussian(noisy, FPS, sigma=explorer.value)))
    torch.testing.assert_close(explorer.smoothed, expected)
    target = rooted(arm(true))
    assert explorer.scores == pytest.approx(
        (mpjpe(expected, target).item(), accel(expected).item(), accel_error(expected, target).item())
    )
    raw = rooted(arm(noisy))
    assert explorer.raw_scores == pytest.approx(
        (mpjpe(raw, target).item(), accel(raw).item(), accel_error(raw, target).item())
    )
    for score in (explorer.raw_scores.mpjpe, *explorer.scores):
        assert f"{score:.1f}" in explorer.caption.value


def test_the_curve_shows_the_chosen_coordinate_in_millimetres(explorer):
    explorer.joint.value, explorer.axis.value = "elbow", "y (down)"
    traces = {trace.name: np.asarray(trace.y) for trace in explorer.figure.data}
    true, noisy = clip()
    np.testing.assert_allclose(traces["true"], 1000 * rooted(arm(true))[:, 1, 1], atol=1e-6)
    np.testing.assert_allclose(traces["raw"], 1000 * rooted(arm(noisy))[:, 1, 1], atol=1e-6)
    np.testing.assert_allclose(traces["smoothed"], 1000 * explorer.smoothed[:, 1, 1], atol=1e-6)
    assert explorer.figure.layout.title.text == "elbow, y (down)"
    np.testing.assert_allclose(explorer.figure.data[0].x, np.arange(T) / FPS)


def test_the_spectrum_is_that_of_the_chosen_joint_and_jitter_fills_its_end(explorer):
    explorer.joint.value, explorer.view.value = "wrist", "acceleration spectrum"
    traces = {trace.name: np.asarray(trace.y) for trace in explorer.figure.data}
    true, noisy = clip()
    second = 1000 * np.diff(rooted(arm(noisy))[:, 2].numpy(), n=2, axis=0)
    assert (traces["raw"] ** 2).sum() == pytest.approx((second**2).sum(-1).mean())
    fast = np.asarray(explorer.figure.data[0].x) > 8
    assert traces["raw"][fast].mean() > 10 * traces["true"][fast].mean()
    assert explorer.figure.layout.xaxis.title.text == "Hz"
    explorer.view.value = "position"
    assert explorer.figure.layout.yaxis.title.text == "mm from the root"


@pytest.mark.parametrize("name", list(DIALS))
def test_every_filter_smooths_more_the_further_the_slider(explorer, name):
    explorer.filter.value = name
    jitter = []
    for strength in (0, 0.5, 1):
        explorer.strength.value = strength
        jitter.append(explorer.scores.accel)
        assert name in explorer.caption.value
    assert jitter[0] >= jitter[1] >= jitter[2] and jitter[2] < 0.8 * explorer.raw_scores.accel
    if name != OFFICIAL:
        assert jitter[2] < 0.2 * explorer.raw_scores.accel


def test_weakest_is_almost_none_and_windows_stay_wide_enough(explorer):
    explorer.strength.value = 0
    assert explorer.scores.mpjpe == pytest.approx(explorer.raw_scores.mpjpe, rel=0.05)
    explorer.filter.value = "savitzky_golay"
    assert explorer.value == pytest.approx(5 / FPS)
    torch.testing.assert_close(explorer.smoothed, rooted(arm(savitzky_golay(clip()[1], FPS, 5 / FPS))))


@pytest.mark.parametrize("frames", [1, 2])
def test_clips_without_an_acceleration_work(frames):
    true, noisy = clip(frames)
    explorer = SmoothingExplorer(arm(true), noisy, arm, FPS)
    assert np.isfinite(explorer.scores.mpjpe) and np.isnan(explorer.scores.accel)
    assert explorer.joint.options == ("0", "1", "2")


def test_picture(explorer):
    assert explorer.png().startswith(b"\x89PNG") and "image/png" in explorer._repr_mimebundle_()


def test_shapes_that_do_not_fit_are_refused():
    true, noisy = clip()
    with pytest.raises(PosebookError, match="joints_of gave"):
        SmoothingExplorer(arm(true)[:, :2], noisy, arm, FPS)
    with pytest.raises(PosebookError, match="names: expected 3"):
        SmoothingExplorer(arm(true), noisy, arm, FPS, ["one"])
