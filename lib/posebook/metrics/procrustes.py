"""Similarity Procrustes without reflection, in closed form, and the metric that stands on it.

Conventions: points are rows; y = s R x + t; R is a proper rotation acting on column vectors (det R = +1), so a mirrored
prediction keeps its large error. Inside, coordinates lie in separate rows (structure of arrays) and frames run along
the last dimension: every step is one plain operation over thousands of frames instead of one LAPACK call per frame.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from posebook.metrics.checks import MM, as_pair, reduce
from posebook.metrics.rotation import optimal_rotation

CHUNK = 8192  # frames at a time: few calls, and memory that is reused
POINT_EXTENT = 1e-12  # a body smaller than this share of its coordinates is one point plus rounding


class Alignment(NamedTuple):
    """aligned = scale * rotation @ pred + translation, for column vectors."""

    aligned: Tensor  # (..., J, 3) metres, in the target's frame
    rotation: Tensor  # (..., 3, 3) det +1
    scale: Tensor  # (...) no unit, >= 0
    translation: Tensor  # (..., 3) metres


@torch.no_grad()
def procrustes_align(pred: Tensor, target: Tensor) -> Alignment:
    """Move each predicted body onto its target by the best similarity.

    argmin over s, R, t of sum_j |s R x_j + t - y_j|^2 with det R = +1. Not differentiable.

    Args:
        pred, target: (..., J, 3) metres, any one frame.

    Returns:
        Alignment; a prediction whose points all coincide gets R = 1, s = 1 and lands on the target's mean.

    Raises:
        PosebookError: shapes, devices or units that do not fit.
    """
    pred, target = as_pair(pred, target)
    lead, joints = pred.shape[:-2], pred.shape[-2]
    parts = [_align(*chunk) for chunk in _chunks(pred, target)]
    aligned, rotation, scale, translation = (torch.cat(p, dim=-1) for p in zip(*parts, strict=True))
    fields = (
        aligned.permute(2, 1, 0).reshape(*lead, joints, 3),
        rotation.permute(2, 0, 1).reshape(*lead, 3, 3),
        scale.reshape(lead),
        translation.T.reshape(*lead, 3),
    )
    return Alignment(*(f.to(device=pred.device, dtype=pred.dtype).contiguous() for f in fields))


@torch.no_grad()
def pa_mpjpe(pred: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """MPJPE after the best similarity per frame (reflection excluded).

    1000 * mean_j |s R x_j + t - y_j|. Not differentiable.

    Args:
        pred, target: (..., J, 3) metres.
        reduction: "mean" -> scalar, "none" -> (...) per frame.

    Returns:
        Millimetres.

    Raises:
        PosebookError: shapes, devices, units or a reduction that do not fit.

    Source: "reconstruction error" of specs/vibe.md section 3.1 and specs/c2f.md section 7.
    """
    pred, target = as_pair(pred, target)
    errors = []
    for x, y, work in _chunks(pred, target):
        x_mean, _ = _centre(x), _centre(y)
        rotation, scale = _rotation_and_scale(x, y, x_mean, work)
        errors.append(_distance(_apply(rotation * scale, x, work), y).mean(0))
    per_frame = MM * torch.cat(errors).to(device=pred.device, dtype=pred.dtype)
    return reduce(per_frame.reshape(pred.shape[:-2]), reduction)


def _chunks(pred: Tensor, target: Tensor):
    """Yield both as (3, J, n) float64 and a free buffer of that size; the same memory serves every chunk.

    Fresh memory for each step would cost more than the arithmetic. Apple's GPU has no float64: computed on the CPU.
    """
    device = torch.device("cpu") if pred.device.type == "mps" else pred.device
    pred, target = (p.reshape(-1, *p.shape[-2:]) for p in (pred, target))  # (N, J, 3)
    buffer = torch.empty(3, 3 * pred.shape[1] * min(CHUNK, len(pred)), dtype=torch.float64, device=device)
    for start in range(0, len(pred), CHUNK):
        source = pred[start : start + CHUNK].permute(2, 1, 0)  # (3, J, n)
        x, y, work = (row[: source.numel()].view(source.shape) for row in buffer)
        yield x.copy_(source), y.copy_(target[start : start + CHUNK].permute(2, 1, 0)), work


def _centre(x: Tensor) -> Tensor:
    """Subtract the mean of (3, J, n) in place and return it, (3, 1, n)."""
    mean = x.mean(1, keepdim=True)
    x.sub_(mean)
    return mean


def _align(x: Tensor, y: Tensor, work: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Align one chunk: (3, J, n) twice -> aligned (3, J, n), rotation (3, 3, n), scale (n,), translation (3, n)."""
    x_mean, y_mean = _centre(x), _centre(y)
    rotation, scale = _rotation_and_scale(x, y, x_mean, work)
    turn = rotation * scale
    translation = y_mean - _apply(turn, x_mean, torch.empty_like(x_mean))
    return _apply(turn, x, work) + y_mean, rotation, scale, translation[:, 0]


def _apply(matrix: Tensor, x: Tensor, out: Tensor) -> Tensor:
    """Multiply (3, 3, n) by points (3, J, n) into `out`."""
    for row, into in zip(matrix, out, strict=True):
        torch.mul(row[0], x[0], out=into).addcmul_(row[1], x[1]).addcmul_(row[2], x[2])
    return out


def _distance(x: Tensor, y: Tensor) -> Tensor:
    """Distances (J, n) of points (3, J, n); overwrites x."""
    d = x.sub_(y)
    return d[0].square_().addcmul_(d[1], d[1]).addcmul_(d[2], d[2]).sqrt_()


def _rotation_and_scale(x: Tensor, y: Tensor, x_mean: Tensor, work: Tensor) -> tuple[Tensor, Tensor]:
    """Best rotation (3, 3, n) and scale (n,), trace(R^T B) / |x|^2, of centred x onto centred y, both (3, J, n)."""
    b = torch.stack([torch.mul(y[i], x, out=work).sum(1) for i in range(3)])  # (3, 3, n) sum y x^T
    rotation = optimal_rotation(b)
    spread = torch.mul(x, x, out=work).sum((0, 1))
    is_point = spread <= x.shape[1] * (POINT_EXTENT * x_mean.abs().amax((0, 1))) ** 2
    scale = (rotation * b).sum((0, 1)) / spread
    rotation = torch.where(is_point, torch.eye(3, dtype=b.dtype, device=b.device)[..., None], rotation)
    return rotation, torch.where(is_point, 1.0, scale).clamp_(min=0)  # never negative but for rounding
