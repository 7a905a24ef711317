"""Bodies of a prepared set with SMPL parameters, all of them as one neutral SMPL: what chapters 02 to 04 learn.

Papers train one neutral body. Where a dataset's parameters are of the male or female model, its surface at rest is
fitted by the neutral one's betas (least squares over all vertices, free to shift); rotations are kept, and the pelvis
stays where the dataset has it. Joints and part maps follow from the neutral body and the stored camera.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from posebook.body import load_assets, load_body
from posebook.body.smpl_file import read_smpl_file
from posebook.data.camera import project
from posebook.data.part_maps import render_parts
from posebook.data.real import body_models
from posebook.data.real.dataset import PARAMETERS, RealDataset
from posebook.joint_layer import JointLayer
from posebook.rotations import axis_angle_to_matrix
from posebook.smpl_assets import REGRESSORS, smpl_hash

NEUTRAL = "SMPL_NEUTRAL.npz"
BETAS, CHUNK = 10, 64  # bodies posed at a time


class Refit(NamedTuple):
    """The neutral body in the place of another model: betas' = matrix betas + shift."""

    matrix: np.ndarray  # (10, 10)
    shift: np.ndarray  # (10,)
    error: float  # metres, mean distance of the mean person's vertices after the fit


def body_file(real: RealDataset | None = None) -> Path | None:
    """The neutral model with SPIN's regressors beside it, converted; None if a file is missing that a split needs.

    Args:
        real: a prepared split, whose gendered models must be there as well.
    """
    folder, genders = body_models.models_folder(), genders_of(real) if real else ()
    names = [NEUTRAL, *REGRESSORS, *(f"SMPL_{g.upper()}.npz" for g in genders)]
    return folder / NEUTRAL if all((folder / name).is_file() for name in names) else None


@lru_cache(maxsize=8)
def genders_of(real: RealDataset) -> tuple[str, ...]:
    """Whose models a split's parameters are of, the neutral one left out."""
    found = np.unique(np.asarray(real.texts["gender"][:])).tolist()
    return tuple(gender for gender in found if gender not in ("", "neutral"))


@lru_cache(maxsize=4)
def refit(path: Path, neutral: Path) -> Refit:
    """Fit the neutral body's surface at rest to that of another model.

    Args:
        path, neutral: SMPL files, whose vertices are numbered alike.
    """
    other, own = (read_smpl_file(p) for p in (path, neutral))
    slopes = [np.asarray(a["shapedirs"], np.float64)[:, :, :BETAS].reshape(-1, BETAS) for a in (other, own)]
    template, start = (np.asarray(a["v_template"], np.float64) for a in (other, own))
    unknowns = np.concatenate([slopes[1], np.tile(np.eye(3), (len(template), 1))], 1)  # betas and a shift
    wanted = np.concatenate([slopes[0], (template - start).reshape(-1, 1)], 1)
    found = np.linalg.lstsq(unknowns, wanted, rcond=None)[0]
    left = (wanted[:, -1] - unknowns @ found[:, -1]).reshape(-1, 3)
    return Refit(found[:BETAS, :BETAS], found[:BETAS, -1], float(np.linalg.norm(left, axis=1).mean()))


class Bodies:
    """Neutral bodies of a prepared split; every method takes rows and reads only those.

    Args:
        real: with SMPL parameters and cameras. neutral: see `body_file`.
    """

    def __init__(self, real: RealDataset, neutral: Path):
        self.real, self.neutral = real, neutral
        self.hash = smpl_hash(neutral)
        self.genders = genders_of(real)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know."""
        if not self.genders:
            return ()
        worst = max(self.refit(gender).error for gender in self.genders)
        return (f"{' and '.join(self.genders)} SMPL as the neutral one, surfaces {1000 * worst:.1f} mm apart",)

    def refit(self, gender: str) -> Refit:
        """From a gendered model to the neutral one."""
        return refit(self.neutral.parent / f"SMPL_{gender.upper()}.npz", self.neutral)

    def betas(self, rows: np.ndarray) -> np.ndarray:
        """(n, 10) of the neutral body."""
        found = np.asarray(self.real.arrays["betas"][rows], np.float64)
        genders = np.asarray(self.real.texts["gender"][rows])
        for gender in self.genders:
            fit, own = self.refit(gender), genders == gender
            found[own] = found[own] @ fit.matrix.T + fit.shift
        return found.astype(np.float32)

    def pelvis(self, rows: np.ndarray) -> np.ndarray:
        """(n, 3) metres, camera frame: the dataset's own joint, else that of its parameters."""
        if "joints3d" not in self.real.manifest["missing_fields"]:
            return np.asarray(self.real.arrays["joints3d"][rows])[:, 0]
        found = np.asarray(self.real.arrays["transl"][rows], np.float64)
        betas, genders = np.asarray(self.real.arrays["betas"][rows]), np.asarray(self.real.texts["gender"][rows])
        for gender in np.unique(genders).tolist():
            own = genders == gender
            found[own] += body_models.rest_pelvis(betas[own], gender or "neutral", self.neutral.parent)
        return found.astype(np.float32)

    def transl(self, rows: np.ndarray) -> np.ndarray:
        """(n, 3) metres: smplx with it has the pelvis in its place."""
        rest = body_models.rest_pelvis(self.betas(rows), "neutral", self.neutral.parent)
        return (self.pelvis(rows) - rest).astype(np.float32)

    def pose(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The dataset's rotations, axis-angle: global_orient (n, 3) and body_pose (n, 69)."""
        return {name: np.asarray(self.real.arrays[name][rows]) for name in ("global_orient", "body_pose")}

    def vertices(self, rows: np.ndarray) -> np.ndarray:
        """(n, 6890, 3) metres, camera frame."""
        given = self.pose(rows) | {"betas": self.betas(rows), "transl": self.transl(rows)}
        return body_models.posed_vertices(given, "neutral", self.neutral.parent)

    def joints3d(self, rows: np.ndarray) -> np.ndarray:
        """(n, 24, 3) metres, camera frame."""
        layer, pose = joints_of(self.neutral), np.concatenate(list(self.pose(rows).values()), 1)
        with torch.no_grad():
            relative = axis_angle_to_matrix(torch.from_numpy(pose).float().unflatten(1, (-1, 3)))
            found = layer(torch.from_numpy(self.betas(rows)), layer.to_global(relative)).numpy()
        return found + self.pelvis(rows)[:, None]

    def joints17(self, rows: np.ndarray) -> np.ndarray:
        """(n, 17, 3) metres, camera frame: Human3.6M's, regressed from the mesh."""
        return load_assets("full", self.neutral).regressors["h36m17"] @ self.vertices(rows)

    def parts(self, rows: np.ndarray) -> np.ndarray:
        """(n, S, S) uint8 part labels of the crops."""
        assets, size = load_assets("full", self.neutral), self.real.image_size
        found = []
        for start in range(0, len(rows), CHUNK):
            some = rows[start : start + CHUNK]
            cameras = np.asarray(self.real.arrays["K"][some])
            found += [render_parts(mesh, assets.faces, assets.part_of_face, K, size)
                      for mesh, K in zip(self.vertices(some), cameras, strict=True)]  # fmt: skip
        return np.stack(found)


@lru_cache(maxsize=2)
def joints_of(neutral: Path) -> JointLayer:
    """SMPL's joints without its mesh."""
    return JointLayer(load_body(neutral))


def bodies_of(real: RealDataset) -> Bodies | None:
    """Bodies of a prepared split; None without parameters, cameras or your SMPL files."""
    lacks = real.manifest["missing_fields"]
    if real.manifest["kind"] != "body" or any(name in lacks for name in ("K", *PARAMETERS)):
        return None
    neutral = body_file(real)
    return None if neutral is None else Bodies(real, neutral)


def body_readers(bodies: Bodies, missing: list[str]) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Field of the schema -> function of rows, for what the bodies say; `missing`: fields that the split lacks."""
    cameras = bodies.real.arrays["K"]
    found = {"parts": bodies.parts, "betas": bodies.betas, "transl": bodies.transl}
    for field3d, field2d, read in (("joints3d", "joints2d", bodies.joints3d),
                                   ("joints3d_h36m17", "joints2d_h36m17", bodies.joints17)):  # fmt: skip
        if field3d in missing:
            found[field3d] = read
            found[field2d] = lambda rows, read=read: project(read(rows), np.asarray(cameras[rows]))
    return found
