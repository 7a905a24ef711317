"""Procrustes against scipy, numpy's SVD in float64 and closed forms, odd cases included."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from posebook.metrics import mpjpe, pa_mpjpe, procrustes, procrustes_align
from posebook.metrics.rotation import optimal_rotation


def svd_twin(pred, target):
    """One frame, numpy float64: aligned points by Umeyama's SVD with det +1."""
    x, y = np.asarray(pred, np.float64), np.asarray(target, np.float64)
    x0, y0 = x - x.mean(0), y - y.mean(0)
    u, s, vt = np.linalg.svd(y0.T @ x0)
    d = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * d) @ vt
    return (s * d).sum() / (x0**2).sum() * x0 @ rotation.T + y.mean(0)


def svd_error(pred, target):
    return np.array(
        [
            1000 * np.linalg.norm(svd_twin(p, t) - np.asarray(t), axis=-1).mean()
            for p, t in zip(pred, target, strict=True)
        ]
    )


def bodies(count, seed=0, noise=0.1):
    g = torch.Generator().manual_seed(seed)
    target = torch.randn(count, 14, 3, generator=g, dtype=torch.float64) * torch.tensor([0.2, 0.5, 0.1])
    turn = torch.from_numpy(Rotation.random(count, rng=seed).as_matrix())
    pred = torch.einsum("nab,njb->nja", turn, target) * 0.7 + torch.tensor([0.3, -1.0, 4.0], dtype=torch.float64)
    return pred + noise * torch.randn(count, 14, 3, generator=g, dtype=torch.float64), target


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.1, 1.0, 5.0])
def test_against_numpy_svd(noise):
    pred, target = bodies(500, noise=noise)
    np.testing.assert_allclose(pa_mpjpe(pred, target, "none"), svd_error(pred, target), atol=1e-6)
    result = procrustes_align(pred, target)
    np.testing.assert_allclose(result.aligned, [svd_twin(p, t) for p, t in zip(pred, target, strict=True)], atol=1e-8)


def test_rotation_against_scipy():
    pred, target = bodies(50)
    for x, y, rotation in zip(pred, target, procrustes_align(pred, target).rotation, strict=True):
        expected = Rotation.align_vectors((y - y.mean(0)).numpy(), (x - x.mean(0)).numpy())[0].as_matrix()
        np.testing.assert_allclose(rotation, expected, atol=1e-9)


def test_known_similarity_is_found():
    _, target = bodies(3)
    turn = torch.from_numpy(Rotation.from_rotvec([0.4, -1.2, 2.0]).as_matrix())
    pred = (target - torch.tensor([1.0, 2.0, 3.0])) @ turn / 2.5  # so target = 2.5 R pred + t with R = turn
    result = procrustes_align(pred, target)
    torch.testing.assert_close(result.rotation, turn.expand(3, 3, 3), atol=1e-9, rtol=0)
    torch.testing.assert_close(result.scale, torch.full((3,), 2.5, dtype=torch.float64))
    torch.testing.assert_close(result.translation, torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64).expand(3, 3))
    assert pa_mpjpe(pred, target) < 1e-9


def test_alignment_fields_reproduce_the_aligned_points():
    pred, target = bodies(40, noise=0.3)
    r = procrustes_align(pred.reshape(5, 8, 14, 3), target.reshape(5, 8, 14, 3))
    assert r.aligned.shape == (5, 8, 14, 3) and r.rotation.shape == (5, 8, 3, 3)
    assert r.scale.shape == (5, 8) and r.translation.shape == (5, 8, 3)
    again = r.scale[..., None, None] * pred.reshape(5, 8, 14, 3) @ r.rotation.mT + r.translation[..., None, :]
    torch.testing.assert_close(again, r.aligned)
    torch.testing.assert_close(torch.linalg.det(r.rotation), torch.ones(5, 8, dtype=torch.float64))
    torch.testing.assert_close(mpjpe(r.aligned, target.reshape(5, 8, 14, 3)), pa_mpjpe(pred, target))


def test_it_is_the_minimum():
    """No nearby similarity has a smaller sum of squares."""
    pred, target = bodies(20, noise=0.3)
    r = procrustes_align(pred, target)
    best = (r.aligned - target).square().sum((1, 2))
    for seed in range(30):
        turn = torch.from_numpy(Rotation.from_rotvec(0.02 * np.random.default_rng(seed).normal(size=3)).as_matrix())
        scale = 1 + 0.02 * np.random.default_rng(seed + 99).normal()
        centre = r.aligned.mean(1, keepdim=True)
        moved = scale * (r.aligned - centre) @ turn.T + centre
        assert ((moved - target).square().sum((1, 2)) > best).all()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_small_batches_equal_the_large_batch(count, dtype):
    pred, target = (t.to(dtype) for t in bodies(6))
    small, large = pa_mpjpe(pred[:count], target[:count], "none"), pa_mpjpe(pred, target, "none")
    assert small.dtype == dtype
    torch.testing.assert_close(small, large[:count], atol=1e-6, rtol=0)


def test_chunks_do_not_show(monkeypatch):
    pred, target = bodies(50)
    whole, aligned = pa_mpjpe(pred, target, "none"), procrustes_align(pred, target).aligned
    monkeypatch.setattr(procrustes, "CHUNK", 7)
    torch.testing.assert_close(pa_mpjpe(pred, target, "none"), whole, atol=1e-9, rtol=0)
    torch.testing.assert_close(procrustes_align(pred, target).aligned, aligned, atol=1e-12, rtol=0)


def test_input_is_not_changed():
    pred, target = bodies(5)
    before = pred.clone(), target.clone()
    pa_mpjpe(pred, target)
    procrustes_align(pred, target)
    assert torch.equal(pred, before[0]) and torch.equal(target, before[1])


def test_a_mirror_image_keeps_its_error():
    _, target = bodies(20)
    pred = target * torch.tensor([-1.0, 1.0, 1.0])
    np.testing.assert_allclose(pa_mpjpe(pred, target, "none"), svd_error(pred, target), atol=1e-6)
    assert pa_mpjpe(pred, target) > 10
    assert (torch.linalg.det(procrustes_align(pred, target).rotation) > 0.99).all()


@pytest.mark.parametrize("flat", ["pred", "target", "both"])
def test_flat_bodies(flat):
    pred, target = bodies(20)
    if flat != "target":
        pred[..., 2] = 0
    if flat != "pred":
        target[..., 1] = 0.5
    np.testing.assert_allclose(pa_mpjpe(pred, target, "none"), svd_error(pred, target), atol=1e-6)


def test_points_on_a_line():
    pred, target = bodies(20)
    line = pred[..., :1] * torch.tensor([1.0, 2.0, -0.5]) + 0.1
    np.testing.assert_allclose(pa_mpjpe(line, target, "none"), svd_error(line, target), atol=1e-6)
    both = target[..., :1] * torch.tensor([0.3, 0.3, 1.0])
    assert pa_mpjpe(line, line @ torch.diag(torch.tensor([1.0, 1.0, 1.0]).double())) < 1e-9
    assert pa_mpjpe(target[..., :1] * torch.tensor([1.0, 2.0, -0.5]), both) < 1e-6  # one line onto another


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_all_predicted_points_equal_is_finite_and_lands_on_the_mean(dtype):
    _, target = bodies(4)
    target = target.to(dtype)
    point = torch.tensor([0.1, 0.7, 4.3], dtype=dtype).expand(4, 14, 3)  # 0.1 is not exact in binary: rounding remains
    r = procrustes_align(point, target)
    torch.testing.assert_close(r.aligned, target.mean(1, keepdim=True).expand_as(target), atol=1e-6, rtol=0)
    torch.testing.assert_close(r.rotation, torch.eye(3, dtype=dtype).expand(4, 3, 3))
    expected = mpjpe(target.mean(1, keepdim=True).expand_as(target), target, "none")
    torch.testing.assert_close(pa_mpjpe(point, target, "none"), expected, atol=1e-3, rtol=0)


def test_all_target_points_equal_shrinks_to_the_point():
    pred, target = bodies(4)
    point = torch.tensor([0.5, 0.25, 4.0], dtype=torch.float64).expand_as(target)
    r = procrustes_align(pred, point)
    torch.testing.assert_close(r.aligned, point)
    assert pa_mpjpe(pred, point) == 0 and pa_mpjpe(point, point) == 0


def test_a_broken_frame_stays_nan_and_leaves_the_others_alone():
    pred, target = bodies(4)
    expected = pa_mpjpe(pred, target, "none")
    pred[1, 3, 0] = float("nan")
    errors = pa_mpjpe(pred, target, "none")
    assert errors.isnan().tolist() == [False, True, False, False]
    torch.testing.assert_close(errors[[0, 2, 3]], expected[[0, 2, 3]])


def test_nearly_ambiguous_rotations():
    """Singular values whose closed form loses digits: s2 + s3 near 0 with a mirror, s2 near s3, equal ones, lines."""
    rng = np.random.default_rng(3)
    gaps = [0, 1e-12, 1e-8, 1e-6, 1e-4, 3e-4, 1e-3, 1e-2, 0.1]
    singular = [(1, a, a + g) for a in (0, 1e-6, 0.3, 1) for g in gaps]
    signs = [1, -1] * len(singular)
    cases = [np.array(s) for s in singular for _ in range(2)]
    u, v = Rotation.random(len(cases), rng=rng).as_matrix(), Rotation.random(len(cases), rng=rng).as_matrix()
    s = np.stack([np.sort(c)[::-1] * [1, 1, sign] for c, sign in zip(cases, signs, strict=True)])
    b = np.einsum("nij,nj,nkj->nik", u, s, v)
    r = optimal_rotation(torch.from_numpy(b).permute(1, 2, 0).contiguous()).permute(2, 0, 1).numpy()
    np.testing.assert_allclose(np.einsum("nij,nij->n", r, b), s.sum(1), atol=1e-12)  # the maximum of trace(R^T B)
    np.testing.assert_allclose(r @ r.transpose(0, 2, 1), np.broadcast_to(np.eye(3), r.shape), atol=1e-8)
    np.testing.assert_allclose(np.linalg.det(r), 1, atol=1e-8)


def test_size_does_not_matter():
    pred, target = bodies(10)
    for scale in (1e-6, 1e-3, 10.0):
        np.testing.assert_allclose(pa_mpjpe(pred * scale, target, "none"), pa_mpjpe(pred, target, "none"), atol=1e-6)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_cuda_equals_cpu():
    pred, target = bodies(300)
    result = procrustes_align(pred.cuda(), target.cuda())
    assert result.aligned.is_cuda and pa_mpjpe(pred.cuda(), target.cuda()).is_cuda
    torch.testing.assert_close(result.aligned.cpu(), procrustes_align(pred, target).aligned)
    torch.testing.assert_close(pa_mpjpe(pred.cuda(), target.cuda(), "none").cpu(), pa_mpjpe(pred, target, "none"))
