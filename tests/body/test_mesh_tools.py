"""Decimation, barycentric maps, hole filling, skinning and least squares against brute force."""

import numpy as np
import pytest
import scipy.sparse as sp
import trimesh

from posebook.body.decimate import barycentric_map, closest_on_triangles, decimate
from posebook.body.regressors import fit_row
from posebook.body.surface import components, cut
from posebook.body.tpose import frame, rotation_between
from posebook.body.upsample import fit_upsampling


@pytest.fixture(scope="module")
def sphere():
    return trimesh.creation.icosphere(subdivisions=3)


def test_closest_point_against_a_dense_search():
    rng = np.random.default_rng(0)
    triangles, points = rng.normal(size=(50, 3, 3)), rng.normal(size=(50, 3))
    weights, distance = closest_on_triangles(points, triangles)
    np.testing.assert_allclose(weights.sum(1), 1)
    assert weights.min() >= 0
    n = 120
    grid = np.array([(i, j, n - i - j) for i in range(n + 1) for j in range(n + 1 - i)]) / n
    dense = (((grid @ triangles) - points[:, None]) ** 2).sum(2).min(1)
    assert (distance <= dense + 1e-12).all()
    np.testing.assert_allclose(np.sqrt(distance), np.sqrt(dense), atol=0.03)


def test_barycentric_map_against_trimesh(sphere):
    points = sphere.triangles_center + 0.01 * sphere.face_normals
    matrix = barycentric_map(points, sphere.vertices, sphere.faces)
    np.testing.assert_allclose(np.asarray(matrix.sum(1)).ravel(), 1)
    assert np.diff(matrix.indptr).max() <= 3
    np.testing.assert_allclose(matrix @ sphere.vertices, sphere.triangles_center, atol=1e-9)


def test_decimation_keeps_a_closed_surface(sphere):
    points, faces = decimate(sphere.vertices, sphere.faces, 200)
    coarse = trimesh.Trimesh(points, faces, process=False)
    assert len(points) == 200 and coarse.is_watertight
    assert coarse.volume == pytest.approx(sphere.volume, rel=0.03)


def test_cut_closes_the_hole(sphere):
    drop = sphere.vertices[:, 2] > 0.6
    left = cut(np.asarray(sphere.faces), drop)
    mesh = trimesh.Trimesh(sphere.vertices[left.kept], left.faces, process=False)
    assert mesh.is_watertight and mesh.is_winding_consistent and 0 < mesh.volume < sphere.volume
    assert components(left.faces, len(left.kept)).max() == 0


def test_frame_and_smallest_rotation():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 20, 3))
    axes = frame(a, b)
    np.testing.assert_allclose(np.linalg.det(axes), 1)
    np.testing.assert_allclose(axes.swapaxes(1, 2) @ axes, np.tile(np.eye(3), (20, 1, 1)), atol=1e-12)
    target = np.array([0, -1.0, 0])
    rotation = rotation_between(a, target)
    turned = np.einsum("nij,nj->ni", rotation, a)
    np.testing.assert_allclose(turned / np.linalg.norm(a, axis=1, keepdims=True), np.tile(target, (20, 1)), atol=1e-9)
    angle = np.arccos((np.trace(rotation, axis1=1, axis2=2) - 1) / 2)
    np.testing.assert_allclose(angle, np.arccos(-a[:, 1] / np.linalg.norm(a, axis=1)), atol=1e-6)


def test_fit_row_recovers_known_weights():
    rng = np.random.default_rng(2)
    people = rng.normal(size=(20, 9, 3))
    truth = np.array([0.2, 0, 0.5, 0, 0, 0.3, 0, 0, 0])
    row = fit_row(people, np.einsum("v,pvc->pc", truth, people), np.arange(9), np.ones(20))
    np.testing.assert_allclose(row, truth, atol=1e-6)


def test_upsampling_recovers_a_vertex_off_the_coarse_surface():
    """A full vertex that is an affine, not a convex, combination: barycentric coordinates cannot reach it."""
    rng = np.random.default_rng(3)
    coarse = rng.normal(size=(40, 10, 3))
    truth = np.array([[1.4, -0.2, -0.2, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0.5, 0.5, 0, 0, 0, 0, 0]])
    start = sp.csr_matrix(np.array([[1.0] + [0] * 9, [0] * 3 + [1.0] + [0] * 6]))
    found = fit_upsampling(coarse, truth @ coarse, start).toarray()
    np.testing.assert_allclose(found, truth, atol=1e-3)
    np.testing.assert_allclose(found.sum(1), 1)
