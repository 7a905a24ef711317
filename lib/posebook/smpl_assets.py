"""What belongs to the user's SMPL body, as `posebook.body.load_assets` gives it for the free one.

The regressors of Human3.6M's 17 joints and of SPIN's nine extra ones lie beside the model file, converted with it by
data_download/body_models.py. SMPL has one mesh: every level is this one.
"""

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from smplx.vertex_ids import vertex_ids

from posebook.body.assets import BodyAssets
from posebook.body.parts import label_faces
from posebook.body.smpl_file import VERTICES, read_smpl_file
from posebook.cache import file_hash
from posebook.errors import PosebookError
from posebook.joint_atlas import LEGS_EXCHANGED

REGRESSORS = {"J_regressor_h36m.npy": 17, "J_regressor_extra.npy": 9}  # SPIN's files -> joints
BETAS, POOL, SEED = 10, 400, 7  # people of the pool are drawn from N(0, 1), as SMPL scales its betas


def regressor_rows(path: Path) -> np.ndarray:
    """(joints, 6890) of one of SPIN's two files.

    Raises:
        PosebookError: it is missing, or of another shape.
    """
    if not path.is_file():
        raise PosebookError(f"Expected SPIN's {path.name} beside the body model, found no {path}: put it among your "
                            "SMPL files and run data_download/body_models.py --source <folder>.")  # fmt: skip
    rows = np.load(path, allow_pickle=False)
    if rows.shape != (REGRESSORS[path.name], VERTICES):
        raise PosebookError(f"{path}: expected ({REGRESSORS[path.name]}, {VERTICES}), found {rows.shape}. It comes "
                            "with SPIN's data; pass it unchanged.")  # fmt: skip
    return rows.astype(np.float32)


def smpl_hash(path: Path) -> str:
    """Name of a body: sha256 of the model file and its two regressors."""
    files = (path, *(path.parent / name for name in REGRESSORS))
    return hashlib.sha256("".join(file_hash(file) for file in files).encode()).hexdigest()


@lru_cache(maxsize=3)
def smpl_assets(path: Path, level: str) -> BodyAssets:
    """Assets of an SMPL file.

    Args:
        path: converted model with SPIN's regressors beside it; those of Human3.6M have the left leg first.
        level: kept as a name.

    Raises:
        PosebookError: one of the files is missing or foreign.
    """
    arrays = read_smpl_file(path)
    h36m, extra = (regressor_rows(path.parent / name) for name in REGRESSORS)
    faces, weights = np.asarray(arrays["f"]).astype(np.int64), np.asarray(arrays["weights"], np.float32)
    template = np.asarray(arrays["v_template"], np.float32)
    people = np.random.default_rng(SEED).normal(size=(POOL, BETAS)).astype(np.float32)
    regressors = {"h36m17": h36m[list(LEGS_EXCHANGED)], "spin_extra9": extra}
    own = faces, label_faces(faces, weights), weights.argmax(1) + 1, *regressors.values(), people, template, weights
    for array in own:
        array.setflags(write=False)
    return BodyAssets(level, smpl_hash(path), *own[:3], regressors, dict(vertex_ids["smplh"]), None, people, template,
                      weights, np.zeros(len(template), bool), {})  # fmt: skip
