"""SMPL and MANO model files, converted once from their pickles to plain npz, and what readers need of them.

A converted file holds the arrays under their own names and is read like the original: load_body(path), load_hand(path).
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from posebook.body.smpl_file import read_smpl_file
from posebook.cache import atomic_path, cache_dir
from posebook.errors import PosebookError
from posebook.hand.mano_file import read_mano_file
from posebook.joint_atlas import LEGS_EXCHANGED
from posebook.rotations import axis_angle_to_matrix
from posebook.smpl_assets import REGRESSORS, regressor_rows

REGRESSOR, FRAMES = "J_regressor_h36m.npy", 512  # SPIN's; bodies posed at a time

SOURCES = {  # converted name -> names that people have the original under
    "SMPL_NEUTRAL": ("SMPL_NEUTRAL", "basicModel_neutral_lbs_10_207_0_v1.0.0"),
    "SMPL_MALE": ("SMPL_MALE", "basicModel_m_lbs_10_207_0_v1.0.0"),
    "SMPL_FEMALE": ("SMPL_FEMALE", "basicModel_f_lbs_10_207_0_v1.0.0"),
    "MANO_RIGHT": ("MANO_RIGHT",),
}


def find_models(source: Path) -> dict[str, Path]:
    """Converted name -> original .pkl or .npz found anywhere below a folder."""
    files = {p.stem: p for p in sorted(source.rglob("*")) if p.suffix in (".pkl", ".npz") and p.is_file()}
    found = {target: next((files[n] for n in names if n in files), None) for target, names in SOURCES.items()}
    return {target: path for target, path in found.items() if path}


def convert_model(path: Path, target: Path) -> Path:
    """Read a model file safely and write its arrays as npz.

    Raises:
        PosebookError: it is no whole SMPL or MANO file, or names code to run.
    """
    arrays = read_mano_file(path) if target.stem.startswith("MANO") else read_smpl_file(path)
    with atomic_path(target) as temporary, open(temporary, "wb") as stream:
        np.savez(stream, **arrays)
    return target


def models_folder() -> Path:
    """Where converted models live by default."""
    return cache_dir("real") / "body_models" / "models"


def rest_pelvis(betas: np.ndarray, gender: str = "neutral", folder: Path | None = None) -> np.ndarray | None:
    """SMPL's pelvis at rest, J0(betas) = (template + shape blend) regressed.

    Args:
        betas: (n, 10).
        gender: neutral, male or female.
        folder: of converted models.

    Returns:
        (n, 3) metres, or None if that model was not converted.
    """
    path = (folder or models_folder()) / f"SMPL_{gender.upper()}.npz"
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as model:
        row = model["J_regressor"][0]
        slope = np.einsum("v,vck->ck", row, model["shapedirs"][:, :, : betas.shape[1]])
        return row @ model["v_template"] + betas @ slope.T


def regressor_files(genders: Sequence[str], folder: Path | None = None) -> list[Path]:
    """Converted models of these genders and Human3.6M's regressor; empty unless all are there."""
    folder = folder or models_folder()
    files = [folder / REGRESSOR, *(folder / f"SMPL_{g.upper()}.npz" for g in genders)]
    return files if all(f.is_file() for f in files) else []


@lru_cache(maxsize=3)
def regressed(gender: str, folder: Path) -> Callable:
    """Function of betas (B, 10) and relative rotations (B, 24, 3, 3): (B, 17, 3) joints of the mesh, left leg first."""
    from posebook.body import load_body
    from posebook.joint_layer import RegressedJoints

    return RegressedJoints(load_body(folder / f"SMPL_{gender.upper()}.npz"), np.load(folder / REGRESSOR))


def h36m_joints(fields: dict[str, np.ndarray], gender: str, folder: Path | None = None) -> np.ndarray:
    """Human3.6M's 17 joints of posed SMPL bodies, right leg first, as papers score them on 3DPW.

    Args:
        fields: global_orient, body_pose, betas, transl of n bodies, one frame.
        gender: whose model the parameters are of.
        folder: of converted models, with J_regressor_h36m.npy, whose rows have the left leg first.

    Returns:
        (n, 17, 3) metres. Source: specs/data.md sections 1.5 and 2.
    """
    pose = np.concatenate([fields["global_orient"], fields["body_pose"]], 1).reshape(-1, 24, 3)
    function, parts = regressed(gender, folder or models_folder()), []
    for start in range(0, len(pose), FRAMES):
        part = slice(start, start + FRAMES)
        rotations = axis_angle_to_matrix(torch.from_numpy(pose[part]).float())
        with torch.no_grad():
            joints = function(torch.from_numpy(np.array(fields["betas"][part])).float(), rotations)
        parts.append(joints.numpy()[:, list(LEGS_EXCHANGED)] + fields["transl"][part, None])
    return np.concatenate(parts)


@lru_cache(maxsize=3)
def poser(gender: str, folder: Path) -> Callable:
    """Function of global_orient, body_pose, betas, transl, each (B, …) float tensors: (B, V, 3) vertices.

    Raises:
        PosebookError: that model was not converted.
    """
    from posebook.body import load_body

    path = folder / f"SMPL_{gender.upper()}.npz"
    if not path.is_file():
        raise PosebookError(f"Posing meshes needs your {gender} SMPL file as {path}: data_download/body_models.py "
                            "--source <your SMPL files> converts it.")  # fmt: skip
    layer = load_body(path)
    return lambda **parameters: layer(**parameters).vertices


def posed_vertices(fields: dict[str, np.ndarray], gender: str, folder: Path | None = None) -> np.ndarray:
    """(n, 6890, 3) metres: SMPL's mesh by the user's model.

    Args:
        fields: global_orient, body_pose, betas, transl of n bodies. gender, folder: as `h36m_joints`.
    """
    function = poser(gender, folder or models_folder())
    with torch.no_grad():
        return function(**{name: torch.from_numpy(np.array(v)).float() for name, v in fields.items()}).double().numpy()


def posed_knuckle(fields: dict[str, np.ndarray], model: Path, joint: int = 4) -> np.ndarray:
    """(n, 3) metres: a joint of MANO's 16 posed without translation; 4 is the middle finger's knuckle.

    Args:
        fields: global_orient, hand_pose (zero is flat), betas of n hands. model: the user's MANO file.
    """
    from posebook.hand import load_hand

    layer, parts = load_hand(model), []
    for start in range(0, len(fields["betas"]), FRAMES):
        some = {n: torch.from_numpy(np.array(fields[n][start : start + FRAMES])).float()
                for n in ("global_orient", "hand_pose", "betas")}  # fmt: skip
        with torch.no_grad():
            parts.append(layer(**some).joints[:, joint].double().numpy())
    return np.concatenate(parts)


def convert_all(source: Path, out: Path) -> dict[str, Path]:
    """Convert every model found below `source` to `out`.

    Raises:
        PosebookError: none is there, or one is damaged.
    """
    found = find_models(source)
    if not found:
        wanted = ", ".join(f"{names[-1]}.pkl" for names in SOURCES.values())
        raise PosebookError(f"No model files below {source}: looked for {wanted} and SMPL_NEUTRAL.pkl. Register at "
                            "https://smpl.is.tue.mpg.de and https://mano.is.tue.mpg.de.")  # fmt: skip
    made = {name: convert_model(path, out / f"{name}.npz") for name, path in found.items()}
    for name in REGRESSORS:
        path = next(iter(sorted(source.rglob(name))), None)
        if path is not None:
            rows = regressor_rows(path)
            with atomic_path(out / name) as temporary, open(temporary, "wb") as stream:
                np.save(stream, rows)
            made[name] = out / name
    return made
