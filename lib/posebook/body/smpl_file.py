"""The user's licensed SMPL file."""

from pathlib import Path

import numpy as np

from posebook.body.model_file import Layout, read_model_file

VERTICES, FACES = 6890, 13776
SMPL_LAYOUT = Layout(
    "SMPL",
    {"v_template": (VERTICES, 3), "shapedirs": (VERTICES, 3, None), "posedirs": (VERTICES, 3, 207),
     "J_regressor": (24, VERTICES), "weights": (VERTICES, 24), "kintree_table": (2, 24), "f": (FACES, 3)},
    "Download SMPL for Python from https://smpl.is.tue.mpg.de (registration) and pass its .pkl or .npz unchanged.",
    "Or use the free body: load_body('free').",
    "SMPL-H and SMPL-X are other models",
)  # fmt: skip


def read_smpl_file(path: Path) -> dict[str, np.ndarray]:
    """Arrays of an SMPL model file under SMPL's names.

    Args:
        path: the official `.pkl` or `.npz`.

    Raises:
        PosebookError: the file is missing, cut, of another model, or names code to run.
    """
    return read_model_file(path, SMPL_LAYOUT)
