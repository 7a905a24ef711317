"""Joints as fixed weighted means of vertices: SMPL's J_regressor by non-negative least squares, named sets from it.

Rows are sparse and sum to 1, so that they move with the body (an affine map of the vertices is the same map of the
joints); all but none are non-negative.
"""

import numpy as np
from scipy.optimize import nnls
from scipy.spatial import cKDTree

from posebook.joints import COCO17, H36M17, LSP14, SMPL24, SPIN_EXTRA9

CANDIDATES = 96  # vertices offered to each row
_SUM_WEIGHT = 100.0  # metres; pulls the row's sum to 1 before it is made exact


def spread_candidates(points: np.ndarray, centre: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """The nearest vertices around a joint, thinned evenly: 6 x CANDIDATES nearest, then every sixth by distance.

    Args:
        points: (V, 3). centre: (3,). pool: indices allowed.

    Returns:
        At most CANDIDATES indices, sorted.
    """
    count = min(6 * CANDIDATES, len(pool))
    _, near = cKDTree(points[pool]).query(centre, k=count)
    return np.sort(pool[near[:: max(1, count // CANDIDATES)]])


def fit_row(vertices: np.ndarray, target: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """min_w sum_p |sum_v w_v x_pv - j_p|^2 with w >= 0 and sum w = 1.

    Args:
        vertices: (P, V, 3) metres. target: (P, 3). candidates: (C,) vertex indices.

    Returns:
        (V,) row.
    """
    system = vertices[:, candidates].transpose(0, 2, 1).reshape(-1, len(candidates))
    system = np.concatenate([system, np.full((1, len(candidates)), _SUM_WEIGHT)])
    weights, _ = nnls(system, np.append(target.ravel(), _SUM_WEIGHT), maxiter=50 * len(candidates))
    row = np.zeros(vertices.shape[1])
    row[candidates] = weights / weights.sum()
    return row


def fit_joints(vertices: np.ndarray, joints: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """SMPL's J_regressor (24, V) over people: vertices (P, V, 3), joints (P, 24, 3), `visible` vertex indices."""
    mean = vertices.mean(0)
    return np.stack([fit_row(vertices, joints[:, j], spread_candidates(mean, joints[:, j].mean(0), visible))
                     for j in range(joints.shape[1])])  # fmt: skip


def patch(points: np.ndarray, centre: np.ndarray, pool: np.ndarray, count: int) -> np.ndarray:
    """Row (V,) that averages the `count` vertices of `pool` nearest to `centre`."""
    _, near = cKDTree(points[pool]).query(centre, k=count)
    row = np.zeros(len(points))
    row[pool[np.atleast_1d(near)]] = 1 / count
    return row


def named_regressors(
    joints: np.ndarray, coco: dict[str, np.ndarray], crown: np.ndarray, jaw: np.ndarray
) -> dict[str, np.ndarray]:
    """Rows for the joint sets of other datasets.

    Args:
        joints: (24, V) SMPL's J_regressor.
        coco: rows (V,) for nose, eyes and ears by COCO name, on the face's own vertices.
        crown: row (V,) of the top of the head. jaw: row (V,) between mouth and chin.

    Returns:
        h36m17 (17, V), coco17 (17, V), lsp14 (14, V), spin_extra9 (9, V).
    """
    row = {name: joints[i] for i, name in enumerate(SMPL24.names)}
    # Limbs: joint centres are anatomy, not convention, so all sets share SMPL's hips, knees, ankles, shoulders,
    # elbows and wrists. LSP annotators, too, click on joint centres.
    # H36M's pelvis is the middle of the hips (its 17 joints come from a skeleton whose hips hang from the pelvis).
    row["pelvis"] = 0.5 * (row["left_hip"] + row["right_hip"])
    # H36M's torso ("spine") lies half-way between pelvis and neck base: SMPL's spine2.
    row["torso"] = row["spine2"]
    row.update(coco)  # nose, eyes, ears: surface points
    row["head_top"] = crown
    extra = {"right_hip_lsp": row["right_hip"], "left_hip_lsp": row["left_hip"], "neck_lsp": row["neck"],
             "head_top_lsp": crown,
             # MPII's pelvis is the middle of the hips, its thorax the middle of the shoulder line.
             "pelvis_mpii": row["pelvis"], "thorax_mpii": 0.5 * (row["left_shoulder"] + row["right_shoulder"]),
             # H36M's own marker skeleton: spine as above, jaw behind the mouth, head at the crown.
             "spine_h36m": row["torso"], "jaw_h36m": jaw, "head_h36m": crown}  # fmt: skip
    return {
        "h36m17": np.stack([row[n] for n in H36M17.names]),
        "coco17": np.stack([row[n] for n in COCO17.names]),
        "lsp14": np.stack([row[n] for n in LSP14.names]),
        "spin_extra9": np.stack([extra[n] for n in SPIN_EXTRA9]),
    }
