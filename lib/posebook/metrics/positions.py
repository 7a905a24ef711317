"""Errors of joint positions: metres in, millimetres out.

No function here moves the root: pass root-relative joints (`root_relative`), or let `Protocol.evaluate` do it.
Everything but the counts is differentiable and runs on the input's device and in its type (half computes in float32).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.metrics.checks import MM, as_metres, as_pair, reduce

PCK_MM = 150.0  # the threshold of MPI-INF-3DHP, and the end of its AUC
AUC_STEPS = 31  # 0, 5, ..., 150 mm


def root_relative(joints: Tensor, root: Sequence[int]) -> Tensor:
    """Subtract the mean of the root joints from every joint.

    Args:
        joints: (..., J, 3) metres.
        root: indices whose mean is the root.

    Returns:
        (..., J, 3) metres, root at 0.
    """
    joints = as_metres(joints, "joints")
    if not root or max(root) >= joints.shape[-2] or min(root) < 0:
        raise PosebookError(f"root must name joints in 0..{joints.shape[-2] - 1}, got {tuple(root)}.")
    return joints - joints[..., list(root), :].mean(-2, keepdim=True)


def joint_distances(pred: Tensor, target: Tensor) -> Tensor:
    """Distance of each joint, 1000 |x_j - y_j|.

    Args:
        pred, target: (..., J, 3) metres.

    Returns:
        (..., J) mm.

    Raises:
        PosebookError: shapes, devices or units that do not fit.
    """
    pred, target = as_pair(pred, target)
    return MM * torch.linalg.vector_norm(pred - target, dim=-1)


def mpjpe(pred: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Mean per-joint position error, 1000 * mean_j |x_j - y_j|.

    Args:
        pred, target: (..., J, 3) metres, both already relative to their roots.
        reduction: "mean" -> scalar, "none" -> (...) per frame.

    Returns:
        Millimetres.

    Raises:
        PosebookError: shapes, devices, units or a reduction that do not fit.

    Source: specs/vibe.md section 3.1.
    """
    return reduce(joint_distances(pred, target).mean(-1), reduction)


def n_mpjpe(pred: Tensor, target: Tensor, reduction: str = "mean", scaling: str = "optimal") -> Tensor:
    """MPJPE after one scale per frame about the root (the origin).

    "optimal": s = <x, y> / <x, x>, least squares, the usual N-MPJPE. "norm": s = |y| / |x|, ElePose's, a little larger.
    A prediction that is all zeros keeps s = 1. As published, s is not kept from being negative.

    Args:
        pred, target: (..., J, 3) metres, both already relative to their roots.
        reduction: "mean" -> scalar, "none" -> (...) per frame.
        scaling: "optimal" or "norm".

    Returns:
        Millimetres.

    Raises:
        PosebookError: shapes, devices, units or a name that do not fit.

    Source: specs/selfsup.md section 3.1.
    """
    if scaling not in ("optimal", "norm"):
        raise PosebookError(f"scaling must be 'optimal' or 'norm', got {scaling!r}.")
    pred, target = as_pair(pred, target)
    power = (pred * pred).sum((-2, -1), keepdim=True)
    wanted = (target * target if scaling == "norm" else pred * target).sum((-2, -1), keepdim=True)
    scale = wanted / torch.where(power > 0, power, torch.ones_like(power))
    scale = scale.sqrt() if scaling == "norm" else scale
    scale = torch.where(power > 0, scale, torch.ones_like(scale))
    return reduce(MM * torch.linalg.vector_norm(scale * pred - target, dim=-1).mean(-1), reduction)


def pck(pred: Tensor, target: Tensor, reduction: str = "mean", threshold_mm: float = PCK_MM) -> Tensor:
    """Percentage of correct keypoints: share of joints closer than the threshold (strictly).

    The root counts as a joint; at 0 in both poses it is always right and lifts the value by up to 1/J.

    Args:
        pred, target: (..., J, 3) metres, both already relative to their roots.
        reduction: "mean" -> scalar, "none" -> (...) per frame.
        threshold_mm: millimetres.

    Returns:
        Percent, 0 to 100.

    Source: specs/selfsup.md section 3.1.
    """
    distances = joint_distances(pred, target)
    return reduce(100 * (distances < threshold_mm).to(distances.dtype).mean(-1), reduction)


def auc(pred: Tensor, target: Tensor, reduction: str = "mean", limit_mm: float = PCK_MM) -> Tensor:
    """Area under the PCK curve: mean PCK over 31 thresholds from 0 to the limit.

    The threshold 0 counts and, PCK being strict, gives 0: a perfect pose has 30/31 = 96.8 %, as in the official code.

    Args:
        pred, target: (..., J, 3) metres, both already relative to their roots.
        reduction: "mean" -> scalar, "none" -> (...) per frame.
        limit_mm: the last threshold, millimetres.

    Returns:
        Percent, 0 to 100.

    Source: specs/selfsup.md section 3.1.
    """
    distances = joint_distances(pred, target)
    thresholds = torch.linspace(0, limit_mm, AUC_STEPS, dtype=distances.dtype, device=distances.device)
    below = sum((distances < t).to(distances.dtype).mean(-1) for t in thresholds)  # one threshold at a time: memory
    return reduce(100 * below / AUC_STEPS, reduction)


def per_joint(pred: Tensor, target: Tensor) -> Tensor:
    """MPJPE of each joint over all frames.

    Args:
        pred, target: (..., J, 3) metres, both already relative to their roots.

    Returns:
        (J,) mm; the distances of single frames are `joint_distances`.
    """
    distances = joint_distances(pred, target)
    return distances.reshape(-1, distances.shape[-1]).mean(0)


def mpjpe_per_action(pred: Tensor, target: Tensor, action: Sequence[str]) -> dict[str, float]:
    """MPJPE of each action, and under "mean of actions" the mean in which every action counts the same.

    Args:
        pred, target: (N, J, 3) metres, both already relative to their roots.
        action: N names, one per frame.

    Returns:
        Millimetres by action in alphabetical order, then "mean of actions".

    Raises:
        PosebookError: as `mpjpe`, or a wrong number of names.
    """
    errors = mpjpe(pred, target, "none")
    if errors.dim() != 1 or len(errors) != len(action):
        raise PosebookError(f"expected one action per frame: {len(action)} names for shape {tuple(errors.shape)}.")
    rows: dict[str, list[int]] = {}
    for frame, name in enumerate(action):
        rows.setdefault(str(name), []).append(frame)
    table = {name: errors[rows[name]].mean().item() for name in sorted(rows)}
    return table | {"mean of actions": sum(table.values()) / len(table)}
