"""What lifted poses need beside the usual metrics: mirror images, ElePose's scalings, CPS, flip rates.

Metres in, millimetres or percent out; arguments as in posebook.metrics.positions. Without labels nothing tells near
from far or left from right, so errors are printed with and without a mirror, and flips are counted.
N-MPJPE in both scalings is `posebook.metrics.n_mpjpe`, PCK and AUC after a scaling are `pck(norm_scaled(x, y), y)`.
Source: specs/selfsup.md 3.1.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.metrics.checks import as_pair, reduce
from posebook.metrics.positions import auc, joint_distances, mpjpe, n_mpjpe, pck, root_relative
from posebook.metrics.procrustes import pa_mpjpe, procrustes_align

CPS_MM = 300  # the last threshold of the correct-poses score


def norm_scaled(pred: Tensor, target: Tensor) -> Tensor:
    """The prediction with its target's norm, x |y| / |x|, per frame: what ElePose scores with PCK, AUC and CPS.

    A prediction that is all zeros stays so.

    Args:
        pred, target: (..., J, 3) metres, both already relative to their roots.

    Returns:
        (..., J, 3) metres.
    """
    pred, target = as_pair(pred, target)
    size = torch.linalg.vector_norm(pred, dim=(-2, -1), keepdim=True)
    return pred * torch.linalg.vector_norm(target, dim=(-2, -1), keepdim=True) / torch.where(size > 0, size, 1.0)


def depth_flipped(pose: Tensor, root: Sequence[int] = (0,)) -> Tensor:
    """The pose with near and far exchanged about its root, z -> 2 z_root - z: (..., J, 3) -> (..., J, 3)."""
    depth = pose[..., 2]
    return torch.cat((pose[..., :2], (2 * depth[..., list(root)].mean(-1, keepdim=True) - depth).unsqueeze(-1)), -1)


@torch.no_grad()
def pa_mpjpe_mirror(pred: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """MPJPE after the best similarity per frame *with mirror images allowed*, det R = +1 or -1.

    The better of the two by the squared error, as SciPy's and Matlab's Procrustes choose. A depth-flipped pose scores
    0: print `pa_mpjpe` beside it. Not differentiable.

    Args:
        pred, target: (..., J, 3) metres.
        reduction: "mean" -> scalar, "none" -> (...) per frame.

    Returns:
        Millimetres.
    """
    pred, target = as_pair(pred, target)
    sides = [pred, depth_flipped(pred)]
    residual = [(procrustes_align(side, target).aligned - target).square().sum((-2, -1)) for side in sides]
    errors = [pa_mpjpe(side, target, "none") for side in sides]
    return reduce(torch.where(residual[1] < residual[0], errors[1], errors[0]), reduction)


@torch.no_grad()
def pa_mpjpe_rms(pred: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """MPJPE after rotation, translation and a scale that makes both spreads equal, ElePose's batched variant.

    y' = (|y - mean| / |x - mean|) R (x - mean) + mean, R the best proper rotation: a little above `pa_mpjpe`, whose
    scale is the least squares one. Not differentiable.

    Args:
        pred, target: (..., J, 3) metres.
        reduction: "mean" -> scalar, "none" -> (...) per frame.

    Returns:
        Millimetres.
    """
    pred, target = as_pair(pred, target)
    rotation = procrustes_align(pred, target).rotation
    middle, wanted = (p - p.mean(-2, keepdim=True) for p in (pred, target))
    return reduce(mpjpe(norm_scaled(middle @ rotation.mT, wanted), wanted, "none"), reduction)


def worst_joint(pred: Tensor, target: Tensor) -> Tensor:
    """Largest joint distance of each frame: (..., J, 3) twice -> (...) mm."""
    return joint_distances(pred, target).amax(-1)


def cps(pred: Tensor, target: Tensor, reduction: str = "mean", limit_mm: int = CPS_MM) -> Tensor:
    """Correct-poses score: sum over thresholds 0, 1, ..., 300 mm of the share of poses whose worst joint is below it.

    301 for perfect poses but for the threshold 0, which (strict) gives 0: 300. As in ElePose's code nothing is aligned,
    while the score's authors align by Procrustes; pass `norm_scaled` or aligned poses for either.

    Args:
        pred, target: (..., J, 3) metres, both already relative to their roots.
        reduction: "mean" -> scalar, "none" -> (...) per frame.
        limit_mm: the last threshold, whole millimetres.

    Returns:
        A number from 0 to `limit_mm`, no unit.
    """
    worst = worst_joint(pred, target)
    thresholds = torch.arange(limit_mm + 1, dtype=worst.dtype, device=worst.device)
    return reduce((worst.unsqueeze(-1) < thresholds).to(worst.dtype).sum(-1), reduction)


def depth_flip_rate(pred: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Share of poses that fit better with near and far exchanged: PA-MPJPE(flipped) < PA-MPJPE, strictly.

    About 50 % for depths that are right up to a random flip, and also for depths that mean nothing: read it beside
    `pa_mpjpe_mirror`.

    Args:
        pred, target: (..., J, 3) metres.
        reduction: "mean" -> scalar, "none" -> (...) per frame, 0 or 100.

    Returns:
        Percent.
    """
    pred, target = as_pair(pred, target)
    flipped = pa_mpjpe(depth_flipped(pred), target, "none") < pa_mpjpe(pred, target, "none")
    return reduce(100.0 * flipped.to(pred.dtype), reduction)


def side_flip_rate(pred: Tensor, target: Tensor, flip: Sequence[int], reduction: str = "mean") -> Tensor:
    """Share of poses that fit better with left and right names exchanged, by mean joint distance, strictly.

    Args:
        pred, target: (..., J, C) of one frame and unit: 2D poses (any unit), or 3D ones relative to their roots.
        flip: J joint numbers, the partner of each (`JointSet.flip`).
        reduction: "mean" -> scalar, "none" -> (...) per frame, 0 or 100.

    Returns:
        Percent.

    Raises:
        PosebookError: shapes that do not fit.
    """
    pred, target = _check_flip(pred, target, flip)
    swapped = _mean_distance(pred[..., list(flip), :], target) < _mean_distance(pred, target)
    return reduce(100.0 * swapped.to(pred.dtype), reduction)


def side_free_error(pred: Tensor, target: Tensor, flip: Sequence[int], reduction: str = "mean") -> Tensor:
    """Mean joint distance with the better of both namings of left and right, in the unit of the poses.

    Arguments as for `side_flip_rate`; with 2D poses in image sides it is KeypointGAN's second error.
    """
    pred, target = _check_flip(pred, target, flip)
    plain, swapped = _mean_distance(pred, target), _mean_distance(pred[..., list(flip), :], target)
    return reduce(torch.minimum(plain, swapped), reduction)


def lifting_scores(pred: Tensor, target: Tensor, root: Sequence[int] = (0,)) -> dict[str, float]:
    """All numbers of a lifted set, both scalings and both kinds of Procrustes named.

    Args:
        pred, target: (N, J, 3) metres; roots are moved to 0 here.
        root: joints whose mean is the root.

    Returns:
        Millimetres, or percent where the name says so.
    """
    pred, target = as_pair(root_relative(pred, root), root_relative(target, root))
    scaled = norm_scaled(pred, target)
    values = {
        "N-MPJPE (least squares)": n_mpjpe(pred, target),
        "N-MPJPE (norm ratio)": n_mpjpe(pred, target, scaling="norm"),
        "P-MPJPE": pa_mpjpe(pred, target),
        "P-MPJPE, mirror allowed": pa_mpjpe_mirror(pred, target),
        "PCK@150 (%)": pck(scaled, target),
        "AUC (%)": auc(scaled, target),
        "CPS": cps(scaled, target),
        "depth flips (%)": depth_flip_rate(pred, target),
    }
    return {name: float(value) for name, value in values.items()}


def _mean_distance(pred: Tensor, target: Tensor) -> Tensor:
    return torch.linalg.vector_norm(pred - target, dim=-1).mean(-1)


def _check_flip(pred: Tensor, target: Tensor, flip: Sequence[int]) -> tuple[Tensor, Tensor]:
    pred, target = torch.as_tensor(pred), torch.as_tensor(target)
    if pred.shape != target.shape or pred.ndim < 2 or sorted(flip) != list(range(pred.shape[-2])):
        raise PosebookError(
            f"Expected two sets of poses (..., J, 2 or 3) of one shape and a permutation of J joints; got "
            f"{tuple(pred.shape)}, {tuple(target.shape)} and {tuple(flip)}."
        )
    return pred, target
