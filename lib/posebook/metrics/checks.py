"""What every metric asks of its input: shapes, one device, floating metres; and how a reduction name is applied."""

import torch
from torch import Tensor

from posebook.errors import PosebookError

MAX_METRES = 100.0  # a body, and a camera that sees one, fit well inside; millimetres do not
MM = 1000.0  # metres -> millimetres


def as_metres(points, name: str, last: int = 3, least_dims: int = 2) -> Tensor:
    """Check one tensor of points and return it in a floating type that metrics can compute in.

    Args:
        points: (..., J, last) tensor or array, metres; half precision is computed in float32.
        name: how the error message calls it.
        last: size of the last dimension.
        least_dims: fewest dimensions allowed.

    Raises:
        PosebookError: wrong shape, nothing in it, not floating, or values that cannot be metres.
    """
    points = torch.as_tensor(points)
    if points.dim() < least_dims or points.shape[-1] != last:
        raise PosebookError(
            f"{name}: expected at least {least_dims} dimensions, the last of size {last} (points in metres); "
            f"got shape {tuple(points.shape)}. Reshape it to (..., J, {last})."
        )
    if points.numel() == 0:
        raise PosebookError(f"{name}: expected at least one point, got the empty shape {tuple(points.shape)}.")
    if not points.is_floating_point():
        raise PosebookError(f"{name}: expected floating point metres, got {points.dtype}. Convert it with .float().")
    largest = max(abs(v.item()) for v in points.detach().aminmax())
    if largest > MAX_METRES:
        raise PosebookError(
            f"{name}: expected metres, but the largest coordinate is {largest:.4g}. "
            f"Values above {MAX_METRES:g} look like millimetres or pixels; divide millimetres by 1000."
        )
    return points.float() if points.dtype in (torch.float16, torch.bfloat16) else points


def as_pair(pred, target, least_dims: int = 2) -> tuple[Tensor, Tensor]:
    """Check a prediction and its target together; both come back in the wider of their two types.

    Args:
        pred, target: (..., J, 3), metres, equal shapes, on one device.
        least_dims: fewest dimensions allowed.

    Raises:
        PosebookError: as `as_metres`; or shapes or devices that differ.
    """
    pred, target = as_metres(pred, "pred", least_dims=least_dims), as_metres(target, "target", least_dims=least_dims)
    return alike(pred, target)


def alike(pred: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Two floating tensors of one shape on one device, in the wider of their two types.

    Raises:
        PosebookError: shapes or devices that differ.
    """
    if pred.shape != target.shape:
        raise PosebookError(
            f"pred and target must have one shape; got {tuple(pred.shape)} and {tuple(target.shape)}. "
            "Metrics do not broadcast: expand explicitly if you mean it."
        )
    if pred.device != target.device:
        raise PosebookError(f"pred is on {pred.device}, target on {target.device}; move one with .to().")
    dtype = torch.promote_types(pred.dtype, target.dtype)
    return pred.to(dtype), target.to(dtype)


def reduce(per_frame: Tensor, reduction: str) -> Tensor:
    """Mean over all frames, or the frames themselves.

    Args:
        per_frame: (...), one value per frame.
        reduction: "mean" -> scalar, "none" -> unchanged.

    Raises:
        PosebookError: another name.
    """
    if reduction not in ("mean", "none"):
        raise PosebookError(f"reduction must be 'mean' or 'none', got {reduction!r}.")
    return per_frame.mean() if reduction == "mean" else per_frame
