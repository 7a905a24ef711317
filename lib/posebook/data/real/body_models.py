"""SMPL and MANO model files, converted once from their pickles to plain npz, and what readers need of them.

A converted file holds the arrays under their own names and is read like the original: load_body(path), load_hand(path).
"""

from pathlib import Path

import numpy as np

from posebook.body.smpl_file import read_smpl_file
from posebook.cache import atomic_path, cache_dir
from posebook.errors import PosebookError
from posebook.hand.mano_file import read_mano_file

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
    return {name: convert_model(path, out / f"{name}.npz") for name, path in found.items()}
