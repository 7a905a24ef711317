"""What all proper filters share, and the choice by name."""

import inspect

import pytest
import roma
import torch

from posebook.errors import PosebookError
from posebook.metrics import rotation_angle
from posebook.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from posebook.smoothing import FILTERS, official_one_euro_axis_angle, smooth, smooth_vectors

NAMES = list(FILTERS)


def random_rotations(count: int, seed: int) -> torch.Tensor:
    return roma.random_rotmat(count, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def motion(fps: float, seconds: float = 4.0, joints: int = 3) -> torch.Tensor:
    """Slow swings about fixed axes, (T, J, 3, 3)."""
    axes = torch.nn.functional.normalize(torch.randn(joints, 3, generator=torch.Generator().manual_seed(1)), dim=-1)
    time = torch.arange(0, seconds, 1 / fps, dtype=torch.float64)[:, None, None]
    rest = random_rotations(joints, 2)
    return rest @ axis_angle_to_matrix(axes.double() * 0.6 * torch.sin(2 * torch.pi * 0.4 * time))


def noisy(rotations: torch.Tensor, size: float, seed: int = 0) -> torch.Tensor:
    noise = torch.randn(rotations.shape[:-1], generator=torch.Generator().manual_seed(seed)).to(rotations)
    return rotations @ axis_angle_to_matrix(size * noise)


def spin(degrees: float, frames: int = 60) -> torch.Tensor:
    """A steady turn about y from 0 to `degrees`, (T, 1, 3, 3)."""
    angles = torch.linspace(0, degrees, frames).deg2rad().double()
    return axis_angle_to_matrix(torch.stack([0 * angles, angles, 0 * angles], -1))[:, None]


def steps(rotations: torch.Tensor) -> torch.Tensor:
    """Degrees from each frame to the next."""
    return rotation_angle(rotations[1:], rotations[:-1]).flatten()


@pytest.mark.parametrize("name", NAMES)
def test_rest_stays_at_rest(name):
    still = random_rotations(4, 0).expand(25, 4, 3, 3)
    torch.testing.assert_close(smooth(still, 30, name), still, atol=1e-6, rtol=0)
    torch.testing.assert_close(smooth_vectors(still, 30, name), still, atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("frames", [1, 2, 3])
def test_the_shortest_clips_work(name, frames):
    clip = noisy(motion(30), 0.1)[:frames].float()
    for found in (smooth(clip, 30, name), smooth_vectors(clip, 30, name)):
        assert found.shape == clip.shape and found.dtype == clip.dtype and found.isfinite().all()
    if frames == 1:
        torch.testing.assert_close(smooth(clip, 30, name), clip)


@pytest.mark.parametrize("name", NAMES)
def test_turning_the_world_turns_the_result(name):
    clip = noisy(motion(30), 0.2)
    turn = random_rotations(1, 5)
    torch.testing.assert_close(smooth(turn @ clip, 30, name), turn @ smooth(clip, 30, name), atol=1e-9, rtol=0)


@pytest.mark.parametrize("name", NAMES)
def test_results_are_rotations(name):
    found = smooth(noisy(motion(30), 0.3), 30, name)
    torch.testing.assert_close(found.mT @ found, torch.eye(3).double().expand_as(found), atol=1e-9, rtol=0)
    assert (torch.linalg.det(found) > 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_no_jump_where_the_angle_passes_pi(name):
    found = smooth(spin(300), 30, name)
    assert steps(found).max() < 1.05 * steps(spin(300)).max()


def test_the_official_filter_jumps_there_and_nowhere_else():
    for degrees, jumps in ((170, False), (300, True)):
        raw = matrix_to_axis_angle(spin(degrees))
        found = axis_angle_to_matrix(official_one_euro_axis_angle(raw))
        assert bool(steps(found).max() > 3 * steps(spin(degrees)).max()) == jumps


@pytest.mark.parametrize("name", NAMES)
def test_noise_goes_and_motion_stays(name):
    true = motion(30)
    raw = noisy(true, 0.1)
    found = smooth(raw, 30, name)
    assert steps(found).mean() < 0.6 * steps(raw).mean()  # less jitter
    if name in ("gaussian", "savitzky_golay"):  # the others are late: smooth, but not nearer to the truth
        assert rotation_angle(found, true).mean() < 0.7 * rotation_angle(raw, true).mean()


@pytest.mark.parametrize("name", NAMES)
def test_the_same_motion_at_thirty_and_sixty_frames_a_second_is_smoothed_alike(name):
    """Compared where they share an instant: within a quarter of what the filter does to the motion."""
    slow, fast = motion(30), motion(60)
    by_slow, by_fast = smooth(slow, 30, name), smooth(fast, 60, name)[::2]
    apart = rotation_angle(by_slow[15:-15], by_fast[15:-15]).max()
    assert apart < max(0.2, 0.25 * rotation_angle(by_slow, slow).max())
    blind = smooth(fast, 30, name)[::2]  # told a wrong rate
    assert rotation_angle(by_slow[15:-15], blind[15:-15]).max() > 2 * apart


def test_unknown_names_say_what_there_is():
    clip = motion(30)
    with pytest.raises(PosebookError, match="Unknown filter 'kalman': expected one of gaussian, one_euro"):
        smooth(clip, 30, "kalman")
    with pytest.raises(PosebookError, match="'slerp' has no parameter 'sigma': it takes ratio"):
        smooth(clip, 30, "slerp", sigma=1)
    for pair in FILTERS.values():
        assert len({tuple(list(inspect.signature(f).parameters)[1:]) for f in pair}) == 1


def test_input_that_does_not_fit_is_refused():
    clip = motion(30)
    with pytest.raises(PosebookError, match="axis_angle_to_matrix"):
        smooth(torch.zeros(5, 72), 30)
    with pytest.raises(PosebookError, match="project_to_rotation"):
        smooth(2 * clip, 30)
    with pytest.raises(PosebookError, match="at least one frame"):
        smooth(clip[:0], 30)
    with pytest.raises(PosebookError, match="fps must be positive"):
        smooth(clip, 0)
    holed = clip.clone()
    holed[7] = torch.nan
    with pytest.raises(PosebookError, match="frame 7 is not finite"):
        smooth(holed, 30)
    with pytest.raises(PosebookError, match="floating point tensor"):
        smooth_vectors(torch.arange(4), 30)
