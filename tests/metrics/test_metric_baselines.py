"""Baselines on poses where the answer is known."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from posebook.errors import PosebookError
from posebook.metrics.baselines import nearest_by_2d, train_mean, turned_mean


def people(count, seed=0):
    """One body, turned and moved: camera-frame joints and global orientations (axis-angle)."""
    rng = np.random.default_rng(seed)
    body = torch.tensor(np.random.default_rng(99).normal(0, 0.3, (17, 3)))
    body = body - body[:1]
    orient = torch.tensor(Rotation.random(count, rng=rng).as_rotvec())
    turn = torch.tensor(Rotation.from_rotvec(orient.numpy()).as_matrix())
    moved = torch.einsum("nab,jb->nja", turn, body) + torch.tensor(rng.normal(0, 1, (count, 1, 3)))
    return moved, orient, torch.einsum("nab,jb->nja", turn, body)


def test_mean_is_of_root_relative_joints():
    train, _, relative = people(50)
    out = train_mean(train, 4)
    assert out.shape == (4, 17, 3)
    for pose in out:
        torch.testing.assert_close(pose, relative.mean(0))


def test_turned_mean_is_exact_for_one_rigid_body():
    train, train_orient, _ = people(50)
    _, test_orient, expected = people(7, seed=1)
    torch.testing.assert_close(turned_mean(train, train_orient, test_orient), expected)
    still = train_mean(train, 7)
    assert (still - expected).norm(dim=-1).mean() > 0.1


def test_turned_mean_at_half_a_turn_and_at_rest():
    train, train_orient, _ = people(5)
    out = turned_mean(train, train_orient, torch.tensor([[0.0, 0, 0], [0, np.pi, 0]]))
    torch.testing.assert_close(out[1], out[0] * torch.tensor([-1.0, 1.0, -1.0]))


def test_nearest_pose_ignores_where_and_how_large_the_box_is():
    train, _, relative = people(30)
    flat = relative[..., :2]
    box = torch.tensor([[-1.0, -1.0, 2.0, 2.0]]).expand(30, 4).double()
    picked = torch.tensor([4, 17, 4, 29])
    seen = (flat[picked] + 0.001) * 80 + torch.tensor([300.0, 200.0])
    seen_box = torch.tensor([[220.0, 120.0, 160.0, 160.0]]).expand(4, 4)
    torch.testing.assert_close(nearest_by_2d(train, flat, box, seen, seen_box), relative[picked])


def test_nearest_pose_against_brute_force(monkeypatch):
    rng = np.random.default_rng(3)
    train, a, b = rng.normal(0, 0.3, (60, 17, 3)), rng.uniform(0, 64, (60, 17, 2)), rng.uniform(0, 64, (25, 17, 2))
    box_a, box_b = rng.uniform(10, 60, (60, 4)), rng.uniform(10, 60, (25, 4))

    def normalise(p, q):
        return np.array([(x - (y[:2] + y[2:] / 2)) / max(y[2], y[3]) for x, y in zip(p, q, strict=True)])

    u, v = normalise(a, box_a), normalise(b, box_b)
    best = [min(range(60), key=lambda m: ((u[m] - pose) ** 2).sum()) for pose in v]
    monkeypatch.setattr("posebook.metrics.baselines.CHUNK", 4)
    out = nearest_by_2d(torch.tensor(train), a, box_a, b, box_b)
    np.testing.assert_allclose(out, (train - train[:, :1])[best])


def test_shapes_are_checked():
    train, orient, _ = people(5)
    with pytest.raises(PosebookError, match="one train_orient"):
        turned_mean(train, orient[:4], orient)
    flat, box = train[..., :2], torch.ones(5, 4)
    with pytest.raises(PosebookError, match="boxes"):
        nearest_by_2d(train, flat, box[:4], flat, box)
    with pytest.raises(PosebookError, match="same joints"):
        nearest_by_2d(train, flat, box, flat[:, :14], box)
