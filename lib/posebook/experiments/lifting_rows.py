"""Chapter 5's rows: errors that know no scale, with and without a mirror, and how often near and far are exchanged."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from posebook.experiments.lifting_sets import ALL_ROUND, Setting, constant_depth, mean_depth, seen_from, true_depth
from posebook.experiments.sheet import ScoreSheet, intervals
from posebook.metrics import n_mpjpe, pa_mpjpe, root_relative
from posebook.metrics.lifting import (
    depth_flip_rate,
    depth_flipped,
    pa_mpjpe_mirror,
    side_flip_rate,
    side_free_error,
)

FLAT = ("2D joints",)  # what every lifter of true 2D is told, and no method that looks at pictures
COLUMNS = {  # of the chapter's table
    "pa_mpjpe": "P-MPJPE",
    "pa_mpjpe_mirror": "P-MPJPE, mirror allowed",
    "n_mpjpe": "N-MPJPE (least squares)",
    "n_mpjpe_norm": "N-MPJPE (norm ratio)",
    "depth_flips": "depth flips, %",
    "side_flips": "left/right flips, %",
}


def add_lifted(sheet: ScoreSheet, setting: Setting, row: str, joints3d: np.ndarray, **about) -> None:
    """Score a row without scale.

    Args:
        joints3d: (N, J, 3) any scale, any root.
        about: kind, init, note, oracle: as `ScoreSheet.add`.
    """
    joints, root = setting.structure.joints, list(setting.structure.joints.root)
    pred, truth = (root_relative(torch.as_tensor(a).cpu().double(), root) for a in (joints3d, sheet.truth))
    per_frame = {
        "pa_mpjpe_mirror": pa_mpjpe_mirror(pred, truth, "none"),
        "n_mpjpe_norm": n_mpjpe(pred, truth, "none", scaling="norm"),
        "depth_flips": depth_flip_rate(pred, truth, "none"),
        "side_flips": side_flip_rate(pred, truth, joints.flip, "none"),
    }
    sheet.add(row, joints3d, scale_free=True, extra={k: v.numpy() for k, v in per_frame.items()}, **about)


def add_floors(sheet: ScoreSheet, setting: Setting, prefix: str = "", azimuth: float = ALL_ROUND) -> None:
    """Rows without training: no depth, mean depths, mean pose, and true depths.

    Args:
        prefix: of the rows' names, e.g. "hand, ".
        azimuth: degrees; below 180 mean rows are also made of training people seen from the test's directions alone.
    """
    labels = "from the training people's labels"
    add_lifted(sheet, setting, f"{prefix}constant depth", constant_depth(setting), oracle=FLAT, note="no depth at all")
    add_lifted(sheet, setting, f"{prefix}mean depth", mean_depth(setting), oracle=FLAT, note=labels)
    if azimuth < ALL_ROUND:
        near = f"{labels}, of those seen from the test's directions"
        add_lifted(sheet, setting, f"{prefix}mean depth, test's directions", mean_depth(setting, azimuth), oracle=FLAT,
                   note=near)  # fmt: skip
    mean = (
        setting.train.joints[seen_from(setting, azimuth)].mean(0).expand(len(setting.test.joints), -1, -1).cpu().numpy()
    )
    add_lifted(sheet, setting, f"{prefix}mean pose", mean, kind="baseline", note=f"{labels}; looks at nothing")
    add_lifted(sheet, setting, f"{prefix}true depth", true_depth(setting), oracle=(*FLAT, "depth"),
               note="what the lifter's camera alone costs")  # fmt: skip


def sign_told(joints3d: np.ndarray, truth: np.ndarray, root: Sequence[int] = (0,)) -> np.ndarray:
    """All poses as they are or all with near and far exchanged, whichever fits the truth: one bit of oracle for a run.

    Args:
        joints3d, truth: (N, J, 3) metres.
    """
    pred, truth = (torch.as_tensor(a).double() for a in (joints3d, truth))
    other = depth_flipped(pred, root)
    return (other if pa_mpjpe(other, truth) < pa_mpjpe(pred, truth) else pred).numpy()


def two_d_scores(pose: np.ndarray, truth: np.ndarray, flip: Sequence[int]) -> dict[str, float]:
    """2D errors in per cent of the picture's side, KeypointGAN's unit: (N, J, 2) twice, both in [-1, 1] of the crop."""
    pose, truth = (torch.as_tensor(a).cpu().double() for a in (pose, truth))
    plain = torch.linalg.vector_norm(pose - truth, dim=-1).mean()
    return {
        "2D error, % of side": 50 * float(plain),
        "better naming of sides": 50 * float(side_free_error(pose, truth, flip)),
        "left/right flips, %": float(side_flip_rate(pose, truth, flip)),
    }


def lifting_table(sheet: ScoreSheet) -> pd.DataFrame:
    """One line per row: both kinds of Procrustes, both scalings, both flips; the interval is P-MPJPE's."""
    wide = sheet.metrics.pivot(index="row", columns="metric", values="value").reindex(sheet.metrics["row"].unique())
    main = sheet.metrics[sheet.metrics["metric"] == "pa_mpjpe"].set_index("row")
    columns = {title: wide[name].round(1) for name, title in COLUMNS.items()}
    table = pd.DataFrame(columns | {"kind": main["kind"], "note": main["note"]})
    table.insert(1, "95 % over sequences", intervals(main))
    return table
