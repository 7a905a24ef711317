"""Ray casting of one posed mesh with Embree: colour, part labels and depth.

Rays start at the camera centre with direction K^-1 (u, v, 1), z component 1, so Embree's ray parameter is depth along
z. Labels and depth are taken at pixel centres; colour averages `supersample`^2 rays per pixel.
"""

from typing import NamedTuple

import numpy as np
import scipy.sparse
from embreex import rtcore_scene
from embreex.mesh_construction import TriangleMesh

from posebook.data.appearance import Light


class Rendering(NamedTuple):
    """One picture."""

    image: np.ndarray  # (H, W, 3) uint8
    parts: np.ndarray  # (H, W) uint8, 0 background
    depth: np.ndarray  # (H, W) float32 metres along z, 0 background


class Hits(NamedTuple):
    """What rays met."""

    face: np.ndarray  # (R,) int, -1 where nothing
    barycentric: np.ndarray  # (R, 3)
    depth: np.ndarray  # (R,) metres


def vertex_face_matrix(faces: np.ndarray, num_vertices: int) -> scipy.sparse.csr_matrix:
    """(V, F) incidence matrix: times face normals (F, 3) gives area-weighted vertex normals."""
    rows = faces.ravel()
    columns = np.repeat(np.arange(len(faces)), 3)
    shape = (num_vertices, len(faces))
    return scipy.sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)


def pixel_rays(K: np.ndarray, size: int, supersample: int = 1) -> np.ndarray:
    """Directions through the centres of the (size * supersample)^2 sub-pixels, z component 1.

    Args:
        K: (3, 3) pixels.
        size: H = W in pixels.
        supersample: sub-pixels per pixel side.

    Returns:
        (H * W * s * s, 3) float32, row by row.
    """
    centres = (np.arange(size * supersample) + 0.5) / supersample
    x = (centres - K[0, 2]) / K[0, 0]
    y = (centres - K[1, 2]) / K[1, 1]
    grid = np.ones((len(y), len(x), 3), np.float32)
    grid[..., 0], grid[..., 1] = x[None, :], y[:, None]
    return grid.reshape(-1, 3)


def cast(scene, rays: np.ndarray) -> Hits:
    """First hit of rays from the origin."""
    found = scene.run(np.zeros_like(rays), rays, output=1)
    u, v = found["u"], found["v"]
    return Hits(found["primID"], np.stack([1 - u - v, u, v], -1), found["tfar"])


def render(
    vertices: np.ndarray,
    faces: np.ndarray,
    part_of_face: np.ndarray,
    colours: np.ndarray,
    incidence: scipy.sparse.csr_matrix,
    K: np.ndarray,
    light: Light,
    scenery: np.ndarray,
    supersample: int = 2,
) -> Rendering:
    """Render one mesh over a background.

    Args:
        vertices: (V, 3) metres, camera frame.
        faces: (F, 3).
        part_of_face: (F,) labels 1..24.
        colours: (F, 3) albedo in [0, 1].
        incidence: `vertex_face_matrix(faces, V)`.
        K: (3, 3) of the crop, pixels.
        light: direction in the camera frame.
        scenery: (H, W, 3) float in [0, 1].
        supersample: rays per pixel side for the colour.

    Returns:
        Rendering at the size of `scenery`.
    """
    size = len(scenery)
    scene = rtcore_scene.EmbreeScene()
    TriangleMesh(scene, np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(faces, np.int32))
    centre = cast(scene, pixel_rays(K, size))
    hit = centre.face >= 0
    parts = np.where(hit, part_of_face[centre.face], 0).astype(np.uint8).reshape(size, size)
    depth = np.where(hit, centre.depth, 0).astype(np.float32).reshape(size, size)

    fine = cast(scene, pixel_rays(K, size, supersample))
    canvas = np.repeat(np.repeat(scenery, supersample, 0), supersample, 1).reshape(-1, 3)
    on = fine.face >= 0
    canvas[on] = shade(vertices, faces, incidence, colours, Hits(*(a[on] for a in fine)), light)
    canvas = canvas.reshape(size, supersample, size, supersample, 3).mean((1, 3))
    return Rendering((canvas * 255 + 0.5).clip(0, 255).astype(np.uint8), parts, depth)


def shade(vertices, faces, incidence, colours, hits: Hits, light: Light) -> np.ndarray:
    """Lambert: albedo (ambient + strength max(0, n . l)) with normals interpolated over the face; (R, 3) in [0, 1]."""
    corners = vertices[faces]  # (F, 3, 3)
    normals = incidence @ np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])  # (V, 3)
    normals = np.einsum("rk,rkc->rc", hits.barycentric, normals[faces[hits.face]])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12
    amount = light.ambient + light.strength * np.maximum(normals @ light.direction, 0)
    return np.minimum(colours[hits.face] * amount[:, None], 1)
