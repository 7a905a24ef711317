"""Vertex errors on meshes whose areas are known."""

import numpy as np
import pytest
import torch
import trimesh

from posebook.errors import PosebookError
from posebook.metrics import pve, vertex_areas


def strip():
    """A 1 m square of two triangles and, far to the right, a triangle of 0.5 square metres; one loose vertex."""
    vertices = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [5, 0, 0], [6, 0, 0], [5, 1, 0], [9, 9, 9]]
    return torch.tensor(vertices, dtype=torch.float64), torch.tensor([[0, 1, 2], [0, 2, 3], [4, 5, 6]])


def test_vertex_areas_by_hand():
    vertices, faces = strip()
    expected = torch.tensor([2, 1, 2, 1, 1, 1, 1, 0], dtype=torch.float64) / 6
    torch.testing.assert_close(vertex_areas(vertices, faces), expected)


def test_areas_of_a_sphere_sum_to_its_surface():
    ball = trimesh.creation.icosphere(subdivisions=3)
    areas = vertex_areas(torch.tensor(np.array(ball.vertices)), torch.tensor(np.array(ball.faces)))
    assert areas.sum().item() == pytest.approx(ball.area)


def test_weights_follow_the_target_not_the_vertex_count():
    vertices, faces = strip()
    target = torch.stack([vertices, vertices * 2])
    pred = target.clone()
    pred[:, 4:7, 2] += 0.03  # only the lone triangle, a third of the surface, is 30 mm off
    pred[:, 7, 2] += 5.0  # a vertex in no face has no surface
    torch.testing.assert_close(pve(pred, target, "none", faces=faces), torch.tensor([10.0, 10.0], dtype=torch.float64))
    torch.testing.assert_close(pve(pred, target), torch.tensor((3 * 30 + 5000) / 8, dtype=torch.float64))


def test_areas_computed_before_serve_instead_of_faces():
    vertices, faces = strip()
    target = torch.stack([vertices, vertices * 2])
    pred = target + torch.tensor(np.random.default_rng(0).normal(0, 0.02, target.shape))
    areas = vertex_areas(target, faces)
    torch.testing.assert_close(pve(pred, target, "none", areas=areas), pve(pred, target, "none", faces=faces))
    torch.testing.assert_close(
        pve(pred, target, areas=areas.float()), pve(pred, target, faces=faces), rtol=1e-6, atol=0
    )
    torch.testing.assert_close(pve(pred, target, areas=7 * areas), pve(pred, target, areas=areas))  # only shares count
    torch.testing.assert_close(pve(pred, target, areas=torch.ones(2, 8)), pve(pred, target))
    only = torch.zeros(2, 8)
    only[:, 3] = 1
    expected = 1000 * (pred - target)[:, 3].norm(dim=-1)
    torch.testing.assert_close(pve(pred, target, "none", areas=only), expected)


def test_refining_half_the_mesh_moves_only_the_plain_mean():
    fine = trimesh.creation.box().subdivide_to_size(0.2)
    vertices, faces = np.array(fine.vertices), np.array(fine.faces)
    picked = np.flatnonzero(vertices[faces].mean(1)[:, 0] > 0.49)  # one side of the cube
    finer = trimesh.remesh.subdivide(vertices, faces, face_index=picked)

    def errors(v, f):
        target = torch.tensor(np.array(v))
        pred = target + 0.01 * target[:, :1] * torch.tensor([1.0, 0, 0])  # grows with x
        return pve(pred, target, faces=torch.tensor(np.array(f))).item(), pve(pred, target).item()

    before, after = errors(vertices, faces), errors(*finer[:2])
    assert after[0] == pytest.approx(before[0], rel=0.02)
    assert after[1] > 1.15 * before[1]


def test_bad_faces():
    vertices, faces = strip()
    for bad in (faces + 6, faces[:, :2], faces - 1):
        with pytest.raises(PosebookError, match="faces"):
            pve(vertices, vertices, faces=bad)
    with pytest.raises(PosebookError, match="no surface"):
        pve(0 * vertices, 0 * vertices, faces=faces)


def test_bad_areas():
    vertices, faces = strip()
    areas = vertex_areas(vertices, faces)
    for bad in (areas[:7], areas[:, None], areas.expand(2, 8)):
        with pytest.raises(PosebookError, match=r"areas: expected \(8,\), one a vertex"):
            pve(vertices, vertices, areas=bad)
    with pytest.raises(PosebookError, match="no surface"):
        pve(vertices, vertices, areas=0 * areas)
