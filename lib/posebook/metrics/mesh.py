"""Per-vertex error of a posed mesh."""

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.metrics.checks import MM, as_metres, as_pair, reduce


def vertex_areas(vertices: Tensor, faces: Tensor) -> Tensor:
    """Surface that each vertex stands for: a third of every triangle it belongs to.

    Args:
        vertices: (..., V, 3) metres.
        faces: (F, 3) integer indices into V.

    Returns:
        (..., V) square metres; 0 for a vertex in no face.

    Raises:
        PosebookError: faces that do not fit the vertices.
    """
    vertices = as_metres(vertices, "vertices")
    faces = torch.as_tensor(faces, device=vertices.device).long()
    count = vertices.shape[-2]
    if faces.dim() != 2 or faces.shape[-1] != 3 or faces.numel() == 0 or faces.min() < 0 or faces.max() >= count:
        raise PosebookError(
            f"faces: expected (F, 3) indices into {count} vertices, got shape {tuple(faces.shape)}. "
            "Pass the faces of the same mesh level as the vertices."
        )
    a, b, c = (vertices[..., faces[:, k], :] for k in range(3))  # (..., F, 3)
    third = torch.linalg.vector_norm(torch.linalg.cross(b - a, c - a), dim=-1) / 6  # (..., F)
    areas = torch.zeros(vertices.shape[:-1], dtype=vertices.dtype, device=vertices.device)
    for k in range(3):
        areas.index_add_(-1, faces[:, k], third)
    return areas


def pve(
    pred: Tensor, target: Tensor, reduction: str = "mean", faces: Tensor | None = None, areas: Tensor | None = None
) -> Tensor:
    """Per-vertex error of the full posed mesh, area-weighted when faces are given.

    1000 * sum_v w_v |x_v - y_v|, w_v = area_v / sum area on the target mesh; without faces w_v = 1 / V, the papers'
    number, in which dense regions such as hands and face count more than their surface. Report both, weighted first.

    Args:
        pred, target: (..., V, 3) metres, both already relative to their roots.
        reduction: "mean" -> scalar, "none" -> (...) per mesh.
        faces: (F, 3) of the target mesh, or None for the plain mean over vertices.
        areas: (..., V) of the target mesh, where `vertex_areas` was computed before; instead of faces.

    Returns:
        Millimetres.

    Raises:
        PosebookError: shapes, units or faces that do not fit; a target mesh without any surface.

    Source: specs/vibe.md section 3.1 (plain mean).
    """
    pred, target = as_pair(pred, target)
    distances = MM * torch.linalg.vector_norm(pred - target, dim=-1)  # (..., V)
    if faces is None and areas is None:
        return reduce(distances.mean(-1), reduction)
    areas = vertex_areas(target, faces) if areas is None else areas.to(distances)
    if areas.shape != distances.shape:
        raise PosebookError(f"areas: expected {tuple(distances.shape)}, one a vertex; got {tuple(areas.shape)}.")
    total = areas.sum(-1)
    if (total <= 0).any():
        raise PosebookError("faces: the target mesh has no surface (all triangles are flat); check units and faces.")
    return reduce((areas * distances).sum(-1) / total, reduction)
