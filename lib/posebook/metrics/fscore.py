"""F-score of two surfaces, and the four numbers that FreiHAND reports for a hand."""

from typing import NamedTuple

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.metrics.checks import MM, as_pair, reduce
from posebook.metrics.procrustes import pa_mpjpe, procrustes_align

THRESHOLDS_MM = (5.0, 15.0)  # FreiHAND's
CHUNK = 16  # meshes at a time: 778 x 778 distances each


def fscore(pred: Tensor, target: Tensor, threshold_mm: float, reduction: str = "mean") -> Tensor:
    """Harmonic mean of precision and recall at a distance: vertices are points, correspondence does not count.

    precision = share of predicted points nearer than the threshold to some target point; recall the same the other way
    round; F = 2 P R / (P + R), 0 when both are 0.

    Args:
        pred, target: (..., V, 3) metres, in one frame: align them first where the protocol does.
        threshold_mm: a point exactly at this distance does not count.
        reduction: "mean" -> scalar, "none" -> (...) per mesh.

    Returns:
        Shares in [0, 1].

    Raises:
        PosebookError: shapes, units or a reduction that do not fit; a threshold that is not positive.

    Source: specs/i2l.md sections 4 and 5.1 (F@5 mm and F@15 mm).
    """
    pred, target = as_pair(pred, target)
    if not threshold_mm > 0:
        raise PosebookError(f"threshold_mm must be positive, got {threshold_mm}. FreiHAND's are 5 and 15.")
    lead = pred.shape[:-2]
    chunks = zip(*(p.flatten(0, -3).split(CHUNK) if lead else (p[None],) for p in (pred, target)), strict=True)
    found = [_one_chunk(x, y, threshold_mm) for x, y in chunks]
    return reduce(torch.cat(found).reshape(lead), reduction)


def _one_chunk(pred: Tensor, target: Tensor, threshold_mm: float) -> Tensor:
    # Not by the matrix product: its rounding is a tenth of a millimetre a metre from the origin.
    distance = MM * torch.cdist(pred, target, compute_mode="donot_use_mm_for_euclid_dist")  # (n, V, V)
    precision = (distance.amin(2) < threshold_mm).to(pred.dtype).mean(1)
    recall = (distance.amin(1) < threshold_mm).to(pred.dtype).mean(1)
    both = precision + recall
    return torch.where(both > 0, 2 * precision * recall / both.clamp_min(1e-12), 0.0)


class FreiHandScores(NamedTuple):
    """Per hand (N,) or their means."""

    pa_mpjpe: Tensor  # mm, joints aligned by joints
    pa_mpvpe: Tensor  # mm, vertices aligned by vertices
    f5: Tensor  # share, of the aligned vertices, 5 mm
    f15: Tensor  # share, 15 mm


@torch.no_grad()
def freihand_scores(
    pred_joints: Tensor, target_joints: Tensor, pred_vertices: Tensor, target_vertices: Tensor, reduction: str = "mean"
) -> FreiHandScores:
    """PA-MPJPE, PA-MPVPE, F@5 mm and F@15 mm. Joints and vertices are aligned separately, each by its own similarity.

    Reflections are excluded, as everywhere in this package.

    Args:
        pred_joints, target_joints: (..., J, 3) metres, J = 21 in FreiHAND. pred_vertices, target_vertices: (..., V, 3).
        reduction: "mean" -> scalars, "none" -> (...) per hand.

    Raises:
        PosebookError: shapes, units or a reduction that do not fit.

    Source: specs/i2l.md section 4.
    """
    aligned = procrustes_align(pred_vertices, target_vertices).aligned
    scores = (fscore(aligned, target_vertices, t, reduction) for t in THRESHOLDS_MM)
    return FreiHandScores(
        pa_mpjpe(pred_joints, target_joints, reduction), pa_mpjpe(pred_vertices, target_vertices, reduction), *scores
    )
