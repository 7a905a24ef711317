"""Numbers of the baked hand: what each shape component is worth in millimetres, how well joints are regressed."""

from typing import Any

import numpy as np
import torch

from posebook.body.population import People
from posebook.body.shape_space import ShapeSpace, reconstruct
from posebook.body.tpose import skin
from posebook.hand.kinematics import pose_rotations
from posebook.joints import MANO16
from posebook.metrics.procrustes import pa_mpjpe


def _aligned_mm(pred: np.ndarray, target: np.ndarray) -> np.ndarray:
    """PA error (P,) in millimetres of point sets (P, V, 3)."""
    return pa_mpjpe(torch.from_numpy(pred), torch.from_numpy(target), "none").numpy()


def shape_components(space: ShapeSpace, joints: np.ndarray, tips: np.ndarray) -> list[dict[str, float]]:
    """What one standard deviation of each component does to the flat mean hand.

    Args:
        space: of V vertices. joints: (16, V) regressor. tips: (5,) vertices.

    Returns:
        One dict per component: variance_share; moved_mm, the mean distance that vertices move (wrist held);
        not_size_mm, what is left of it after the best similarity; length_mm, wrist to middle fingertip; width_mm,
        index to pinky knuckle.
    """
    index, pinky = MANO16.index("index1"), MANO16.index("pinky1")

    def length_and_width(v: np.ndarray) -> np.ndarray:
        at = joints @ v
        return np.array([np.linalg.norm(v[tips[2]] - at[0]), np.linalg.norm(at[index] - at[pinky])])

    rows = []
    for k, share in enumerate(space.explained):
        changed = space.mean + space.directions[:, :, k]
        length, width = 1000 * (length_and_width(changed) - length_and_width(space.mean))
        moved = 1000 * np.linalg.norm(space.directions[:, :, k], axis=1).mean()
        rest = _aligned_mm(space.mean[None], changed[None])[0]
        rows.append({"variance_share": float(share), "moved_mm": float(moved), "not_size_mm": float(rest),
                     "length_mm": float(length), "width_mm": float(width)})  # fmt: skip
    return rows


def hand_statistics(
    space: ShapeSpace,
    mano: dict[str, np.ndarray],
    tips: np.ndarray,
    pool: np.ndarray,
    held_out: People,
    poses: np.ndarray,
) -> dict[str, Any]:
    """Numbers of the shape space and of the regressor, on people that neither was fitted to.

    Args:
        space: of the baked mesh. mano: its arrays. tips: (5,). pool: (P, 10) betas.
        held_out: flat hands on the baked mesh, with anny's joints. poses: (N, 45).
    """
    regressor, weights = mano["J_regressor"].astype(float), mano["weights"].astype(float)
    hands = reconstruct(space, pool)
    length = 1000 * np.linalg.norm(hands[:, tips[2]] - regressor[0] @ hands, axis=-1)
    turned = pose_rotations(poses[-len(held_out.joints) :])
    posed, joints = skin(*held_out, turned, weights, MANO16.parents)
    rest_error = 1000 * np.linalg.norm(regressor @ held_out.vertices - held_out.joints, axis=-1)
    posed_error = 1000 * np.linalg.norm(regressor @ posed - joints, axis=-1)
    mean = np.broadcast_to(space.mean, hands.shape).copy()
    return {
        "vertices": len(space.mean),
        "components": shape_components(space, regressor, tips),
        "length_mm": {"mean": float(length.mean()), "sd": float(length.std(ddof=1)), "min": float(length.min()),
                      "max": float(length.max())},
        "mean_shape_mm": float(1000 * np.linalg.norm(hands - mean, axis=-1).mean()),
        "mean_shape_pa_mm": float(_aligned_mm(mean, hands).mean()),
        "j_regressor_mm": float(rest_error.mean()),
        "j_regressor_worst_joint_mm": float(rest_error.mean(0).max()),
        "j_regressor_posed_mm": float(posed_error.mean()),
        "j_regressor_posed_worst_joint_mm": float(posed_error.mean(0).max()),
    }  # fmt: skip
