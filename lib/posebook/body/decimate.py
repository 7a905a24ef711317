"""Coarser meshes: quadric decimation, and sparse barycentric maps between two meshes of one surface."""

import fast_simplification
import numpy as np
import scipy.sparse as sp
from scipy.spatial import cKDTree

_NEAR = 12  # nearest vertices whose triangles are searched for the closest point


def decimate(points: np.ndarray, faces: np.ndarray, vertices_wanted: int) -> tuple[np.ndarray, np.ndarray]:
    """Quadric decimation of a closed surface to about `vertices_wanted` vertices.

    Args:
        points: (V, 3). faces: (F, 3).
        vertices_wanted: Euler's formula turns it into a face count, F = 2 V - 4 per closed piece.

    Returns:
        points (v, 3) float64 and faces (f, 3) int64; no unused vertices.
    """
    excess = 2 * len(points) - len(faces)  # 4 per closed piece of genus 0
    coarse, triangles = fast_simplification.simplify(
        points.astype(np.float32), faces.astype(np.int32), target_count=2 * vertices_wanted - excess, agg=4.0
    )
    # Collapsing can leave two triangles back to back, a pillow without volume; both go.
    _, which, count = np.unique(np.sort(triangles, axis=1), axis=0, return_inverse=True, return_counts=True)
    triangles = triangles[count[which.ravel()] == 1]
    used, renumbered = np.unique(triangles, return_inverse=True)
    return coarse[used].astype(np.float64), renumbered.reshape(-1, 3).astype(np.int64)


def closest_on_triangles(points: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Closest point of each triangle to each point, as barycentric coordinates.

    The unconstrained minimiser of |u a + v b + w c - p|^2 if inside, else the best of the three clamped edges.

    Args:
        points: (N, 3). triangles: (N, 3, 3).

    Returns:
        coordinates (N, 3), non-negative, sum 1; squared distances (N,).
    """
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    ab, ac, ap = b - a, c - a, points - a
    d00, d01, d11 = (ab * ab).sum(1), (ab * ac).sum(1), (ac * ac).sum(1)
    d20, d21 = (ap * ab).sum(1), (ap * ac).sum(1)
    area = np.maximum(d00 * d11 - d01 * d01, 1e-18)
    v, w = (d11 * d20 - d01 * d21) / area, (d00 * d21 - d01 * d20) / area
    options = [np.stack([1 - v - w, v, w], 1)]
    for i, j in ((0, 1), (1, 2), (2, 0)):
        edge = triangles[:, j] - triangles[:, i]
        t = ((points - triangles[:, i]) * edge).sum(1) / np.maximum((edge * edge).sum(1), 1e-18)
        t = np.clip(t, 0, 1)
        bary = np.zeros((len(points), 3))
        bary[:, i], bary[:, j] = 1 - t, t
        options.append(bary)
    options = np.stack(options)  # (4, N, 3)
    distance = ((np.einsum("onk,nkc->onc", options, triangles) - points) ** 2).sum(2)
    distance[0][(options[0] < 0).any(1)] = np.inf
    best = distance.argmin(0)
    rows = np.arange(len(points))
    return options[best, rows], distance[best, rows]


def barycentric_map(points: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> sp.csr_matrix:
    """Sparse (N, V) matrix that writes each point as the closest point of a mesh.

    Args:
        points: (N, 3). vertices: (V, 3). faces: (F, 3).

    Returns:
        Non-negative rows that sum to 1, three entries at most.
    """
    _, near = cKDTree(vertices).query(points, k=_NEAR)
    order = np.argsort(faces.ravel(), kind="stable")
    starts = np.searchsorted(faces.ravel()[order], np.arange(len(vertices) + 1))
    best, where, bary = np.full(len(points), np.inf), np.zeros(len(points), np.int64), np.zeros((len(points), 3))
    degree = int(np.diff(starts).max())
    for k in range(_NEAR):
        for n in range(degree):  # the n-th triangle round the k-th nearest vertex
            slot = starts[near[:, k]] + n
            rows = np.nonzero(slot < starts[near[:, k] + 1])[0]
            face = order[slot[rows]] // 3
            coordinates, distance = closest_on_triangles(points[rows], vertices[faces[face]])
            better = distance < best[rows] - 1e-15
            rows, face = rows[better], face[better]
            best[rows], where[rows], bary[rows] = distance[better], face, coordinates[better]
    rows = np.repeat(np.arange(len(points)), 3)
    matrix = sp.csr_matrix((bary.ravel(), (rows, faces[where].ravel())), shape=(len(points), len(vertices)))
    matrix.eliminate_zeros()
    return matrix


def nearest(points: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Index of the point (V, 3) nearest to each query (..., 3)."""
    return cKDTree(points).query(query)[1]
