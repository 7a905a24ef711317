"""Three ways in which video methods are scored, which differ by millimetres; every number names its own.

Let P, G be tracks (T, J, 3), hat: root subtracted. MPJPE = mean |P^ - G^|; PA-MPJPE after a similarity per frame; PVE
without alignment; ACCEL = mean |second difference of P^|; ACCEL_ERR = that of P^ - G^. Source: specs/vibe.md 3.1, 3.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.joints import H36M17, LSP14
from posebook.metrics.acceleration import accel, accel_error
from posebook.metrics.checks import as_pair
from posebook.metrics.positions import mpjpe, root_relative
from posebook.metrics.procrustes import pa_mpjpe
from posebook.sequences import sequence_ranges

HIPS = ("right_hip", "left_hip")


@dataclass(frozen=True)
class VideoProtocol:
    """What two numbers of video methods must share before they may be compared."""

    name: str
    windows: str  # how a clip is cut for the network; only told, predictions come in whole
    root: tuple[str, ...]  # joints of the 17 whose mean is subtracted
    track: str  # acceleration over "sequence" or over all frames as "one" track
    ends: int  # frames left out of the acceleration at both ends of a track, beside the first and the last
    float16: bool = False  # ground truth with its translation rounded to half precision, as stored by VIBE

    def describe(self) -> str:
        """One line of text that belongs beside each number."""
        tracks = "all sequences as one track" if self.track == "one" else "each sequence a track"
        rounded = "; ground truth rounded to half precision" if self.float16 else ""
        return (f"{self.name}: 14 joints of h36m17; root {' + '.join(self.root)}; windows {self.windows}; "
                f"acceleration over {tracks}, mm per frame squared{rounded}")  # fmt: skip


class VideoScores(NamedTuple):
    """Means over frames, mm; acceleration in mm per frame^2."""

    mpjpe: float
    pa_mpjpe: float
    accel: float
    accel_error: float


VIBE_PROTOCOL = VideoProtocol("VIBE eval.py", "of 16 side by side, state reset at each", HIPS, "one", 0, True)
TCMR_PROTOCOL = VideoProtocol("TCMR evaluate.py", "of 16, one for every frame", HIPS, "sequence", 1)
SPIN_PROTOCOL = VideoProtocol("SPIN eval.py", "none, single frames", ("pelvis",), "sequence", 0)
PROTOCOLS = (VIBE_PROTOCOL, TCMR_PROTOCOL, SPIN_PROTOCOL)


def lsp14_of_h36m17() -> list[int]:
    """Rows of the 17 joints that stand for LSP's 14."""
    return [H36M17.index(name) for name in LSP14.names]


def score_video(pred: Tensor, target: Tensor, sequence: Sequence, protocol: VideoProtocol) -> VideoScores:
    """Score tracks under a protocol.

    Args:
        pred, target: (N, 17, 3) metres, camera frame with its translation, h36m17 order; frames of a sequence in order.
        sequence: N names; equal names are one sequence.
        protocol: one of PROTOCOLS.

    Raises:
        PosebookError: shapes or units that do not fit; sequences that are interleaved or too short.
    """
    pred, target = as_pair(pred, target, least_dims=3)
    if protocol.float16:
        target = target.half().to(pred.dtype)
    root = [H36M17.index(name) for name in protocol.root]
    pred, target = (root_relative(points, root)[:, lsp14_of_h36m17()] for points in (pred, target))
    cuts = [slice(0, len(pred))] if protocol.track == "one" else runs(sequence, len(pred))
    still = slice(protocol.ends, -protocol.ends or None)
    accels = torch.cat([accel(pred[cut], "none")[still] for cut in cuts])
    errors = torch.cat([accel_error(pred[cut], target[cut], "none")[still] for cut in cuts])
    return VideoScores(float(mpjpe(pred, target)), float(pa_mpjpe(pred, target)), float(accels.mean()),
                       float(errors.mean()))  # fmt: skip


def runs(sequence: Sequence, count: int) -> list[slice]:
    """Rows of each sequence.

    Raises:
        PosebookError: another number of names, or a sequence whose frames do not stand together.
    """
    if len(sequence) != count:
        raise PosebookError(f"sequence: expected one name per frame, {count}; got {len(sequence)}.")
    return [slice(first, stop) for first, stop in sequence_ranges(sequence)]


def accelerations(pred: Tensor, target: Tensor, sequence: Sequence) -> dict[str, np.ndarray]:
    """ACCEL and ACCEL_ERR of every frame, NaN at the ends of its sequence: columns of a table.

    Args:
        pred, target: (N, J, 3) metres, root subtracted.
        sequence: N names.

    Returns:
        {"accel": (N,), "accel_error": (N,)} mm per frame^2.
    """
    found = {"accel": np.full(len(pred), np.nan), "accel_error": np.full(len(pred), np.nan)}
    for cut in runs(sequence, len(pred)):
        inside = slice(cut.start + 1, cut.stop - 1)
        found["accel"][inside] = accel(pred[cut], "none").cpu().numpy()
        found["accel_error"][inside] = accel_error(pred[cut], target[cut], "none").cpu().numpy()
    return found
