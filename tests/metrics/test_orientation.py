"""Angles between rotations against scipy's quaternions and rotations about a known axis."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from posebook.errors import PosebookError
from posebook.metrics import err_quat, rotation_angle


def pairs(count, seed=0):
    rng = np.random.default_rng(seed)
    return Rotation.random(count, rng=rng), Rotation.random(count, rng=rng)


def matrix(rotation):
    return torch.tensor(rotation.as_matrix())


def test_official_formula():
    """arccos(2 <q, q'>^2 - 1), specs/nbf.md section 7."""
    a, b = pairs(2000)
    official = np.arccos(2 * (a.as_quat() * b.as_quat()).sum(1) ** 2 - 1)
    out = rotation_angle(matrix(a), matrix(b))
    assert out.shape == (2000,)
    np.testing.assert_allclose(out, official, atol=1e-10)
    assert 0 <= out.min() and out.max() <= math.pi


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("angle", [0.0, 1e-6, 1e-3, 0.5, math.pi / 2, 2.0, math.pi - 1e-3, math.pi - 1e-6, math.pi])
def test_known_angles_keep_their_digits(angle, dtype):
    """Turning any orientation by a known angle; arccos in float32 would miss by 5e-4 at both ends."""
    base, axis = pairs(500, seed=1)
    axis = axis.as_rotvec() / np.linalg.norm(axis.as_rotvec(), axis=1, keepdims=True)
    turned = base * Rotation.from_rotvec(angle * axis)
    out = rotation_angle(matrix(turned).to(dtype), matrix(base).to(dtype))
    assert out.dtype == dtype
    np.testing.assert_allclose(out, angle, atol=1e-14 if dtype == torch.float64 else 1e-6)


def test_it_is_a_distance_that_ignores_the_frame():
    (a, b), (c, _) = pairs(100, seed=2), pairs(100, seed=3)
    angle = rotation_angle(matrix(a), matrix(b))
    torch.testing.assert_close(angle, rotation_angle(matrix(b), matrix(a)))
    torch.testing.assert_close(angle, rotation_angle(matrix(c * a), matrix(c * b)))
    torch.testing.assert_close(angle, rotation_angle(matrix(a * c), matrix(b * c)))


def test_mean_over_joints_and_degrees():
    """Joint j is turned about x by 5 j degrees in the first frame and 7.5 j in the second."""
    degrees = torch.arange(24.0, dtype=torch.float64) * torch.tensor([[5.0], [7.5]])
    pred = torch.tensor(Rotation.from_euler("x", degrees.reshape(-1, 1).numpy(), degrees=True).as_matrix())
    pred = pred.reshape(2, 24, 3, 3)
    target = torch.eye(3, dtype=torch.float64).expand(2, 24, 3, 3)
    expected = torch.tensor([5.0, 7.5], dtype=torch.float64) * 11.5
    torch.testing.assert_close(err_quat(pred, target, "none", degrees=True), expected)
    torch.testing.assert_close(err_quat(pred, target, "none"), expected * math.pi / 180)
    torch.testing.assert_close(err_quat(pred, target), expected.mean() * math.pi / 180)
    assert err_quat(pred[0], target[0], "none").shape == ()


def test_gradient_is_finite_where_the_rotations_agree():
    pred = torch.eye(3).repeat(4, 1, 1).requires_grad_()
    err_quat(pred, torch.eye(3).repeat(4, 1, 1)).backward()
    assert pred.grad.isfinite().all()


def test_half_precision_nan_and_types():
    a, b = (matrix(r) for r in pairs(50, seed=4))
    torch.testing.assert_close(rotation_angle(a.half(), b.half()), rotation_angle(a, b).float(), atol=5e-3, rtol=0)
    assert rotation_angle(a.float(), b).dtype == torch.float64
    a[3] = math.nan
    assert rotation_angle(a, b).isnan().nonzero().tolist() == [[3]]


@pytest.mark.parametrize(
    ("pred", "target", "message"),
    [
        (torch.eye(3)[None], torch.eye(3).repeat(2, 1, 1), "one shape"),
        (torch.eye(4)[None], torch.eye(4)[None], "rotation matrices"),
        (torch.eye(3).long()[None], torch.eye(3)[None], "floating"),
        (torch.eye(3)[None], 2 * torch.eye(3)[None], "target: expected rotations, but 1 of 1"),
        (torch.diag(torch.tensor([1.0, 1, -1])).repeat(2, 1, 1), torch.eye(3).repeat(2, 1, 1), "2 of 2"),
        (torch.zeros(0, 3, 3), torch.zeros(0, 3, 3), "rotation matrices"),
        (torch.eye(3), torch.eye(3), "rotations of joints"),
    ],
)
def test_bad_rotations(pred, target, message):
    with pytest.raises(PosebookError, match=message):
        err_quat(pred, target)


def test_unknown_reduction():
    with pytest.raises(PosebookError, match="'mean' or 'none'"):
        err_quat(torch.eye(3)[None], torch.eye(3)[None], "sum")
