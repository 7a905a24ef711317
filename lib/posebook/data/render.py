"""Ray casting of one posed mesh with Embree: colour, part labels and depth.

Rays start at the camera centre with direction K^-1 (u, v, 1), z component 1, so Embree's ray parameter is depth along
z. Labels and depth are taken at pixel centres; colour averages `supersample`^2 rays per pixel.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy.sparse
from embreex import rtcore, rtcore_scene
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


class Window(NamedTuple):
    """Pixels of a picture that a mesh may cover: rows top..bottom-1, columns left..right-1."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def inside(self) -> tuple[slice, slice]:
        """Index of these pixels in an (H, W, ...) array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


def window_of(vertices: np.ndarray, K: np.ndarray, size: int) -> Window:
    """Pixels round the projection of a mesh, one to spare; the whole picture where a part is behind the camera.

    Args:
        vertices: (V, 3) metres, camera frame. K: (3, 3) pixels. size: H = W in pixels.
    """
    depth = vertices[:, 2]
    if depth.min() <= 0:
        return Window(0, size, 0, size)
    spans = []
    for axis in (1, 0):  # y, then x
        seen = K[axis, axis] * vertices[:, axis] / depth + K[axis, 2]
        spans += np.clip([np.floor(seen.min()) - 1, np.ceil(seen.max()) + 1], 0, size).astype(int).tolist()
    return Window(*spans)


def pixel_rays(K: np.ndarray, size: int, supersample: int = 1, window: Window | None = None) -> np.ndarray:
    """Directions through the centres of the (size * supersample)^2 sub-pixels, z component 1.

    Args:
        K: (3, 3) pixels.
        size: H = W in pixels.
        supersample: sub-pixels per pixel side.
        window: only through these pixels.

    Returns:
        (H * W * s * s, 3) float32, row by row.
    """
    window = window or Window(0, size, 0, size)
    columns, rows = (np.arange(low * supersample, high * supersample) for low, high in (window[2:], window[:2]))
    x = ((columns + 0.5) / supersample - K[0, 2]) / K[0, 0]
    y = ((rows + 0.5) / supersample - K[1, 2]) / K[1, 1]
    grid = np.ones((len(y), len(x), 3), np.float32)
    grid[..., 0], grid[..., 1] = x[None, :], y[:, None]
    return grid.reshape(-1, 3)


@lru_cache(maxsize=1)
def embree() -> rtcore.EmbreeDevice:
    """This process's Embree; making one for each picture takes longer than casting its rays."""
    return rtcore.EmbreeDevice()


def mesh_scene(vertices: np.ndarray, faces: np.ndarray) -> rtcore_scene.EmbreeScene:
    """One mesh to cast rays at: (V, 3) metres, camera frame; (F, 3)."""
    scene = rtcore_scene.EmbreeScene(embree())
    TriangleMesh(scene, np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(faces, np.int32))
    return scene


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
    window = window_of(vertices, K, size)
    shape = window.bottom - window.top, window.right - window.left
    image, parts, depth = scenery.copy(), np.zeros((size, size), np.uint8), np.zeros((size, size), np.float32)
    if 0 not in shape:
        scene = mesh_scene(vertices, faces)
        centre = cast(scene, pixel_rays(K, size, window=window))
        hit = centre.face >= 0
        parts[window.inside] = np.where(hit, part_of_face[centre.face], 0).reshape(shape)
        depth[window.inside] = np.where(hit, centre.depth, 0).reshape(shape)
        fine = cast(scene, pixel_rays(K, size, supersample, window))
        canvas = np.repeat(np.repeat(scenery[window.inside], supersample, 0), supersample, 1).reshape(-1, 3)
        on = fine.face >= 0
        canvas[on] = shade(vertices, faces, incidence, colours, Hits(*(a[on] for a in fine)), light)
        image[window.inside] = shrink(canvas.reshape(shape[0], supersample, shape[1], supersample, 3))
    return Rendering((image * 255 + 0.5).clip(0, 255).astype(np.uint8), parts, depth)


def shrink(canvas: np.ndarray) -> np.ndarray:
    """Mean of the s x s rays of every pixel: (H, s, W, s, 3) -> (H, W, 3). Whole pictures are added, one ray of every
    pixel at a time, which is several times faster than numpy's mean over two short axes."""
    rays = [canvas[:, i, :, j] for i in range(canvas.shape[1]) for j in range(canvas.shape[3])]
    return sum(rays[1:], rays[0]) / len(rays)


def shade(vertices, faces, incidence, colours, hits: Hits, light: Light) -> np.ndarray:
    """Lambert: albedo (ambient + strength max(0, n . l)) with normals interpolated over the face; (R, 3) in [0, 1]."""
    corners = vertices[faces]  # (F, 3, 3)
    normals = incidence @ np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])  # (V, 3)
    normals = np.einsum("rk,rkc->rc", hits.barycentric, normals[faces[hits.face]])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12
    amount = light.ambient + light.strength * np.maximum(normals @ light.direction, 0)
    return np.minimum(colours[hits.face] * amount[:, None], 1)
