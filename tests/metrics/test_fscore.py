"""F-scores against loops over points, closed forms, and alignment one hand at a time."""

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.metrics import freihand_scores, fscore


def brute_force(pred: np.ndarray, target: np.ndarray, threshold: float) -> float:
    """Count points one by one, metres."""
    hit = [min(np.sqrt(((p - q) ** 2).sum()) for q in target) < threshold for p in pred]
    met = [min(np.sqrt(((p - q) ** 2).sum()) for p in pred) < threshold for q in target]
    precision, recall = sum(hit) / len(hit), sum(met) / len(met)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def similarity(pred: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Umeyama's alignment by numpy's SVD."""
    x, y = pred - pred.mean(0), target - target.mean(0)
    u, s, vt = np.linalg.svd(y.T @ x)
    d = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    return (s * d).sum() / (x**2).sum() * x @ (u @ np.diag(d) @ vt).T + target.mean(0)


@pytest.mark.parametrize("threshold", [5.0, 15.0, 40.0])
def test_against_brute_force(threshold):
    rng = np.random.default_rng(0)
    target = rng.uniform(-0.1, 0.1, (37, 30, 3)) + [0, 0, 0.8]
    pred = target[:, rng.permutation(30)] + rng.normal(0, 0.012, target.shape)
    expected = [brute_force(p, t, threshold / 1000) for p, t in zip(pred, target, strict=True)]
    found = fscore(torch.from_numpy(pred), torch.from_numpy(target), threshold, "none")
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert fscore(torch.from_numpy(pred), torch.from_numpy(target), threshold) == pytest.approx(np.mean(expected))
    single = fscore(torch.from_numpy(pred).float(), torch.from_numpy(target).float(), threshold, "none")
    np.testing.assert_allclose(single, expected, atol=1e-5)


def test_closed_form():
    """Ten target points a decimetre apart; the prediction has six of them, four far away."""
    target = torch.zeros(10, 3)
    target[:, 0] = torch.arange(10) / 10
    pred = target.clone()
    pred[6:, 2] = 5.0
    assert fscore(pred, target, 5.0) == pytest.approx(0.6)
    assert fscore(target.flip(0), target, 5.0) == 1  # order does not count
    assert fscore(target + torch.tensor([0, 9.0, 0]), target, 5.0) == 0
    beside = target + torch.tensor([0, 1 / 128, 0])  # exactly representable: at the threshold is out
    assert fscore(beside, target, 1000 / 128) == 0 and fscore(beside, target, 7.82) == 1
    doubled = torch.cat([target[:5], target[:5]])  # precision 1, recall 1/2
    assert fscore(doubled, target, 5.0) == pytest.approx(2 / 3)


def test_freihand_aligns_joints_and_vertices_separately():
    rng = np.random.default_rng(1)
    joints, vertices = rng.uniform(-0.1, 0.1, (20, 21, 3)), rng.uniform(-0.1, 0.1, (20, 60, 3))
    pred_joints = 1.3 * joints + rng.normal(0, 0.006, joints.shape) + [0, 0.1, 0.9]
    pred_vertices = 0.8 * vertices[..., [1, 2, 0]] + rng.normal(0, 0.006, vertices.shape)
    found = freihand_scores(*(torch.from_numpy(a) for a in (pred_joints, joints, pred_vertices, vertices)), "none")
    aligned = [similarity(p, t) for p, t in zip(pred_vertices, vertices, strict=True)]
    by_hand = {
        "pa_mpjpe": [1000 * np.linalg.norm(similarity(p, t) - t, axis=1).mean()
                     for p, t in zip(pred_joints, joints, strict=True)],
        "pa_mpvpe": [1000 * np.linalg.norm(p - t, axis=1).mean() for p, t in zip(aligned, vertices, strict=True)],
        "f5": [brute_force(p, t, 0.005) for p, t in zip(aligned, vertices, strict=True)],
        "f15": [brute_force(p, t, 0.015) for p, t in zip(aligned, vertices, strict=True)],
    }  # fmt: skip
    for name, expected in by_hand.items():
        np.testing.assert_allclose(getattr(found, name), expected, atol=1e-6)
    assert 0 < found.f5.mean() < found.f15.mean() <= 1
    means = freihand_scores(*(torch.from_numpy(a) for a in (pred_joints, joints, pred_vertices, vertices)))
    assert means.pa_mpvpe == pytest.approx(np.mean(by_hand["pa_mpvpe"]))


def test_bad_input():
    points = torch.zeros(4, 10, 3)
    with pytest.raises(PosebookError, match="threshold_mm"):
        fscore(points, points, 0.0)
    with pytest.raises(PosebookError, match="one shape"):
        fscore(points, points[:, :9], 5.0)
    with pytest.raises(PosebookError, match="millimetres"):
        fscore(points + 300, points, 5.0)
