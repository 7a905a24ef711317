"""The test pictures on which methods fail most, with predicted and true skeletons over them."""

from typing import NamedTuple

import numpy as np
import torch

from posebook.cameras import project
from posebook.joints import H36M17
from posebook.leaderboard.predictions import Predicted
from posebook.metrics import mpjpe, n_mpjpe, root_relative
from posebook.score import Truth


class Case(NamedTuple):
    """One picture."""

    row: int  # of the test set
    method: str
    error: float  # mm
    sequence: str


def errors_of(found: Predicted, truth: Truth, seed: int) -> np.ndarray:
    """Error of every test picture for one seed, (N,) mm: MPJPE, of methods without scale N-MPJPE."""
    pred, target = (torch.as_tensor(a).double() for a in (found.joints[seed], truth.joints3d))
    metric = n_mpjpe if found.scale_free else mpjpe
    return metric(root_relative(pred, H36M17.root), root_relative(target, H36M17.root), "none").numpy()


def worst_cases(found: Predicted, truth: Truth, count: int, seed: int) -> list[Case]:
    """The worst picture of each of the worst sequences, worst first: neighbouring frames would be the same picture."""
    errors, seen, cases = errors_of(found, truth, seed), set(), []
    for row in np.argsort(-errors, kind="stable"):
        name = str(truth.sequence[row])
        if name not in seen and len(cases) < count:
            seen.add(name)
            cases.append(Case(int(row), found.method.name, float(errors[row]), name))
    return cases


def shared_failures(found: dict[str, Predicted], truth: Truth, count: int, seed: int) -> list[int]:
    """Pictures, one a sequence, whose error is largest in the mean over methods: hard for everybody, worst first.

    Each method's errors are divided by their own mean, so that no method decides alone.
    """
    errors = [errors_of(own, truth, seed) for own in found.values() if seed in own.joints]
    mean = np.mean([e / e.mean() for e in errors], axis=0)
    order = np.argsort(-mean, kind="stable")
    _, first = np.unique(truth.sequence[order].astype(str), return_index=True)  # the worst picture of each sequence
    return [int(order[i]) for i in np.sort(first)[:count]]


def over_picture(joints: np.ndarray, true: np.ndarray, K: np.ndarray, scale_free: bool = False) -> np.ndarray:
    """Pixels (17, 2) of a prediction that is put where the person stands: its root at the true root.

    Args:
        joints, true: (17, 3) metres, camera axes. K: (3, 3) pixels.
        scale_free: also give it the size of the truth, by least squares.
    """
    local, target = joints - joints[:1], true - true[:1]
    scale = float((local * target).sum() / max((local * local).sum(), 1e-12)) if scale_free else 1.0
    placed = scale * local + true[:1]
    return project(torch.as_tensor(placed).double(), torch.tensor(np.array(K)).double()).numpy()
