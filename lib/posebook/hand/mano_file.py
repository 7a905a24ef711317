"""The user's licensed MANO file of the right hand."""

from pathlib import Path

import numpy as np

from posebook.body.model_file import Layout, read_model_file
from posebook.errors import PosebookError

VERTICES, FACES = 778, 1538
MANO_LAYOUT = Layout(
    "MANO",
    {"v_template": (VERTICES, 3), "shapedirs": (VERTICES, 3, None), "posedirs": (VERTICES, 3, 135),
     "J_regressor": (16, VERTICES), "weights": (VERTICES, 16), "kintree_table": (2, 16), "f": (FACES, 3),
     "hands_components": (45, 45), "hands_mean": (45,)},
    "Download MANO from https://mano.is.tue.mpg.de (registration) and pass its MANO_RIGHT.pkl or .npz unchanged.",
    "Or use the free hand: load_hand('free').",
    "SMPL, SMPL-H and SMPL-X are other models",
)  # fmt: skip
# Fingertips of I2L-MeshNet's regressor on MANO's mesh, thumb to pinky (specs/i2l.md section 1.6). smplx names other
# vertices (744, 320, 443, 554, 671), a few millimetres away.
MANO_TIPS = (745, 317, 445, 556, 673)


def read_mano_file(path: Path) -> dict[str, np.ndarray]:
    """Arrays of a MANO model file under MANO's names.

    Args:
        path: the official `MANO_RIGHT.pkl` or `.npz`.

    Raises:
        PosebookError: the file is missing, cut, of another model or the left hand, or names code to run.
    """
    if "LEFT" in path.name.upper():
        raise PosebookError(f"{path.name} is the left hand; this package is about right hands. Pass MANO_RIGHT.")
    return read_model_file(path, MANO_LAYOUT)
