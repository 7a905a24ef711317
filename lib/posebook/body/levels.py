"""Levels of detail: one body carried to a coarser mesh, with its joints kept in place."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from posebook.body.base import BETAS, Base
from posebook.body.decimate import barycentric_map, decimate, nearest
from posebook.body.parts import label_faces
from posebook.body.population import People
from posebook.body.regressors import JOINTS_POSED_WEIGHT, FitSet, Rows, fit_rows, named_regressors, random_poses
from posebook.body.surface import Mesh
from posebook.body.upsample import fit_upsampling
from posebook.joints import SMPL24

DECIMALS = 6  # vertices are rounded to a micrometre
SURGERY_DECIMALS = 5  # coarser: the last bits of a sum differ between machines and must not change the decimation
UPSAMPLE_PEOPLE = 60
EYELESS_BELOW = 2000  # vertices; under this, eyeballs and sockets would take a tenth of the mesh


class Level(NamedTuple):
    """One level of detail."""

    smpl: dict[str, np.ndarray]  # arrays in SMPL's npz layout
    extras: dict[str, np.ndarray]  # ours beside them
    down: sp.csr_matrix  # (v, V) barycentric, from the full mesh
    up: sp.csr_matrix  # (V, v) fitted, to the full mesh


class _Maps(NamedTuple):
    faces: np.ndarray  # (f, 3)
    down: sp.csr_matrix  # (v, V) barycentric
    up: sp.csr_matrix  # (V, v) barycentric


def _maps(mesh: Mesh, base: Base, wanted: int) -> _Maps:
    template = np.round(base.space.mean, SURGERY_DECIMALS)
    if not wanted:
        identity = sp.identity(len(template), format="csr")
        return _Maps(mesh.surface.faces, identity, identity)
    eyeless = wanted < EYELESS_BELOW
    points = template[mesh.bare.kept] if eyeless else template
    points, faces = decimate(points, (mesh.bare if eyeless else mesh.surface).faces, wanted)
    down = barycentric_map(points, template, mesh.surface.faces)
    return _Maps(faces, down, barycentric_map(template, down @ template, faces))


def on_level(down: sp.csr_matrix, vertices: np.ndarray) -> np.ndarray:
    """Carry vertices (P, V, 3) to a level: (P, v, 3)."""
    flat = vertices.transpose(1, 0, 2).reshape(vertices.shape[1], -1)
    return (down @ flat).reshape(down.shape[0], -1, 3).transpose(1, 0, 2)


def _on_level(fitted: FitSet, down: sp.csr_matrix, weights: np.ndarray) -> FitSet:
    """The fitted people on a level's mesh, in the same poses."""
    rest = People(on_level(down, fitted.rest.vertices), fitted.rest.joints)
    return FitSet(rest, random_poses(rest, weights))


def _rows(base: Base, up: sp.csr_matrix, full: FitSet, coarse: FitSet) -> Rows:
    """Refit the joint rows so that each level's joints are where the full mesh has them, at rest and posed."""
    refitted = []
    for rows, posed_weight in ((base.rows.joints, JOINTS_POSED_WEIGHT), (base.rows.centres, 1.0)):
        people = FitSet(People(coarse.rest.vertices, rows @ full.rest.vertices),
                        People(coarse.posed.vertices, rows @ full.posed.vertices))  # fmt: skip
        refitted.append(fit_rows(people, posed_weight, np.arange(up.shape[1])))
    return Rows(*refitted, {name: row @ up for name, row in base.rows.face.items()})


def _upsampling(full: FitSet, coarse: FitSet, start: sp.csr_matrix) -> sp.csr_matrix:
    few = [np.concatenate([p.rest.vertices[:UPSAMPLE_PEOPLE], p.posed.vertices[:UPSAMPLE_PEOPLE]])
           for p in (coarse, full)]  # fmt: skip
    return fit_upsampling(*few, start)


def make_level(mesh: Mesh, base: Base, fitted: FitSet, wanted: int) -> Level:
    """One level: arrays carried down by barycentric coordinates, joint rows fitted anew.

    Args:
        mesh, base: the full mesh. fitted: people for the rows. wanted: vertices; 0 keeps the full mesh.
    """
    maps = _maps(mesh, base, wanted)
    weights = maps.down @ base.weights
    weights /= weights.sum(1, keepdims=True)
    rows, up = base.rows, maps.up
    if wanted:
        coarse = _on_level(fitted, maps.down, weights)
        rows, up = _rows(base, maps.up, fitted, coarse), _upsampling(fitted, coarse, maps.up)
    directions = np.stack([maps.down @ base.space.directions[:, :, k] for k in range(BETAS)], axis=-1)
    smpl = smpl_arrays(maps.down @ base.space.mean, directions, rows.joints, weights, maps.faces)
    points = maps.down @ base.space.mean
    extras = {f"regressor_{name}": r.astype(np.float32) for name, r in named_regressors(rows).items()}
    extras |= {
        "part_of_face": label_faces(maps.faces, weights),
        "part_of_vertex": weights.argmax(1) + 1,
        "hair": (maps.down @ base.hair.astype(float)) > 0.5,
        "id_names": np.array(list(base.ids)),
        "ids": nearest(points, base.space.mean[list(base.ids.values())]),
        "up_data": up.data.astype(np.float32), "up_indices": up.indices,
        "up_indptr": up.indptr, "up_shape": np.array(up.shape),
    }  # fmt: skip
    return Level(smpl, extras, maps.down, up)


def smpl_arrays(
    template: np.ndarray, directions: np.ndarray, joints: np.ndarray, weights: np.ndarray, faces: np.ndarray
) -> dict[str, np.ndarray]:
    """Arrays under SMPL's own names and shapes, so that smplx reads them as it reads SMPL's npz.

    Args:
        template: (V, 3). directions: (V, 3, 10). joints: (24, V) regressor. weights: (V, 24). faces: (F, 3).
    """
    template = np.round(template, DECIMALS)
    parents = np.array(SMPL24.parents).astype(np.uint32)  # the root's parent is 2^32 - 1, as in SMPL's files
    return {
        "v_template": template.astype(np.float32),
        "shapedirs": np.round(directions, DECIMALS).astype(np.float32),
        "posedirs": np.zeros((len(template), 3, 207), np.float32),  # anny has no pose-dependent shapes
        "J_regressor": joints.astype(np.float32),
        "J": (joints @ template).astype(np.float32),
        "weights": weights.astype(np.float32),
        "f": faces.astype(np.uint32),
        "kintree_table": np.stack([parents, np.arange(24, dtype=np.uint32)]),
    }
