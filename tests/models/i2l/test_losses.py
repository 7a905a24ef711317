"""Losses against the definitions spelt out in loops; the two official traps."""

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.i2l import I2LOutput, LixelTargets, ParamTargets, lixel_losses, param_losses

B, J, V = 3, 4, 6
FACES = torch.tensor([[0, 1, 2], [2, 3, 4], [5, 0, 3]])


def _lixel_case(seed=0):
    g = torch.Generator().manual_seed(seed)
    draw = lambda *shape: 64 * torch.rand(*shape, generator=g, dtype=torch.float64)  # noqa: E731
    mask = lambda *shape: (torch.rand(*shape, generator=g) < 0.6).double()  # noqa: E731
    output = I2LOutput(draw(B, J, 3), draw(B, V, 3).requires_grad_(), draw(B, J, 3), None, None, None)
    has_fit, is_3d = torch.tensor([1.0, 0, 1]).double(), torch.tensor([1.0, 1, 0]).double()
    targets = LixelTargets(draw(B, J, 3), mask(B, J, 1), draw(B, J, 3), mask(B, J, 1), draw(B, V, 3), mask(B, V, 1),
                           has_fit, is_3d)  # fmt: skip
    return output, targets


def _looped(pred, target, weight):
    """Mean over all elements of |pred - target| weight(b, n, axis), in plain Python."""
    pred, target = pred.detach().numpy(), target.numpy()
    total = 0.0
    for b, n, c in np.ndindex(pred.shape):
        total += abs(pred[b, n, c] - target[b, n, c]) * weight(b, n, c)
    return total / pred.size


def test_lixel_terms_are_means_over_all_elements():
    output, t = _lixel_case()
    found = lixel_losses(output, t, FACES)
    fit = lambda b, n, c: float(t.fit_inside[b, n] * t.has_fit[b])  # noqa: E731
    orig = lambda b, n, c: float(t.orig_inside[b, n] * (t.is_3d[b] if c == 2 else 1))  # noqa: E731
    mesh = lambda b, n, c: float(t.mesh_inside[b, n] * t.has_fit[b])  # noqa: E731
    assert found.joint_fit.item() == pytest.approx(_looped(output.joints_img, t.fit_joints, fit))
    assert found.joint_orig.item() == pytest.approx(_looped(output.joints_img, t.orig_joints, orig))
    assert found.mesh_fit.item() == pytest.approx(_looped(output.mesh_img, t.fit_mesh, mesh))
    assert found.mesh_joint_orig.item() == pytest.approx(_looped(output.joints_from_mesh, t.orig_joints, orig))
    assert found.mesh_joint_fit.item() == pytest.approx(_looped(output.joints_from_mesh, t.fit_joints, fit))


def test_surface_terms_by_loops():
    output, t = _lixel_case()
    mesh, true = output.mesh_img.detach().numpy(), t.fit_mesh.numpy()
    mask = (t.mesh_inside * t.has_fit.view(-1, 1, 1)).numpy()[..., 0]
    normal_sum = edge_sum = 0.0
    for b in range(B):
        for face in FACES.tolist():
            normal = np.cross(true[b, face[1]] - true[b, face[0]], true[b, face[2]] - true[b, face[0]])
            normal /= np.linalg.norm(normal)
            for i, j in ((0, 1), (0, 2), (1, 2)):
                step = mesh[b, face[j]] - mesh[b, face[i]]
                length, wanted = np.linalg.norm(step), np.linalg.norm(true[b, face[j]] - true[b, face[i]])
                normal_sum += abs(step @ normal / length) * mask[b, face].prod()
                edge_sum += abs(length - wanted) * mask[b, face[i]] * mask[b, face[j]]
    found, count = lixel_losses(output, t, FACES), B * 3 * len(FACES)
    assert found.mesh_normal.item() == pytest.approx(normal_sum / count)
    assert found.mesh_edge.item() == pytest.approx(edge_sum / count)
    others = sum(v for k, v in found._asdict().items() if k != "mesh_normal")
    assert found.total.item() == pytest.approx(others.item() + 0.1 * found.mesh_normal.item())


def test_coincident_vertices_give_nan_only_officially():
    """Masked out, yet officially NaN: 0 * inf (specs/i2l.md 3.1, trap a). The values agree."""
    output, targets = _lixel_case()
    with torch.no_grad():
        output.mesh_img[:, 1] = output.mesh_img[:, 0]
    targets = targets._replace(mesh_inside=torch.zeros(B, V, 1).double())
    results = {}
    for option in ("safe", "official"):
        loss = lixel_losses(output, targets, FACES, edge_gradient=option)
        (grad,) = torch.autograd.grad(loss.total, output.mesh_img)
        results[option] = loss.total.item(), bool(grad.isnan().any())
    assert results["safe"] == (results["official"][0], False)
    assert results["official"][1]


def test_safe_and_official_edges_have_the_same_gradient_elsewhere():
    output, targets = _lixel_case()
    grads = [torch.autograd.grad(lixel_losses(output, targets, FACES, edge_gradient=o).mesh_edge, output.mesh_img)[0]
             for o in ("safe", "official")]  # fmt: skip
    torch.testing.assert_close(*grads)


def test_edges_in_the_true_plane_have_no_normal_deviation():
    output, targets = _lixel_case()
    flat = targets.fit_mesh.clone()
    flat[..., 2] = 7.0
    moved = output.mesh_img.detach().clone()
    moved[..., 2] = 30.0
    found = lixel_losses(output._replace(mesh_img=moved), targets._replace(fit_mesh=flat), FACES)
    assert found.mesh_normal.item() == pytest.approx(0, abs=1e-12)


def test_param_terms_by_loops():
    g = torch.Generator().manual_seed(1)
    draw = lambda *shape: torch.randn(*shape, generator=g, dtype=torch.float64)  # noqa: E731
    output = I2LOutput(None, None, None, draw(B, 9), draw(B, 10), None)
    joints = draw(B, J, 3)
    valid = (torch.rand(B, J, 1, generator=g) < 0.5).double()
    t = ParamTargets(draw(B, 9), draw(B, 10), draw(B, J, 3), valid, draw(B, J, 3), torch.tensor([1.0, 0, 1]).double(),
                     torch.tensor([0.0, 1, 1]).double())  # fmt: skip
    found = param_losses(output, joints, t, joint_scale=1000)
    fit = lambda b, n, c: float(t.has_fit[b])  # noqa: E731
    orig = lambda b, n, c: float(valid[b, n] * t.is_3d[b])  # noqa: E731
    assert found.pose_param.item() == pytest.approx(_looped(output.pose[..., None], t.pose[..., None], fit))
    assert found.shape_param.item() == pytest.approx(_looped(output.shape[..., None], t.shape[..., None], fit))
    assert found.joint_orig_cam.item() == pytest.approx(1000 * _looped(joints, t.orig_joints, orig))
    assert found.joint_fit_cam.item() == pytest.approx(1000 * _looped(joints, t.fit_joints, fit))
    assert found.total.item() == pytest.approx(sum(found).item())


def test_wrong_targets_are_refused():
    output, targets = _lixel_case()
    with pytest.raises(PosebookError, match="shape"):
        lixel_losses(output, targets._replace(fit_mesh=targets.fit_mesh[:, :-1]), FACES)
    with pytest.raises(PosebookError, match="edge gradient"):
        lixel_losses(output, targets, FACES, edge_gradient="unsafe")
    with pytest.raises(PosebookError, match="stage='param'"):
        param_losses(output, torch.zeros(B, J, 3), None)
