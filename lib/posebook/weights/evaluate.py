"""Scoring a method on a dataset by its paper's protocol. Source: specs/i2l.md 4, vibe.md 3."""

from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from posebook.errors import PosebookError
from posebook.joints import H36M17
from posebook.methods.answers import PictureAnswer
from posebook.methods.method import BATCH, Method
from posebook.metrics import freihand_scores, mpjpe, pa_mpjpe, root_relative
from posebook.metrics.video import VideoProtocol, lsp14_of_h36m17, runs, score_video
from posebook.models.decode import back_project

TRUE_DEPTH = "the root depth is the true one (the paper takes RootNet's)"
CROPS = "crops as the dataset has them"
SHORTEST = 5  # frames that a sequence needs for accelerations under any protocol


class Evaluation(NamedTuple):
    """A method's scores on a dataset."""

    values: dict[str, float]  # metric -> mm; ACCEL and ACCEL_ERR in mm per frame^2
    protocol: str  # in one line
    frames: int
    sequences: int
    notes: tuple[str, ...]  # where this differs from the paper's evaluation


def evaluate_weights(method: Method, dataset: Any, protocol: VideoProtocol | None, limit: int = 0) -> Evaluation:
    """Run a method on every picture of a dataset, sequence by sequence, and score it.

    Args:
        method: with `regressor17` (for hands the network's own regressor of 21 joints).
        dataset: with the interface of `posebook.data.Dataset`: `arrays["image"]` (N, H, H, 3) uint8, `arrays["K"]`
            (N, 3, 3) of the crop, `arrays["joints3d_h36m17"]` (N, 17, 3) metres (hands: `joints3d` (N, 21, 3) and, if
            there, `vertices` (N, 778, 3)), `texts["sequence"]` (N,), `manifest` with `missing_fields`.
        protocol: of `posebook.metrics.video` or `posebook.weights.known`; None scores hands.
        limit: the first so many pictures only; 0 takes all.

    Returns:
        Evaluation. Accelerations are there where every sequence has at least five frames.

    Raises:
        PosebookError: a field that is missing in the dataset, or a method that cannot give the protocol's joints.
    """
    target_field = "joints3d" if protocol is None else "joints3d_h36m17"
    _check(method, dataset, target_field)
    count = min(limit or len(dataset), len(dataset))
    names = np.asarray(dataset.texts["sequence"][:count])
    cuts, found = runs(names, count), []
    for cut in cuts:
        found += [_joints(method, dataset, rows, target_field) for rows in _batches(method, cut)]
    pred = torch.cat([part[0] for part in found])
    target = torch.from_numpy(np.array(dataset.arrays[target_field][:count])).float()
    if protocol is None:
        vertices = dataset.arrays.get("vertices")
        values = _hand_scores(pred, target, torch.cat([part[1] for part in found]), vertices, count)
        line = "FreiHAND: 21 joints, wrist; similarity without reflection per picture"
    else:
        values, line = _body_scores(pred, target, names, protocol, cuts), protocol.describe()
    notes = (CROPS, TRUE_DEPTH) if method.answer is PictureAnswer else (CROPS,)
    return Evaluation(values, line, count, len(cuts), notes)


def _check(method: Method, dataset: Any, target_field: str) -> None:
    lacking = set(dataset.manifest.get("missing_fields", ())) | ({"image", "K", target_field} - set(dataset.arrays))
    missing = [name for name in ("image", "K", target_field) if name in lacking]
    if missing:
        raise PosebookError(f"This dataset has no {', '.join(missing)}, which the evaluation needs.")
    if method.regressor17 is None:
        raise PosebookError(
            f"{method.name} cannot be scored: the protocol's joints come from the mesh by a 17 x 6890 regressor and "
            "SMPL. Put J_regressor_h36m.npy (SPIN's data.tar.gz) into the weights folder and give --smpl."
        )


def _batches(method: Method, cut: slice) -> list[slice]:
    """Rows that go to the model together: the sequence if it reads clips."""
    step = cut.stop - cut.start if method.whole_clip else BATCH
    return [slice(first, min(first + step, cut.stop)) for first in range(cut.start, cut.stop, step)]


@torch.no_grad()
def _joints(method: Method, dataset: Any, rows: slice, target_field: str) -> tuple[Tensor, Tensor]:
    """Joints (B, J, 3) by the scoring regressor, and vertices (B, V, 3), both metres, camera axes."""
    image = torch.from_numpy(np.array(dataset.arrays["image"][rows])).permute(0, 3, 1, 2).float() / 255
    size = image.shape[-1]
    if size != method.size:
        image = F.interpolate(image, (method.size, method.size), mode="bilinear", antialias=True).clamp(0, 1)
    answer = method(image)
    vertices = answer.vertices.cpu()
    if isinstance(answer, PictureAnswer):
        truth = torch.from_numpy(np.array(dataset.arrays[target_field][rows])).float()
        K = torch.from_numpy(np.array(dataset.arrays["K"][rows])).float()
        scale = torch.tensor([method.size / size, method.size / size, 1.0])
        vertices = back_project(vertices[..., :2], vertices[..., 2] + truth[:, :1, 2], K * scale[:, None])
    return method.regressor17.to(vertices) @ vertices, vertices


def _body_scores(pred: Tensor, target: Tensor, names: np.ndarray, protocol: VideoProtocol, cuts: list[slice]) -> dict:
    if all(cut.stop - cut.start >= SHORTEST for cut in cuts):
        scores = score_video(pred, target, names, protocol)
        return {"MPJPE": scores.mpjpe, "PA-MPJPE": scores.pa_mpjpe, "ACCEL": scores.accel,
                "ACCEL_ERR": scores.accel_error}  # fmt: skip
    root = [H36M17.index(name) for name in protocol.root]
    pair = [root_relative(points, root)[:, lsp14_of_h36m17()] for points in (pred, target)]
    return {"MPJPE": float(mpjpe(*pair)), "PA-MPJPE": float(pa_mpjpe(*pair))}


def _hand_scores(pred: Tensor, target: Tensor, mesh: Tensor, vertices: Any, count: int) -> dict:
    pair = [root_relative(points, [0]) for points in (pred, target)]
    values = {"MPJPE": float(mpjpe(*pair)), "PA-MPJPE": float(pa_mpjpe(*pair))}
    if vertices is None:
        return values
    scores = freihand_scores(pred, target, mesh, torch.from_numpy(np.array(vertices[:count])).float())
    return values | {"PA-MPVPE": float(scores.pa_mpvpe), "F@5": float(scores.f5), "F@15": float(scores.f15)}
