"""Load a body: the free one (baked once, cached) or the user's licensed SMPL file; and what belongs to it."""

import contextlib
import io
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
import smplx
from smplx.utils import Struct
from smplx.vertex_ids import vertex_ids as _SMPLX_VERTEX_IDS

from posebook.body.bake import LEVELS
from posebook.body.cached import ensure_baked
from posebook.body.smpl_file import read_smpl_file
from posebook.errors import PosebookError
from posebook.own_body import FREE, body_in_use


class BodyAssets(NamedTuple):
    """What belongs to one level of a body (V vertices, F faces). Arrays are read-only."""

    level: str
    hash: str  # of the whole bake, the same for all levels; of SMPL's files
    faces: np.ndarray  # (F, 3) int64
    part_of_face: np.ndarray  # (F,) int64 in 1..24: SMPL joint + 1
    part_of_vertex: np.ndarray  # (V,) int64 in 1..24
    regressors: dict[str, np.ndarray]  # h36m17, coco17, lsp14, spin_extra9 -> (J, V) float32
    vertex_ids: dict[str, int]  # by smplx's names
    upsample: sp.csr_matrix | None  # (V of full, V); None on the full level, and for SMPL's one mesh
    people: np.ndarray  # (400, 10) float32 betas of the fixed pool
    template: np.ndarray  # (V, 3) float32 metres, T-pose, pelvis at the origin
    weights: np.ndarray  # (V, 24) float32 skinning weights
    hair_vertices: np.ndarray  # (V,) bool, what a cap of hair covers
    statistics: dict[str, Any]  # of the bake; `levels` holds one dict per level


def _check_level(level: str) -> None:
    if level not in LEVELS:
        raise PosebookError(f"The free body has the levels {', '.join(LEVELS)}, not {level!r}.")


def _smpl(arrays: dict[str, np.ndarray], ids: dict[str, int]) -> smplx.SMPL:
    with contextlib.redirect_stdout(io.StringIO()):  # smplx prints that there are only 10 betas, each time
        return smplx.SMPL(model_path="", data_struct=Struct(**arrays), vertex_ids=ids)


def load_body(body: str | Path = "", level: str = "full") -> smplx.SMPL:
    """A real `smplx.SMPL`: 10 betas, float32, T-pose, y up, metres, the subject's left at +x, facing +z.

    Args:
        body: "free" for the body baked from anny, or the path of your licensed SMPL `.pkl` or `.npz`, unchanged; ""
            for the one in use, which is free unless POSEBOOK_BODY says otherwise.
        level: of the free body: "full", "smpl6890" or "coarse". An SMPL file in use has its one mesh for each.

    Raises:
        PosebookError: unknown level; missing, cut or foreign file.
    """
    _check_level(level)
    chosen = str(body) or body_in_use()
    if chosen == FREE:
        folder, _ = ensure_baked()
        with np.load(folder / f"{level}.npz") as arrays:
            return _smpl(dict(arrays), load_assets(level, FREE).vertex_ids)
    if body and level != "full":
        raise PosebookError(f"Levels are of the free body; {body} has one level. Leave out level={level!r}.")
    arrays = read_smpl_file(Path(chosen))
    return _smpl(arrays, _SMPLX_VERTEX_IDS["smplh"])  # right for SMPL's own 6,890 vertices


def load_assets(level: str = "full", body: str | Path = "") -> BodyAssets:
    """Faces, labels, regressors, people and statistics of a body at one level.

    Args:
        level: "full", "smpl6890" or "coarse".
        body: "free", the path of a converted SMPL file, or "" for the one in use; see `load_body`.

    Raises:
        PosebookError: unknown level; an SMPL file or a regressor beside it is missing.
    """
    _check_level(level)
    chosen = str(body) or body_in_use()
    if chosen != FREE:
        from posebook.smpl_assets import smpl_assets  # here: it makes the class above

        return smpl_assets(Path(chosen), level)
    folder, _ = ensure_baked()
    return _read_assets(folder, level)


@lru_cache(maxsize=8)
def _read_assets(folder: Path, level: str) -> BodyAssets:
    _, manifest = ensure_baked()
    with np.load(folder / f"{level}.npz") as arrays:
        smpl = {name: arrays[name] for name in ("v_template", "weights", "f")}
    with np.load(folder / f"{level}_extras.npz") as arrays:
        extras = dict(arrays)
    with np.load(folder / "people.npz") as arrays:
        people = arrays["people"]
    csr = (extras["up_data"], extras["up_indices"], extras["up_indptr"])
    upsample = None if level == "full" else sp.csr_matrix(csr, shape=tuple(extras["up_shape"]))
    regressors = {k.removeprefix("regressor_"): v for k, v in extras.items() if k.startswith("regressor_")}
    faces = smpl["f"].astype(np.int64)
    ids = dict(zip(extras["id_names"].tolist(), extras["ids"].tolist(), strict=True))
    for array in (faces, people, *smpl.values(), *extras.values(), *regressors.values()):
        array.setflags(write=False)
    return BodyAssets(level, manifest["hash"], faces, extras["part_of_face"], extras["part_of_vertex"], regressors,
                      ids, upsample, people, smpl["v_template"], smpl["weights"], extras["hair"],
                      manifest["statistics"])  # fmt: skip


def sample_people(count: int, seed: int = 0) -> np.ndarray:
    """Betas of people drawn from the fixed pool with replacement; (count, 10) float32.

    The pool holds adults drawn from anny's shape distribution and projected to the ten betas: not N(0, I).
    """
    people = load_assets(body=FREE).people
    return people[np.random.default_rng(seed).integers(len(people), size=count)]
