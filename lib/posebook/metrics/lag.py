"""Lag of a track: by how many frames it follows the true motion. A filter that looks back only lags; jitter does not.

Let v be velocities, x[t + 1] - x[t]. C(k) is the cosine between all v_pred[t + k] and all v_true[t] of the frames that
overlap; the lag is the k of the largest C, refined by the parabola through it and its neighbours. Velocities and not
positions: a constant error must not count.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.metrics.checks import as_pair
from posebook.metrics.video import runs

MAX_LAG = 6  # frames, both ways
LEAST = 4  # velocities that must overlap at the largest shift


def lag(pred: Tensor, target: Tensor, max_lag: int = MAX_LAG) -> float:
    """Frames by which a track lags behind the truth; negative if it runs ahead, NaN if either stands still.

    Args:
        pred, target: (T, J, 3) metres, of one sequence, root subtracted or not.
        max_lag: frames; a larger lag is reported as this one.

    Raises:
        PosebookError: shapes or units that do not fit; a track too short to be shifted.
    """
    pred, target = as_pair(pred, target, least_dims=3)
    if pred.dim() != 3 or len(pred) < max_lag + 1 + LEAST:
        raise PosebookError(
            f"expected one track (T, J, 3) of at least {max_lag + 1 + LEAST} frames to find a lag of up to {max_lag}, "
            f"got shape {tuple(pred.shape)}. Take longer clips or a smaller max_lag."
        )
    moved, true = (points.diff(dim=0).flatten(1).double() for points in (pred, target))  # (T - 1, 3 J)
    agreement = torch.stack([_agreement(moved, true, k) for k in range(-max_lag, max_lag + 1)])
    if not agreement.max() > 0:
        return float("nan")
    best = int(agreement.argmax())
    if best in (0, 2 * max_lag):
        return float(best - max_lag)
    before, top, after = agreement[best - 1 : best + 2].tolist()
    bend = before - 2 * top + after
    return best - max_lag + (0.5 * (before - after) / bend if bend else 0.0)


def lags(pred: Tensor, target: Tensor, sequence: Sequence) -> np.ndarray:
    """Each frame's sequence's lag, (N,) frames: a column of a table. Short clips are shifted by a quarter at most.

    Args:
        pred, target: (N, J, 3) metres, root subtracted.
        sequence: N names.

    Raises:
        PosebookError: as `lag` and `runs`.
    """
    found = np.empty(len(pred))
    for cut in runs(sequence, len(pred)):
        most = max(min(MAX_LAG, (cut.stop - cut.start) // 4), 1)
        found[cut] = lag(pred[cut], target[cut], most)
    return found


def _agreement(moved: Tensor, true: Tensor, k: int) -> Tensor:
    """C(k)."""
    later, sooner = moved[max(k, 0) : len(moved) + min(k, 0)], true[max(-k, 0) : len(moved) + min(-k, 0)]
    return (later * sooner).sum() / (later.norm() * sooner.norm())
