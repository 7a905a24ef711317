"""Vertices and 49 joints against smplx's own forward pass, and the joints-only twin against the mesh's."""

import numpy as np
import pytest
import torch

from posebook.body import load_assets, load_body
from posebook.errors import PosebookError
from posebook.joints import SPIN_EXTRA9
from posebook.models.spin49 import SMPL_VERTEX_IDS, SPIN49_FROM_POOL, SPIN_VERTEX_NAMES
from posebook.models.spin_body import SpinBody, SpinJoints, free_spin_body
from posebook.rotations import axis_angle_to_matrix


@pytest.fixture(scope="module")
def people():
    """betas (B, 10), axis-angle (B, 24, 3)."""
    rng = np.random.default_rng(1)
    betas, pose = rng.normal(0, 1.5, (4, 10)), rng.normal(0, 0.6, (4, 24, 3))
    return torch.tensor(betas, dtype=torch.float32), torch.tensor(pose, dtype=torch.float32)


def _pooled(layer, extra, ids, betas, pose):
    """smplx's vertices, and the 49 joints gathered one by one."""
    with torch.no_grad():
        out = layer(betas=betas, global_orient=pose[:, 0], body_pose=pose[:, 1:].flatten(1))
    extra = torch.as_tensor(np.array(extra), dtype=torch.float32)
    joints = []
    for source in SPIN49_FROM_POOL:
        if source < 24:
            joints.append(out.joints[:, source])
        elif source < 45:
            joints.append(out.vertices[:, ids[source - 24]])
        else:
            joints.append(torch.einsum("v,bvc->bc", extra[source - 45], out.vertices))
    return out.vertices, torch.stack(joints, 1)


@pytest.mark.parity
def test_body_of_the_recording(vibe_layer, vibe_arrays, vibe_body, vibe_joints, people):
    betas, pose = people
    vertices, joints = _pooled(vibe_layer, vibe_arrays["J_regressor_extra"], SMPL_VERTEX_IDS, betas, pose)
    found = vibe_body(betas, axis_angle_to_matrix(pose))
    torch.testing.assert_close(found.vertices, vertices, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.joints, joints, atol=1e-5, rtol=0)
    cheap = vibe_joints(betas, axis_angle_to_matrix(pose))
    assert cheap.vertices is None
    torch.testing.assert_close(cheap.joints, joints, atol=1e-5, rtol=0)


@pytest.mark.parametrize("level", ["full", "coarse"])
def test_free_body(body_cache, people, level):
    betas, pose = people
    assets, layer = load_assets(level), load_body(level=level)
    ids = [assets.vertex_ids[name] for name in SPIN_VERTEX_NAMES]
    vertices, joints = _pooled(layer, assets.regressors["spin_extra9"], ids, betas, pose)
    rotations = axis_angle_to_matrix(pose)
    found = free_spin_body(level)(betas, rotations)
    torch.testing.assert_close(found.vertices, vertices, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.joints, joints, atol=1e-5, rtol=0)
    cheap = free_spin_body(level, vertices=False)(betas, rotations)
    torch.testing.assert_close(cheap.joints, joints, atol=1e-5, rtol=0)


def test_both_give_the_same_gradients(vibe_body, vibe_joints, people):
    weight = torch.linspace(-1, 1, 4 * 49 * 3).view(4, 49, 3)
    gradients = []
    for body in (vibe_body, vibe_joints):
        betas, rotations = people[0].clone().requires_grad_(), axis_angle_to_matrix(people[1]).requires_grad_()
        gradients.append(torch.autograd.grad((body(betas, rotations).joints * weight).sum(), (betas, rotations)))
    for mesh, cheap in zip(*gradients, strict=True):
        torch.testing.assert_close(cheap, mesh, atol=1e-4, rtol=1e-4)


def test_bodies_are_not_saved(vibe_body, vibe_joints):
    for body in (vibe_body, vibe_joints):
        assert not body.state_dict() and not list(body.parameters())


def test_the_joints_only_body_holds_few_vertices(vibe_joints, vibe_arrays):
    read = (np.abs(vibe_arrays["J_regressor_extra"]) > 0).any(0).sum() + 11
    assert vibe_joints.weights.shape[1] <= read
    assert len(SPIN_EXTRA9) == 9


@pytest.mark.parametrize("kind", [SpinBody, SpinJoints])
def test_wrong_sizes_are_refused(kind, vibe_layer, vibe_arrays, vibe_body, people):
    extra = vibe_arrays["J_regressor_extra"]
    with pytest.raises(PosebookError, match=r"extra_regressor: expected \(9, 6890\), got \(8, 6890\)"):
        kind(vibe_layer, extra[:8], SMPL_VERTEX_IDS)
    with pytest.raises(PosebookError, match="21 vertices of a mesh of 6890"):
        kind(vibe_layer, extra, (*SMPL_VERTEX_IDS[:20], 6890))
    with pytest.raises(PosebookError, match="smplx.SMPL layer, got Linear"):
        kind(torch.nn.Linear(1, 1), extra, SMPL_VERTEX_IDS)
    with pytest.raises(PosebookError, match="Flatten frames into B"):
        kind(vibe_layer, extra, SMPL_VERTEX_IDS)(people[0][None], axis_angle_to_matrix(people[1])[None])
