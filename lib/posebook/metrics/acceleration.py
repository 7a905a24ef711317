"""Acceleration of a track of joints and its error.

Unit: mm per frame^2, as the official code computes (papers print it as mm/s^2). It depends on the frame rate: 25 and
30 fps tracks do not compare. With `fps` the result is multiplied by fps^2 and is truly mm/s^2.
A track is one sequence; never concatenate sequences, the seams would count as motion.
"""

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.metrics.checks import MM, as_metres, as_pair, reduce


def accel(joints: Tensor, reduction: str = "mean", visible: Tensor | None = None, fps: float | None = None) -> Tensor:
    """Mean size of the acceleration, 1000 * mean_j |x[t+1] - 2 x[t] + x[t-1]|, of one track alone.

    Args:
        joints: (T, J, 3) metres, T >= 3.
        reduction: "mean" -> scalar, "none" -> (T - 2) per interior frame.
        visible: (T,) bool; a frame counts if it and both neighbours are visible ("none" then returns only those).
        fps: None for mm/frame^2 (official), else frames per second for mm/s^2.

    Returns:
        mm/frame^2, or mm/s^2 with fps.

    Raises:
        PosebookError: shapes or units that do not fit, a track under 3 frames, no triple visible.

    Source: specs/vibe.md section 3.1 (ACCEL).
    """
    return _size(as_metres(joints, "joints", least_dims=3), reduction, visible, fps)


def accel_error(
    pred: Tensor, target: Tensor, reduction: str = "mean", visible: Tensor | None = None, fps: float | None = None
) -> Tensor:
    """Acceleration of the difference of two tracks, 1000 * mean_j |a_pred[t] - a_target[t]|.

    Args:
        pred, target: (T, J, 3) metres, T >= 3.
        reduction: "mean" -> scalar, "none" -> (T - 2) per interior frame.
        visible: (T,) bool; a frame counts if it and both neighbours are visible ("none" then returns only those).
        fps: None for mm/frame^2 (official), else frames per second for mm/s^2.

    Returns:
        mm/frame^2, or mm/s^2 with fps.

    Raises:
        PosebookError: as `accel`.

    Source: specs/vibe.md section 3.1 (ACCEL_ERR).
    """
    pred, target = as_pair(pred, target, least_dims=3)
    return _size(pred - target, reduction, visible, fps)


def _size(track: Tensor, reduction: str, visible: Tensor | None, fps: float | None) -> Tensor:
    if track.dim() != 3 or len(track) < 3:
        raise PosebookError(f"expected one track (T, J, 3) of at least 3 frames, got shape {tuple(track.shape)}.")
    second = track[2:] - 2 * track[1:-1] + track[:-2]  # (T - 2, J, 3)
    size = MM * torch.linalg.vector_norm(second, dim=-1).mean(-1)  # (T - 2)
    if fps is not None:
        if fps <= 0:
            raise PosebookError(f"fps must be positive, got {fps}.")
        size = size * fps**2
    if visible is not None:
        size = size[_visible_triples(visible, track)]
    return reduce(size, reduction)


def _visible_triples(visible: Tensor, track: Tensor) -> Tensor:
    visible = torch.as_tensor(visible, device=track.device)
    if visible.shape != track.shape[:1] or visible.dtype != torch.bool:
        raise PosebookError(
            f"visible: expected ({len(track)},) bool, one per frame; got {tuple(visible.shape)} {visible.dtype}."
        )
    triples = visible[2:] & visible[1:-1] & visible[:-2]  # (T - 2)
    if not triples.any():
        raise PosebookError("visible: no three frames in a row are visible, so there is no acceleration to report.")
    return triples
