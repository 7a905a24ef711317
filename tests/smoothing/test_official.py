"""VIBE's demo filter against its recording."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.smoothing import official_one_euro_axis_angle


@pytest.mark.parity
def test_one_euro_matches_the_recording(parity):
    recorded = parity.load("vibe.pt")["one_euro"]
    for (min_cutoff, beta), expected in (
        (tuple(map(float, k[1:-1].split(","))), v) for k, v in recorded["out"].items()
    ):
        found = official_one_euro_axis_angle(recorded["input"], min_cutoff, beta)
        torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)


@pytest.mark.parity
def test_the_demo_s_poses_match_the_recording(parity):
    recorded = parity.load("vibe.pt")["smooth_pose"]
    found = official_one_euro_axis_angle(recorded["pose"], 0.004, 0.7)
    torch.testing.assert_close(found, recorded["pose_out"], atol=1e-6, rtol=0)


def test_matrices_are_refused():
    with pytest.raises(PosebookError, match="matrix_to_axis_angle"):
        official_one_euro_axis_angle(torch.eye(3).expand(4, 24, 3, 3))
