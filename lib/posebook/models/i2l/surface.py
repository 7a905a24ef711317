"""Two surface terms: edges across the true normals, and edge lengths. Source: specs/i2l.md 3.1."""

import torch
import torch.nn.functional as F
from torch import Tensor

from posebook.errors import PosebookError

CORNERS = ((0, 1), (0, 2), (1, 2))  # edges of a face, in the official order
EDGE_GRADIENTS = ("safe", "official")


def normal_deviation(mesh: Tensor, target: Tensor, faces: Tensor, mask: Tensor) -> Tensor:
    """|unit predicted edge . unit normal of the true face|, 0 where edges lie in the true face's plane.

    Args:
        mesh, target: (B, V, 3).
        faces: (F, 3).
        mask: (B, V, 1); a face counts if its three vertices do.

    Returns:
        (B, 3 F), edges 1-0, 2-0, 2-1, one block of F after the other.
    """
    corner = _corners(target, faces)
    normal = torch.linalg.cross(F.normalize(corner[1] - corner[0], dim=-1), F.normalize(corner[2] - corner[0], dim=-1))
    normal = F.normalize(normal, dim=-1)  # (B, F, 3)
    drawn, counts = _corners(mesh, faces), _corners(mask, faces)
    counts = (counts[0] * counts[1] * counts[2]).squeeze(-1)  # (B, F)
    edges = (F.normalize(drawn[b] - drawn[a], dim=-1) for a, b in CORNERS)
    return torch.cat([(edge * normal).sum(-1).abs() * counts for edge in edges], 1)


def edge_difference(mesh: Tensor, target: Tensor, faces: Tensor, mask: Tensor, gradient: str = "safe") -> Tensor:
    """|predicted length - true length| of the edges of every face (so inner edges count twice).

    Args:
        mesh, target: (B, V, 3).
        faces: (F, 3).
        mask: (B, V, 1); an edge counts if its two vertices do.
        gradient: of the length of an edge whose ends coincide. "safe": zero. "official": sqrt of the square without an
            epsilon, whose gradient is NaN there, *even if the edge is masked out* (0 * inf), and spoils all weights in
            one step. The values are the same.

    Returns:
        (B, 3 F), edges (0, 1), (0, 2), (1, 2), one block of F after the other.

    Raises:
        PosebookError: an unknown gradient.

    Source: specs/i2l.md 3.1, trap (a).
    """
    if gradient not in EDGE_GRADIENTS:
        raise PosebookError(f"edge gradient must be one of {EDGE_GRADIENTS}, got {gradient!r}.")
    drawn, true, counts = (_corners(x, faces) for x in (mesh, target, mask))
    parts = []
    for a, b in CORNERS:
        step = drawn[a] - drawn[b]
        length = torch.linalg.vector_norm(step, dim=-1) if gradient == "safe" else step.square().sum(-1).sqrt()
        wanted = torch.linalg.vector_norm(true[a] - true[b], dim=-1)
        parts.append((length - wanted).abs() * (counts[a] * counts[b]).squeeze(-1))
    return torch.cat(parts, 1)


def _corners(values: Tensor, faces: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(B, V, C) -> three (B, F, C)."""
    return tuple(values.index_select(1, faces[:, k]) for k in range(3))
