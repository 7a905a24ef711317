"""The committed predictions of a results folder beside the truth they are scored against."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from posebook.data import Dataset
from posebook.errors import PosebookError
from posebook.leaderboard.methods import Method
from posebook.runs import Run
from posebook.score import Truth, match, read_predictions
from posebook.summary import Group

IN_SPACE = 0.5  # metres: a root nearer to the camera than this is no place, it is the body's own origin


class Predicted(NamedTuple):
    """One method's answers for every test picture, one array per seed."""

    method: Method
    joints: dict[int, np.ndarray]  # seed -> (N, 17, 3) metres, camera axes, H36M-17, in the order of the truth
    placed: bool  # says where the person stands; otherwise only root-relative scores have a meaning
    scale_free: bool  # says no size; otherwise scores without a scale have a meaning


def predicted(group: Group, truth: Truth, methods: Sequence[Method], data_version: str) -> dict[str, Predicted]:
    """Predictions of each method whose row is the headline of a chapter of this group.

    Args:
        group: runs of one profile and motion.
        truth: of their test set, `truth_of`.
        methods: those without predictions are left out.
        data_version: of that test set; runs of another one are left out.

    Returns:
        Method name -> Predicted.

    Raises:
        PosebookError: a file that cannot be read, or that lacks test pictures; no run of this test set.
    """
    found = {}
    for method in methods:
        runs = group.runs.get(method.chapter, {})
        joints = {}
        for seed, run in runs.items():
            path = run.folder / "predictions.npz"
            same = run.info.get("data_version") == data_version
            if run.info.get("headline") == method.row and same and path.is_file():
                ids, answers = read_predictions(path)
                joints[seed] = answers[match(ids, truth, str(path))]
        if joints:
            scale_free = says_no_size([runs[seed] for seed in joints], method.row)
            found[method.name] = Predicted(method, joints, stands_somewhere(joints), scale_free)
    if not found:
        versions = sorted({str(run.info.get("data_version")) for runs in group.runs.values() for run in runs.values()})
        raise PosebookError(
            f"No run of profile {group.profile}, {group.motion} motion, has predictions for the test pictures that are "
            f"rendered here (data version {data_version}); the runs are of {', '.join(versions)}. Run a chapter again."
        )
    return found


def truth_of(dataset: Dataset) -> Truth:
    """Ground truth of an open test set."""
    texts, joints = dataset.texts, np.array(dataset.arrays["joints3d_h36m17"])
    return Truth(texts["sample_id"].astype(str), texts["sequence"].astype(str), joints, dataset.describe())


def says_no_size(runs: Sequence[Run], row: str) -> bool:
    """Whether none of the runs that have this row has an MPJPE of it."""
    metrics = pd.concat([run.table("metrics") for run in runs])
    return bool(metrics[(metrics["row"] == row) & (metrics["metric"] == "mpjpe")]["value"].isna().all())


def stands_somewhere(joints: dict[int, np.ndarray]) -> bool:
    """Whether the roots lie in front of the camera rather than at the body's own origin."""
    return all(float(np.median(np.linalg.norm(answers[:, 0], axis=-1))) > IN_SPACE for answers in joints.values())
