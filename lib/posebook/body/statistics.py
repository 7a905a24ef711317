"""What the bake is worth, in numbers: variance explained, stature, and the floors that no method can go below."""

from typing import Any

import numpy as np

from posebook.body.base import Base
from posebook.body.levels import Level, on_level
from posebook.body.population import People, stature
from posebook.body.regressors import named_regressors, random_poses
from posebook.body.shape_space import project, reconstruct
from posebook.body.tpose import skin
from posebook.joints import SMPL24

COMPARED = 1e-3  # components that explain less of the variance are not compared
_ARM_ANGLE = np.radians(75.0)  # from the T-pose down to the sides


def _spread(values: np.ndarray) -> dict[str, float]:
    return {"mean": float(values.mean()), "sd": float(values.std(ddof=1)), "min": float(values.min()),
            "max": float(values.max())}  # fmt: skip


def _millimetres(difference: np.ndarray) -> np.ndarray:
    return np.linalg.norm(difference, axis=-1) * 1000


def standing(vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The neutral pose: T-posed people (P, V, 3) with joints (P, 24, 3) let their arms down; (P, V, 3)."""
    rotations = np.tile(np.eye(3), (*joints.shape[:2], 1, 1))
    for side, sign in (("left", -1.0), ("right", 1.0)):
        c, s = np.cos(_ARM_ANGLE), np.sin(sign * _ARM_ANGLE)
        for part in ("shoulder", "elbow", "wrist", "hand"):  # world rotations: the whole arm turns about z
            rotations[:, SMPL24.index(f"{side}_{part}")] = [[c, -s, 0], [s, c, 0], [0, 0, 1]]
    return skin(vertices, joints, rotations, weights)[0]


def stature_floor_mm(joints: np.ndarray, heights: np.ndarray) -> float:
    """MPJPE that unknown stature alone causes: all is known but the size, which an image does not show.

    A camera sees a tall person far away as a short one nearby. Who knows pose and proportions exactly and answers
    with the mean stature s errs by E = mean_p |s / s_p - 1| mean_j |x_pj - x_p0|.

    Args:
        joints: (P, J, 3) metres, joint 0 is the root. heights: (P,) metres.
    """
    distance = np.linalg.norm(joints - joints[:, :1], axis=-1).mean(1)
    return float((abs(heights.mean() / heights - 1) * distance).mean() * 1000)


def body_statistics(base: Base, drawn: People) -> dict[str, Any]:
    """Numbers of the shape space, on people (pool) it was not fitted to."""
    projected = reconstruct(base.space, project(base.space, drawn.vertices))
    after = stature(projected)
    posed = standing(projected, base.rows.joints @ projected, base.weights)
    return {
        "explained_variance": [round(float(v), 6) for v in base.space.explained],
        "components_compared": [k for k, v in enumerate(base.space.explained) if v >= COMPARED],
        "shape_projection_mm": float(_millimetres(projected - drawn.vertices).mean()),
        **{f"stature_{k}": v for k, v in _spread(after).items()},
        **{f"stature_drawn_{k}": v for k, v in _spread(stature(drawn.vertices)).items()},
        "stature_mpjpe_floor_mm": stature_floor_mm(named_regressors(base.rows)["h36m17"] @ posed, after),
    }


def level_statistics(level: Level, base: Base, held_out: People) -> dict[str, float]:
    """Errors of one level on people held out: of its joints, and of its upsampling to the full mesh.

    Returns:
        vertices; j_regressor_mm (mean over joints, against anny's bones at rest) and its worst joint;
        h36m17_posed_mm (against the full mesh's, in random poses); upsample_floor_mm (mean, 99th percentile, maximum,
        at rest) and upsample_posed_mm.
    """
    joints, weights = level.smpl["J_regressor"], level.smpl["weights"]
    full = random_poses(held_out, base.weights).vertices
    rest = on_level(level.down, held_out.vertices)
    posed = random_poses(People(rest, held_out.joints), weights).vertices
    error = _millimetres(joints @ rest - held_out.joints)
    floor = _millimetres(on_level(level.up, rest) - held_out.vertices)
    sets = level.extras["regressor_h36m17"] @ posed - named_regressors(base.rows)["h36m17"] @ full
    return {"vertices": rest.shape[1], "j_regressor_mm": float(error.mean()),
            "j_regressor_worst_joint_mm": float(error.mean(0).max()),
            "h36m17_posed_mm": float(_millimetres(sets).mean()),
            "upsample_floor_mm": float(floor.mean()), "upsample_p99_mm": float(np.quantile(floor, 0.99)),
            "upsample_max_mm": float(floor.max()),
            "upsample_posed_mm": float(_millimetres(on_level(level.up, posed) - full).mean())}  # fmt: skip
