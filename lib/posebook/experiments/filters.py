"""Filters behind a network that looks at single frames: how far does smoothing alone get, and at what price?

Every filter's strength is chosen on val: of those that cost at most 1 mm of MPJPE there, the one with the smallest
ACCEL_ERR. The official demo's filter has the official strength.
"""

from itertools import groupby
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from posebook.data.body_batches import BodyBatches
from posebook.experiments.bodies import Judge
from posebook.experiments.temporal import score
from posebook.metrics import mpjpe, root_relative
from posebook.metrics.video import accelerations, runs
from posebook.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from posebook.smoothing import official_one_euro_axis_angle, smooth, smooth_vectors

GRIDS = {  # filter -> the parameter that says how strong, and the values tried on val
    "gaussian": ("sigma", (0.02, 0.04, 0.06, 0.09, 0.13)),
    "savitzky_golay": ("window", (0.17, 0.24, 0.31, 0.44, 0.57)),
    "one_euro": ("min_cutoff", (0.5, 1.0, 2.0, 4.0, 8.0)),
    "slerp": ("ratio", (0.2, 0.3, 0.45, 0.6, 0.8)),
}
TITLES = {"gaussian": "Gaussian", "savitzky_golay": "Savitzky-Golay", "one_euro": "One-Euro", "slerp": "slerp"}
OFFICIAL = "One-Euro on axis-angles (VIBE's demo)"
PRICE = 1.0  # mm of MPJPE on val that a filter may cost


class Bodies(NamedTuple):
    """Answers for every frame of a dataset."""

    rotations: Tensor  # (N, 24, 3, 3) relative to the parent
    betas: Tensor  # (N, 10)


def filtered(bodies: Bodies, sequence: np.ndarray, fps: float, name: str, **parameters) -> Bodies:
    """Smooth each sequence: rotations on SO(3), betas as vectors.

    Args:
        sequence: (N,) names. fps: of all of them. name: one of GRIDS. parameters: the filter's.
    """
    turned, shaped = torch.empty_like(bodies.rotations), torch.empty_like(bodies.betas)
    for rows in together(sequence, len(turned)):
        turned[rows] = smooth(bodies.rotations[rows], fps, name, **parameters)
        shaped[rows] = smooth_vectors(bodies.betas[rows], fps, name, **parameters)
    return Bodies(turned, shaped)


def together(sequence: np.ndarray, count: int) -> list[Tensor]:
    """Rows (T, S) of the S sequences that are T frames long, for each T: filters take them all at once."""
    cuts = sorted(runs(sequence, count), key=lambda cut: cut.stop - cut.start)
    same = groupby(cuts, key=lambda cut: cut.stop - cut.start)
    return [torch.stack([torch.arange(cut.start, cut.stop) for cut in group], 1) for _, group in same]


def officially_filtered(bodies: Bodies, sequence: np.ndarray) -> Bodies:
    """What VIBE's demo does: 72 axis-angle numbers one by one, betas as they are."""
    turned = torch.empty_like(bodies.rotations)
    for rows in together(sequence, len(turned)):
        pose = matrix_to_axis_angle(bodies.rotations[rows])  # (T, S, 24, 3)
        turned[rows] = axis_angle_to_matrix(official_one_euro_axis_angle(pose))
    return Bodies(turned, bodies.betas)


class Choice(NamedTuple):
    """A filter's strength, chosen on val."""

    name: str
    parameters: dict[str, float]
    tried: list[dict]  # value, mpjpe, accel_error of every strength


def choose(bodies: Bodies, val: BodyBatches, judge: Judge, name: str) -> Choice:
    """Strength of a filter; see the top of this file.

    Args:
        bodies: answers on val. judge: of val.
    """
    parameter, values = GRIDS[name]
    fps, sequence = val.dataset.manifest["fps"], val.dataset.texts["sequence"]
    raw = quick_score(bodies, val, judge)
    tried = []
    for value in values:
        found = quick_score(filtered(bodies, sequence, fps, name, **{parameter: value}), val, judge)
        tried.append({"value": value, **found})
    cheap = [line for line in tried if line["mpjpe"] <= raw["mpjpe"] + PRICE] or [min(tried, key=lambda x: x["mpjpe"])]
    return Choice(name, {parameter: min(cheap, key=lambda line: line["accel_error"])["value"]}, tried)


def quick_score(bodies: Bodies, batches: BodyBatches, judge: Judge) -> dict[str, float]:
    """MPJPE, mm, and ACCEL_ERR, mm per frame^2, over all frames."""
    joints = torch.from_numpy(score(*bodies, batches, judge, mesh=False)["joints3d"])
    truth = torch.from_numpy(np.array(batches.dataset.arrays["joints3d_h36m17"]))
    joints, truth = root_relative(joints, [0]), root_relative(truth, [0])
    error = accelerations(joints, truth, batches.dataset.texts["sequence"])["accel_error"]
    return {"mpjpe": float(mpjpe(joints, truth)), "accel_error": float(np.nanmean(error))}
