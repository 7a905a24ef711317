"""Official weights as methods that can be run: the network, and the body at its end.

I2L-MeshNet draws SMPL's own 6,890 vertices, so nothing but SMPL's file can read its mesh. SPIN, VIBE and TCMR say
rotations, which any body with SMPL's 24 joints can take; on the free body their shape numbers mean nothing.
"""

import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from posebook.body import load_assets, load_body
from posebook.errors import PosebookError
from posebook.hand import load_hand
from posebook.joints import HAND21, SMPL24
from posebook.methods.answers import BodyAnswer, PictureAnswer
from posebook.methods.bodies import BONES49, single_frames, video
from posebook.methods.meshes import lixel_mesh, parameter_mesh
from posebook.methods.method import Method
from posebook.models.i2l import MANO_ORDER, MANO_TIPS, SMPL_POINTS, joint_regressor
from posebook.models.i2l.body import PosedBody
from posebook.models.i2l.crop import MARGIN as I2L_MARGIN
from posebook.models.spin49 import SMPL_VERTEX_IDS
from posebook.models.spin_body import SpinBody, free_spin_body
from posebook.models.video_checkpoints import VideoWeights, spin_body_of
from posebook.models.weak_perspective import CROP
from posebook.weights.files import LoadedWeights, find_file, load_weights
from posebook.weights.known import KNOWN, LIXEL, PARAM, known_weights

SPIN_MARGIN = 1.2  # side of SPIN's crop over the box
INSIDE = "inside"  # use the copy of SMPL in the file
EXTRA_FILE = "J_regressor_extra.npy"
LEFT_FIRST, RIGHT_FIRST = "J_regressor_h36m.npy", "J_regressor_h36m_correct.npy"  # SPIN's, I2L-MeshNet's
FREE_BODY = "on the free body: the pose is the network's, the shape is not; millimetres would be wrong"


def smpl_path(given: str = "") -> str:
    """The user's SMPL file: the one given, else POSEBOOK_SMPL, else none ("")."""
    return given or os.environ.get("POSEBOOK_SMPL", "")


def official_methods(loaded: LoadedWeights, folder: str | Path, smpl: str = "") -> list[Method]:
    """What can be run of a file.

    Args:
        loaded: the file. folder: where SPIN's file and the joint regressors are looked for.
        smpl: path of the licensed SMPL (or, for hands, MANO) file; "inside" for the copy in SPIN's, VIBE's or TCMR's
            own file, if you have SMPL's licence; "" takes POSEBOOK_SMPL, else the free body where that makes sense.

    Returns:
        I2L-MeshNet: its lixel mesh and its body model. Others: one method.

    Raises:
        PosebookError: a licensed file or a second weight file is needed and is not there.
    """
    if loaded.known.kind in ("i2l", "hand"):
        return _i2l(loaded, Path(folder), smpl)
    return [_spin_family(loaded, Path(folder), smpl_path(smpl))]


def methods_in(folder: str | Path, smpl: str = "") -> tuple[list[Method], list[str]]:
    """Every official file of a folder as methods for bodies, and a sentence for each file that cannot be run.

    Args:
        folder, smpl: see `official_methods`.
    """
    found: list[Method] = []
    told: list[str] = []
    for known in KNOWN:
        path = find_file(known, folder)
        if path is None or known.kind == "hand":
            continue
        try:
            found += official_methods(load_weights(known, path), folder, smpl)
        except PosebookError as error:
            told.append(str(error))
    return found, told


def _i2l(loaded: LoadedWeights, folder: Path, smpl: str) -> list[Method]:
    hand = loaded.known.kind == "hand"
    path = smpl if hand else smpl_path(smpl)
    if not path or path == INSIDE:
        model, way = ("MANO", "--smpl MANO_RIGHT.pkl") if hand else ("SMPL", "--smpl FILE or POSEBOOK_SMPL")
        raise PosebookError(
            f"{loaded.known.name} draws the {loaded.network.vertex_num} vertices of {model}; only your licensed "
            f"{model} file says which is which, and no other body can stand in. Give it by {way}."
        )
    layer = load_hand(path, flat_hand_mean=False) if hand else load_body(path)
    points, order = (MANO_TIPS, MANO_ORDER) if hand else (SMPL_POINTS, None)
    network = loaded.network
    network.joint_regressor = joint_regressor(layer.J_regressor, points, order).float()
    network.body = PosedBody(layer)
    regressor = None if hand else h36m_regressor(folder)
    shared = {"size": network.image_size, "margin": I2L_MARGIN, "bones": (HAND21 if hand else SMPL24).bones,
              "faces": np.asarray(layer.faces).astype(np.int64),
              "regressor17": network.joint_regressor if hand else regressor,
              "source": f"official {loaded.known.name}", "networks": (network,)}  # fmt: skip
    return [Method(f"{loaded.known.name}, {LIXEL}", answer=PictureAnswer, model=lixel_mesh(network), **shared),
            Method(f"{loaded.known.name}, {PARAM}", answer=BodyAnswer, model=parameter_mesh(network),
                   **shared)]  # fmt: skip


def _spin_family(loaded: LoadedWeights, folder: Path, smpl: str) -> Method:
    known, network = loaded.known, loaded.network
    licensed = bool(smpl)
    body = spin_body(loaded, folder, smpl) if licensed else free_spin_body("coarse")
    if known.kind == "spin":
        network.body = body
        networks, model = (network,), single_frames(network, CROP, True, licensed)
    else:
        backbone = _backbone(known.name, folder)
        network.regressor.body = body
        networks, model = (backbone, network), video(backbone, network, CROP, True, licensed)
    faces = _smpl_faces(smpl) if licensed else load_assets("coarse").faces
    regressor = h36m_regressor(folder) if licensed else None
    warning = "" if licensed else FREE_BODY
    return Method(known.name, f"official {known.name}", BodyAnswer, model, CROP, SPIN_MARGIN, BONES49, faces, regressor,
                  known.kind != "spin", warning, networks)  # fmt: skip


def _backbone(name: str, folder: Path):
    spin = known_weights("spin")
    path = find_file(spin, folder)
    if path is None:
        raise PosebookError(
            f"{name} reads the features of SPIN's network: put {' or '.join(spin.files)} into {folder} ({spin.where})."
        )
    return load_weights(spin, path).network


def spin_body(loaded: LoadedWeights, folder: Path, smpl: str) -> SpinBody:
    """SMPL with SPIN's 49 joints, from the licensed file and J_regressor_extra.npy, or from the copy in the weights.

    Raises:
        PosebookError: no regressor in the folder and none in the file.
    """
    if smpl == INSIDE:
        return spin_body_of(VideoWeights({}, loaded.body, None, None, None))
    extra = loaded.body.get("J_regressor_extra")
    if extra is None:
        extra = _array(folder / EXTRA_FILE, 9)
    if extra is None:
        raise PosebookError(
            f"{loaded.known.name} needs SPIN's {EXTRA_FILE} (9 x 6890) beside SMPL, and its file carries none: put it "
            f"into {folder} (visiondata.cis.upenn.edu/spin/data.tar.gz)."
        )
    return SpinBody(load_body(smpl), extra, SMPL_VERTEX_IDS)


def _smpl_faces(smpl: str) -> np.ndarray | None:
    """(13776, 3); None with the copy in the weights, whose faces are not kept."""
    return None if smpl == INSIDE else np.asarray(load_body(smpl).faces).astype(np.int64)


def h36m_regressor(folder: Path) -> Tensor | None:
    """(17, 6890) h36m17 joints, right leg first, from either of the two official files; None without one.

    SPIN's file has the left leg first, I2L-MeshNet's the right one; the names are those of their repositories. Which
    one it is is checked by vertices: SMPL's left half is numbered below 3445.
    """
    for name in (RIGHT_FIRST, LEFT_FIRST):
        rows = _array(folder / name, 17)
        if rows is not None:
            left_first = float(rows[1, :3445].sum()) > 0.5
            return rows[[0, 4, 5, 6, 1, 2, 3, *range(7, 17)]] if left_first else rows
    return None


def _array(path: Path, rows: int) -> Tensor | None:
    if not path.is_file():
        return None
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise PosebookError(f"{path} is not an array that can be read: {error}. Download it again.") from None
    if found.shape != (rows, 6890):
        raise PosebookError(f"{path}: expected ({rows}, 6890), got {found.shape}. Pass the official file unchanged.")
    return torch.from_numpy(found.astype(np.float32))
