"""Where the errors are: per action and per joint, for every method that has predictions."""

import numpy as np
import pandas as pd
import torch

from posebook.joints import H36M17
from posebook.leaderboard.predictions import Predicted
from posebook.metrics import mpjpe, n_mpjpe, per_joint, root_relative
from posebook.score import Truth


def aligned_pair(found: Predicted, seed: int, truth: Truth) -> tuple[torch.Tensor, torch.Tensor]:
    """Prediction and truth (N, 17, 3) with roots at 0; a method without scale gets the least-squares one per frame."""
    pred, target = (
        root_relative(torch.as_tensor(a).double(), H36M17.root) for a in (found.joints[seed], truth.joints3d)
    )
    if found.scale_free:
        scale = (pred * target).sum((1, 2), keepdim=True) / (pred * pred).sum((1, 2), keepdim=True).clamp_min(1e-12)
        pred = scale * pred
    return pred, target


def by_joint(found: dict[str, Predicted], truth: Truth) -> pd.DataFrame:
    """Mean error of each joint, mm, mean over seeds: joints as rows, methods as columns."""
    columns = {
        name: torch.stack([per_joint(*aligned_pair(own, seed, truth)) for seed in own.joints]).mean(0).numpy()
        for name, own in found.items()
    }
    return pd.DataFrame(columns, index=pd.Index(H36M17.names, name="joint"))


def by_action(found: dict[str, Predicted], truth: Truth, action: np.ndarray) -> pd.DataFrame:
    """Mean error of each action, mm, mean over seeds and sequences: actions as rows, methods as columns.

    Args:
        action: (N,) names, one per picture.

    Returns:
        Also the column `sequences`, how many test sequences an action has, and at the end `mean of actions`.
    """
    frames = pd.DataFrame({"action": action, "sequence": truth.sequence})
    for name, own in found.items():
        metric = n_mpjpe if own.scale_free else mpjpe
        errors = [metric(*aligned_pair(own, seed, truth), "none") for seed in own.joints]
        frames[name] = torch.stack(errors).mean(0).numpy()
    means = frames.groupby(["action", "sequence"])[list(found)].mean().groupby("action").mean()
    counted = frames.groupby("action")["sequence"].nunique()
    table = means.assign(sequences=counted)
    table.loc["mean of actions"] = means.mean().to_dict() | {"sequences": counted.sum()}
    return table.astype({"sequences": int})
