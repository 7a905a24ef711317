"""Position errors against closed forms and float64 numpy."""

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.metrics import auc, joint_distances, mpjpe, mpjpe_per_action, n_mpjpe, pck, per_joint, root_relative


@pytest.fixture
def pair():
    g = torch.Generator().manual_seed(1)
    target = torch.randn(4, 5, 17, 3, generator=g, dtype=torch.float64) * 0.3
    return target + 0.05 * torch.randn(4, 5, 17, 3, generator=g, dtype=torch.float64), target


def test_translation_is_the_error_in_millimetres():
    target = torch.randn(6, 17, 3)
    pred = target + torch.tensor([0.03, 0.0, 0.04])  # a 3-4-5 triangle
    torch.testing.assert_close(mpjpe(pred, target), torch.tensor(50.0), atol=1e-3, rtol=0)
    assert mpjpe(pred, target, "none").shape == (6,)
    assert mpjpe(target, target) == 0


def test_mpjpe_and_per_joint_against_numpy(pair):
    pred, target = pair
    distances = 1000 * np.sqrt(((pred.numpy() - target.numpy()) ** 2).sum(-1))
    np.testing.assert_allclose(mpjpe(pred, target, "none"), distances.mean(-1), atol=1e-9)
    np.testing.assert_allclose(mpjpe(pred, target), distances.mean(), atol=1e-9)
    np.testing.assert_allclose(per_joint(pred, target), distances.mean((0, 1)), atol=1e-9)
    np.testing.assert_allclose(joint_distances(pred, target), distances, atol=1e-9)


def test_n_mpjpe_finds_the_scale_that_least_squares_finds(pair):
    pred, target = pair[0][0], pair[1][0]
    torch.testing.assert_close(n_mpjpe(0.4 * target, target), torch.zeros((), dtype=torch.float64), atol=1e-9, rtol=0)
    expected = []
    for x, y in zip(pred.numpy(), target.numpy(), strict=True):
        scale = np.linalg.lstsq(x.reshape(-1, 1), y.reshape(-1), rcond=None)[0][0]
        expected.append(1000 * np.linalg.norm(scale * x - y, axis=-1).mean())
    np.testing.assert_allclose(n_mpjpe(pred, target, "none"), expected, atol=1e-9)
    torch.testing.assert_close(n_mpjpe(7 * pred, target), n_mpjpe(pred, target))


def test_n_mpjpe_of_a_prediction_at_the_root_is_finite():
    target = torch.randn(2, 17, 3)
    for scaling in ("optimal", "norm"):
        torch.testing.assert_close(
            n_mpjpe(torch.zeros_like(target), target, scaling=scaling), mpjpe(0 * target, target)
        )


def test_pck_and_auc_by_counting():
    target = torch.zeros(1, 4, 3, dtype=torch.float64)
    pred = target.clone()
    pred[0, :, 0] = torch.tensor([0.0, 0.0121, 0.1499, 0.1501])  # metres
    assert pck(pred, target) == 75.0
    assert pck(pred, target, threshold_mm=12.0) == 25.0
    by_hand = np.mean([[d < t for d in (0.0, 12.1, 149.9, 150.1)] for t in range(0, 151, 5)]) * 100
    assert auc(pred, target).item() == pytest.approx(by_hand, abs=1e-9)
    assert auc(target, target).item() == pytest.approx(100 * 30 / 31)
    at_threshold = target + torch.tensor([0.125, 0, 0])  # exact in binary
    assert pck(at_threshold, target, threshold_mm=125.0) == 0  # strict


def test_mean_of_actions_weighs_actions_equally():
    target = torch.zeros(3, 17, 3)
    pred = target + torch.tensor([0.01, 0.02, 0.06])[:, None, None] * torch.tensor([1.0, 0, 0])
    table = mpjpe_per_action(pred, target, ["walk", "walk", "sit"])
    assert list(table) == ["sit", "walk", "mean of actions"]
    assert table == pytest.approx({"sit": 60, "walk": 15, "mean of actions": 37.5}, abs=1e-3)
    with pytest.raises(PosebookError, match="one action per frame"):
        mpjpe_per_action(pred, target, ["walk"])


def test_root_relative_uses_the_mean_of_the_named_joints():
    joints = torch.randn(5, 17, 3)
    expected = joints - (joints[:, [1]] + joints[:, [4]]) / 2
    torch.testing.assert_close(root_relative(joints, (1, 4)), expected)
    with pytest.raises(PosebookError, match="root"):
        root_relative(joints, (17,))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype):
    target = torch.randn(3, 17, 3).to(dtype)
    pred = (target.float() + 0.1).to(dtype)
    assert mpjpe(pred, target).dtype == torch.float32
    torch.testing.assert_close(mpjpe(pred, target), mpjpe(pred.float(), target.float()), atol=0, rtol=0)


def test_gradient_flows_through_mpjpe():
    pred = torch.randn(2, 17, 3, requires_grad=True)
    mpjpe(pred, torch.zeros(2, 17, 3)).backward()
    unit = pred.detach() / pred.detach().norm(dim=-1, keepdim=True)
    torch.testing.assert_close(pred.grad, 1000 * unit / 34)


@pytest.mark.parametrize(
    ("pred", "target", "message"),
    [
        (torch.zeros(2, 17, 2), torch.zeros(2, 17, 2), "last of size 3"),
        (torch.zeros(2, 17, 3), torch.zeros(2, 14, 3), "one shape"),
        (torch.zeros(1, 17, 3), torch.zeros(2, 17, 3), "do not broadcast"),
        (torch.zeros(3), torch.zeros(3), "at least 2 dimensions"),
        (torch.zeros(0, 17, 3), torch.zeros(0, 17, 3), "empty"),
        (torch.zeros(2, 17, 3, dtype=torch.long), torch.zeros(2, 17, 3), "floating"),
        (torch.full((2, 17, 3), 250.0), torch.zeros(2, 17, 3), "millimetres"),
        (torch.zeros(2, 17, 3), torch.full((2, 17, 3), -250.0), "target.*millimetres"),
    ],
)
def test_bad_input_is_one_clear_error(pred, target, message):
    with pytest.raises(PosebookError, match=message):
        mpjpe(pred, target)


def test_unknown_reduction():
    with pytest.raises(PosebookError, match="'mean' or 'none'"):
        mpjpe(torch.zeros(1, 2, 3), torch.zeros(1, 2, 3), "sum")
    with pytest.raises(PosebookError, match="scaling"):
        n_mpjpe(torch.zeros(1, 2, 3), torch.zeros(1, 2, 3), scaling="best")
