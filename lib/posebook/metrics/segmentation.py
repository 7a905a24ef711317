"""Quality of part segmentation: confusion counts, F1 and intersection over union per part. Fractions 0..1, not percent.

Label 0 is the background, 1..P are the parts. Counts add: sum the matrices of many pictures, then score once.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from posebook.errors import PosebookError


class PartScores(NamedTuple):
    """Scores of the parts 1..P. A part absent from both prediction and target is NaN and left out of the means."""

    f1: Tensor  # (P,) float64, 2 TP / (2 TP + FP + FN)
    iou: Tensor  # (P,) float64, TP / (TP + FP + FN)
    mean_f1: float  # over the parts, without the background
    mean_iou: float
    pixel_accuracy: float  # share of all pixels, background included


def confusion_matrix(pred: Tensor, target: Tensor, classes: int) -> Tensor:
    """Count pixels by true and predicted label.

    Args:
        pred, target: (..., H, W) integer labels 0..P, tensors or arrays, equal shapes, on one device.
        classes: P + 1, the number of labels with the background (13 for the 12 parts of NBF).

    Returns:
        (P + 1, P + 1) int64: row = target, column = prediction.

    Raises:
        PosebookError: shapes or devices that differ, labels that are not integers or not in 0..P, no pixels.

    Source: specs/nbf.md section 7.
    """
    if classes < 2:
        raise PosebookError(f"classes: expected at least 2 (the background and one part), got {classes}.")
    pred, target = _as_labels(pred, "pred", classes), _as_labels(target, "target", classes)
    if pred.shape != target.shape:
        raise PosebookError(
            f"pred and target must have one shape; got {tuple(pred.shape)} and {tuple(target.shape)}. "
            "Resample one of the label maps (nearest neighbour)."
        )
    if pred.device != target.device:
        raise PosebookError(f"pred is on {pred.device}, target on {target.device}; move one with .to().")
    pairs = target.flatten() * classes + pred.flatten()
    return torch.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def part_scores(confusion: Tensor) -> PartScores:
    """Score each part against everything else, F1_p = 2 TP / (2 TP + FP + FN) and IoU_p = TP / (TP + FP + FN).

    Args:
        confusion: (P + 1, P + 1) counts, rows target, as `confusion_matrix` returns them or a sum of such.

    Returns:
        PartScores; a mean without any part present is NaN.

    Raises:
        PosebookError: not a square matrix of at least 2 labels, negative counts, or no pixels.

    Source: specs/nbf.md section 7 (mean F1 over parts).
    """
    counts = torch.as_tensor(confusion).double()
    if counts.dim() != 2 or counts.shape[0] != counts.shape[1] or len(counts) < 2:
        raise PosebookError(
            f"confusion: expected one matrix (P + 1, P + 1) with P >= 1, got shape {tuple(counts.shape)}. "
            "Build it with confusion_matrix."
        )
    if not (counts >= 0).all() or counts.sum() == 0:
        raise PosebookError("confusion: expected counts >= 0 of at least one pixel; got negative ones, NaN or only 0.")
    hits = counts.diagonal()
    either = counts.sum(0) + counts.sum(1)  # 2 TP + FP + FN
    f1 = (2 * hits / either)[1:]  # 0 / 0 is NaN: the part is nowhere
    iou = (hits / (either - hits))[1:]
    accuracy = hits.sum() / counts.sum()
    return PartScores(f1, iou, f1.nanmean().item(), iou.nanmean().item(), accuracy.item())


def _as_labels(labels, name: str, classes: int) -> Tensor:
    labels = torch.as_tensor(labels)
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise PosebookError(
            f"{name}: expected integer labels, got {labels.dtype}. Take the arg-max of logits, or convert with .long()."
        )
    if labels.dim() < 2 or labels.numel() == 0:
        raise PosebookError(f"{name}: expected label maps (..., H, W) with pixels, got shape {tuple(labels.shape)}.")
    labels = labels.long()
    low, high = (v.item() for v in labels.aminmax())
    if low < 0 or high >= classes:
        raise PosebookError(
            f"{name}: expected labels in 0..{classes - 1}, got {low}..{high}. "
            "Pass the number of labels with the background as `classes`."
        )
    return labels
