"""The full mesh's arrays: shape space, skinning weights, regressor rows, landmarks. Levels are made from these."""

from typing import NamedTuple

import numpy as np

from posebook.body import landmarks
from posebook.body.anny_source import AnnySource
from posebook.body.population import People
from posebook.body.regressors import JOINTS_POSED_WEIGHT, FitSet, Rows, fit_rows, patch, random_poses
from posebook.body.shape_space import ShapeSpace, principal_components
from posebook.body.surface import Mesh
from posebook.joints import SMPL24

BETAS = 10
FITTED = 150  # people that regressors are fitted to


class Base(NamedTuple):
    """The full mesh's arrays, from which each level is made."""

    space: ShapeSpace
    weights: np.ndarray  # (V, 24)
    rows: Rows
    ids: dict[str, int]
    hair: np.ndarray  # (V,) bool


def _face_rows(source: AnnySource, mesh: Mesh, points: np.ndarray, head: np.ndarray) -> dict[str, np.ndarray]:
    """Surface points of the head: anny's own COCO rows for nose, eyes and ears; crown and jaw as patches."""
    from anny import KeypointsRegressor

    names = ["nose", "left_eye", "right_eye", "left_ear", "right_ear"]
    rows = KeypointsRegressor.coco(source.model, names).regression_weights.numpy()[:, mesh.surface.kept]
    rows = np.where(rows > 1e-4, rows, 0)
    face = dict(zip(names, rows / rows.sum(1, keepdims=True), strict=True))
    face["crown"] = patch(points, points[head[points[head, 1].argmax()]], head)
    face["jaw"] = patch(points, face["nose"] @ points + np.array([0, -0.045, -0.01]), head)  # the lips
    return face


def make_base(source: AnnySource, mesh: Mesh, people: People) -> tuple[Base, FitSet]:
    """Shape space, joints, regressors and landmarks of the full mesh; and the people they were fitted to."""
    kept = mesh.surface.kept
    weights = source.weights[kept]
    space = principal_components(people.vertices, BETAS)
    rest = People(people.vertices[:FITTED], people.joints[:FITTED])
    fitted = FitSet(rest, random_poses(rest, weights))
    skin = np.nonzero(mesh.skin)[0]
    head = np.nonzero(mesh.skin & (weights[:, SMPL24.index("head")] > 0.5))[0]
    rows = Rows(fit_rows(fitted, JOINTS_POSED_WEIGHT, skin), fit_rows(fitted, 1.0, skin),
                _face_rows(source, mesh, space.mean, head))  # fmt: skip
    ears = tuple(int(rows.face[f"{side}_ear"].argmax()) for side in ("left", "right"))
    bones = {bone: source.bone_weights[kept, i] for i, bone in enumerate(source.bones)}
    ids = landmarks.vertex_ids(space.mean, bones, mesh.eyeballs, ears)
    scalp = landmarks.scalp(space.mean, weights[:, SMPL24.index("head")], people.joints.mean(0), ears)
    return Base(space, weights, rows, ids, scalp & mesh.skin), fitted
