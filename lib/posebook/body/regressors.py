"""Joints as fixed weighted means of vertices: fitted by non-negative least squares, and the named sets made of them.

Two fits are kept apart. SMPL's `J_regressor` acts on rest meshes, so resting people weigh most in it. The rows of the
named sets act on posed meshes: fitted to resting people alone they would pick any vertex that happens to move with a
joint over shapes, and err by centimetres once a limb bends; so they are fitted to people in random poses as well.
Every row is sparse, non-negative and sums to 1: joints turn and shift with the body, and stay inside it.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import nnls
from scipy.spatial.transform import Rotation

from posebook.body.population import People
from posebook.body.tpose import skin
from posebook.joints import COCO17, H36M17, LSP14, SMPL24, SPIN_EXTRA9

CANDIDATES = 300  # vertices offered to each row at most
NEIGHBOURHOOD = 0.07  # share of all vertices that count as near a joint
JOINTS_POSED_WEIGHT = 0.1  # of posed people in the fit of the J_regressor
POSE_SEED = 404
POSE_SPREAD = 0.4  # radians, standard deviation of each joint's random rotation vector
_SUM_WEIGHT = 100.0  # metres; pulls a row's sum to 1 before it is made exact


class Rows(NamedTuple):
    """Regressor rows of one level (V vertices)."""

    joints: np.ndarray  # (24, V) SMPL's J_regressor
    centres: np.ndarray  # (24, V) the same joints on posed meshes
    face: dict[str, np.ndarray]  # nose, left_eye, ..., crown, jaw -> (V,) surface points


class FitSet(NamedTuple):
    """People at rest and in random poses: what rows are fitted to."""

    rest: People
    posed: People


def random_poses(rest: People, weights: np.ndarray) -> People:
    """Pose each person at random by linear blend skinning.

    Args:
        rest: T-posed people. weights: (V, 24). The poses are the same at each level.
    """
    count = len(rest.joints)
    noise = np.random.default_rng(POSE_SEED).normal(0, POSE_SPREAD, (count * 24, 3))
    rotations = Rotation.from_rotvec(noise).as_matrix().reshape(count, 24, 3, 3)
    for child, parent in enumerate(SMPL24.parents):  # local to world
        if parent >= 0:
            rotations[:, child] = rotations[:, parent] @ rotations[:, child]
    return People(*skin(rest.vertices, rest.joints, rotations, weights))


def by_distance(points: np.ndarray, centre: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """Indices `pool` by distance of their points (V, 3) from `centre` (3,); ties, as of mirrored pairs, by index."""
    distance = np.round(np.linalg.norm(points[pool] - centre, axis=1), 5)  # last bits must not break ties
    return pool[np.lexsort((pool, distance))]


def candidates(points: np.ndarray, centre: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """The vertices nearest to a joint, thinned evenly with distance to at most CANDIDATES; sorted indices.

    Args:
        points: (V, 3). centre: (3,). pool: indices allowed.
    """
    count = int(NEIGHBOURHOOD * len(pool))
    return np.sort(by_distance(points, centre, pool)[:count][:: -(-count // CANDIDATES)])


def fit_row(vertices: np.ndarray, target: np.ndarray, chosen: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """min_w sum_p q_p^2 |sum_v w_v x_pv - j_p|^2 with w >= 0 and sum w = 1.

    Args:
        vertices: (P, V, 3) metres. target: (P, 3). chosen: (C,) vertex indices. weight: (P,) q.

    Returns:
        (V,) row.
    """
    system = (vertices[:, chosen] * weight[:, None, None]).transpose(0, 2, 1).reshape(-1, len(chosen))
    system = np.concatenate([system, np.full((1, len(chosen)), _SUM_WEIGHT)])
    solution, _ = nnls(system, np.append((target * weight[:, None]).ravel(), _SUM_WEIGHT), maxiter=50 * len(chosen))
    row = np.zeros(vertices.shape[1])
    row[chosen] = solution / solution.sum()
    return row


def fit_rows(people: FitSet, posed_weight: float, pool: np.ndarray) -> np.ndarray:
    """Rows for 24 joints from people at rest and posed.

    Args:
        people: vertices (P, V, 3) and the joints (P, 24, 3) to reproduce, twice.
        posed_weight: of each posed person beside 1 for each resting one.
        pool: vertex indices allowed.

    Returns:
        (24, V)
    """
    vertices = np.concatenate([people.rest.vertices, people.posed.vertices])
    targets = np.concatenate([people.rest.joints, people.posed.joints])
    weight = np.repeat([1.0, posed_weight], [len(people.rest.joints), len(people.posed.joints)])
    mean = people.rest.vertices.mean(0)
    return np.stack([
        fit_row(vertices, targets[:, j], candidates(mean, people.rest.joints[:, j].mean(0), pool), weight)
        for j in range(targets.shape[1])
    ])  # fmt: skip


def patch(points: np.ndarray, centre: np.ndarray, pool: np.ndarray, count: int = 12) -> np.ndarray:
    """Row (V,) that averages the `count` vertices of `pool` nearest to `centre`."""
    row = np.zeros(len(points))
    row[by_distance(points, centre, pool)[:count]] = 1 / count
    return row


def named_regressors(rows: Rows) -> dict[str, np.ndarray]:
    """Rows for the joint sets of other datasets: h36m17 (17, V), coco17 (17, V), lsp14 (14, V), spin_extra9 (9, V)."""
    # Limbs: joint centres are anatomy, not convention, so all sets share SMPL's hips, knees, ankles, shoulders,
    # elbows and wrists; LSP's annotators, too, click where they believe the joint centre is.
    row = {name: rows.centres[i] for i, name in enumerate(SMPL24.names)}
    row |= rows.face  # nose, eyes, ears: points of the surface
    row["pelvis"] = 0.5 * (row["left_hip"] + row["right_hip"])  # H36M hangs its hips from their middle
    row["torso"] = row["spine2"]  # H36M's spine: half-way between pelvis and the base of the neck
    row["head_top"] = rows.face["crown"]
    extra = {
        "right_hip_lsp": row["right_hip"], "left_hip_lsp": row["left_hip"], "neck_lsp": row["neck"],
        "head_top_lsp": row["crown"],
        "pelvis_mpii": row["pelvis"],  # MPII: middle of the hips
        "thorax_mpii": 0.5 * (row["left_shoulder"] + row["right_shoulder"]),  # MPII: middle of the shoulder line
        "spine_h36m": row["torso"], "jaw_h36m": row["jaw"], "head_h36m": row["crown"],
    }  # fmt: skip
    return {
        "h36m17": np.stack([row[n] for n in H36M17.names]),
        "coco17": np.stack([row[n] for n in COCO17.names]),
        "lsp14": np.stack([row[n] for n in LSP14.names]),
        "spin_extra9": np.stack([extra[n] for n in SPIN_EXTRA9]),
    }
