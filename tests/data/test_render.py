"""The renderer against a sphere's closed form and a brute-force ray caster."""

import numpy as np
import pytest
import trimesh

from posebook.data.appearance import Light
from posebook.data.render import Window, pixel_rays, render, shrink, vertex_face_matrix

LIGHT = Light(np.array([0.0, 0.0, -1.0], np.float32), ambient=0.25, strength=0.5)


def draw(mesh, K, size=64, colour=(1.0, 1.0, 1.0), parts=None, supersample=2):
    faces = np.asarray(mesh.faces)
    parts = np.full(len(faces), 7) if parts is None else parts
    colours = np.tile(np.float32(colour), (len(faces), 1))
    vertices = np.asarray(mesh.vertices, np.float32)
    incidence = vertex_face_matrix(faces, len(vertices))
    scenery = np.zeros((size, size, 3), np.float32)
    return render(vertices, faces, parts, colours, incidence, K, LIGHT, scenery, supersample)


def test_sphere_depth_area_and_shading():
    radius, distance, focal = 0.8, 4.0, 120.0
    sphere = trimesh.creation.icosphere(5, radius)
    sphere.apply_translation([0, 0, distance])
    K = np.array([[focal, 0, 32], [0, focal, 32], [0, 0, 1.0]])
    picture = draw(sphere, K)
    rays = pixel_rays(K, 64).astype(np.float64)
    a = (rays**2).sum(1)  # |d z - c|^2 = r^2, a z^2 - 2 distance z + distance^2 - r^2 = 0
    root = distance**2 - a * (distance**2 - radius**2)
    expected = np.where(root > 0, (distance - np.sqrt(np.maximum(root, 0))) / a, 0).reshape(64, 64)
    rim = (root.reshape(64, 64) > 0) != (picture.depth > 0)
    assert rim.mean() < 0.005  # the polyhedron is a little smaller than its sphere
    both = (picture.depth > 0) & (expected > 0)
    error = np.abs(picture.depth - expected)[both]
    assert np.median(error) < 1e-3 and error.max() < 0.05
    assert set(np.unique(picture.parts)) == {0, 7}
    cosine = np.clip((distance - expected) / radius, 0, 1)  # of normal and light, the light shines along +z
    inner = picture.depth[1:-1, 1:-1] * picture.depth[:-2, 1:-1] * picture.depth[2:, 1:-1] > 0
    shade = picture.image[1:-1, 1:-1, 0][inner] / 255
    assert np.abs(shade - (0.25 + 0.5 * cosine[1:-1, 1:-1][inner])).mean() < 0.01
    assert shade.max() == pytest.approx(0.75, abs=0.01)


def test_agrees_with_brute_force_triangle_tests():
    rng = np.random.default_rng(3)
    triangles = rng.normal(0, 0.4, (30, 3, 3)) + [0, 0, 3]
    mesh = trimesh.Trimesh(triangles.reshape(-1, 3), np.arange(90).reshape(-1, 3), process=False)
    labels = np.arange(30) % 24 + 1
    K = np.array([[20.0, 0, 8], [0, 20, 8], [0, 0, 1.0]])
    picture = draw(mesh, K, size=16, parts=labels)
    depth, part = np.zeros(256), np.zeros(256, int)
    for i, ray in enumerate(pixel_rays(K, 16).astype(np.float64)):
        best = np.inf
        for f, (p, q, r) in enumerate(triangles):
            system = np.stack([ray, p - q, p - r], 1)  # z ray = p + u (q - p) + v (r - p)
            z, u, v = np.linalg.solve(system, p)
            if u >= 0 and v >= 0 and u + v <= 1 and 0 < z < best:
                best, depth[i], part[i] = z, z, labels[f]
    agree = (picture.parts.reshape(-1) == part).mean()
    assert agree > 0.99
    same = picture.parts.reshape(-1) == part
    np.testing.assert_allclose(picture.depth.reshape(-1)[same], depth[same], atol=1e-4)


def test_pixel_centres_are_at_one_half():
    K = np.array([[10.0, 0, 2], [0, 10, 2], [0, 0, 1]])
    rays = pixel_rays(K, 4).reshape(4, 4, 3)
    np.testing.assert_allclose(rays[0, 0], [(0.5 - 2) / 10, (0.5 - 2) / 10, 1], atol=1e-7)
    np.testing.assert_allclose(rays[1, 3], [(3.5 - 2) / 10, (1.5 - 2) / 10, 1], atol=1e-7)


def test_rays_of_a_window_are_the_same_rays():
    K = np.array([[10.0, 0, 2], [0, 12, 3], [0, 0, 1]])
    rays = pixel_rays(K, 6, 2).reshape(12, 12, 3)
    np.testing.assert_array_equal(pixel_rays(K, 6, 2, Window(1, 5, 2, 3)).reshape(8, 2, 3), rays[2:10, 4:6])


def test_a_mesh_beside_partly_outside_and_behind_the_camera():
    K = np.array([[60.0, 0, 32], [0, 60, 32], [0, 0, 1.0]])
    pictures = {}
    for name, place in {"beside": [9, 0, 4], "edge": [2, 0, 4], "round the camera": [0, 0, 0]}.items():
        sphere = trimesh.creation.icosphere(3, 0.8)
        sphere.apply_translation(place)
        pictures[name] = draw(sphere, K)
    assert not pictures["beside"].parts.any() and not pictures["beside"].image.any()
    edge = pictures["edge"].parts > 0
    assert edge[:, -1].any() and not edge[:, :32].any()
    assert pictures["round the camera"].parts.all()  # seen from inside


def test_colour_is_the_mean_over_the_rays_of_a_pixel():
    canvas = np.random.default_rng(0).random((5, 3, 4, 3, 3)).astype(np.float32)
    np.testing.assert_allclose(shrink(canvas), canvas.mean((1, 3)), atol=1e-6)
