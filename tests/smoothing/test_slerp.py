"""Running slerp against roma's quaternion slerp, step by step."""

import pytest
import roma
import torch

from posebook.errors import PosebookError
from posebook.rotations import axis_angle_to_matrix
from posebook.smoothing import slerp, slerp_vectors


def test_each_step_is_the_sign_corrected_quaternion_slerp():
    walk = 0.4 * torch.randn(30, 5, 3, generator=torch.Generator().manual_seed(0)).double().cumsum(0)
    clip = axis_angle_to_matrix(walk)
    quaternions = roma.rotmat_to_unitquat(clip)
    expected = [quaternions[0]]
    for new in quaternions[1:]:
        expected.append(roma.unitquat_slerp(expected[-1], new, torch.tensor(0.3).double(), shortest_arc=True))
    found = slerp(clip, 30)
    torch.testing.assert_close(found, roma.unitquat_to_rotmat(torch.stack(expected)), atol=1e-6, rtol=0)


def test_a_step_is_forgotten_as_fast_in_seconds_at_any_rate():
    for fps in (15, 30, 60, 120):
        step = torch.cat([torch.zeros(1), torch.ones(fps)]).double()
        found = slerp_vectors(step, fps)[[fps // 5, fps]]
        seconds = torch.tensor([fps // 5 / fps, 1.0]).double()
        torch.testing.assert_close(found, 1 - 0.7 ** (30 * seconds))


def test_ratio_one_changes_nothing_and_more_is_refused():
    values = torch.randn(9, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(slerp_vectors(values, 25, ratio=1), values)
    with pytest.raises(PosebookError, match="at most 1"):
        slerp_vectors(values, 25, ratio=1.5)
