"""What a frame's prediction costs under a paper's protocol: joints, correct keypoints, accelerations, meshes."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from posebook.data.real.body_models import FRAMES, posed_vertices
from posebook.data.real.dataset import PARAMETERS, RealDataset
from posebook.data.real.protocols import Preset
from posebook.errors import PosebookError
from posebook.joint_atlas import atlas_set
from posebook.metrics.acceleration import accel_error
from posebook.metrics.mesh import pve
from posebook.metrics.positions import auc, mpjpe, n_mpjpe, pck
from posebook.metrics.procrustes import pa_mpjpe

UNITS = {"mpjpe": "mm", "pa_mpjpe": "mm", "n_mpjpe": "mm", "pve": "mm", "pck": "%", "auc": "%",
         "accel_error": "mm/frame²"}  # fmt: skip
SHORTEST = 3  # frames of a track that has an acceleration


def joint_scores(pred: Tensor, truth: Tensor, protocol: Preset) -> dict[str, np.ndarray]:
    """(R,) of every error of single frames.

    Args:
        pred, truth: (R, J, 3) metres, root at 0, in the order of protocol.joints.
        protocol: says from where on a keypoint is wrong, and which joints count there. AUC's thresholds end at 150 mm.
    """
    names = atlas_set(protocol.joints)
    some = [names.index(n) for n in protocol.pck_joints] or list(range(len(names)))
    found = {"mpjpe": mpjpe(pred, truth, "none"), "pa_mpjpe": pa_mpjpe(pred, truth, "none"),
             "n_mpjpe": n_mpjpe(pred, truth, "none"),
             "pck": pck(pred[:, some], truth[:, some], "none", protocol.pck_mm),
             "auc": auc(pred, truth, "none")}  # fmt: skip
    return {name: values.numpy() for name, values in found.items()}


def tracks(sequence: np.ndarray, frame: np.ndarray, step: int) -> Iterator[slice]:
    """Runs of rows of one sequence, `step` frames apart, that are long enough for an acceleration."""
    joined = (sequence[1:] == sequence[:-1]) & (np.diff(frame) == step)
    edges = [0, *(np.flatnonzero(~joined) + 1), len(sequence)]
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        if stop - start >= SHORTEST:
            yield slice(start, stop)


def accelerations(pred: Tensor, truth: Tensor, sequence: np.ndarray, frame: np.ndarray, step: int) -> np.ndarray:
    """(R,) error of the acceleration, mm per frame² of the protocol's frames; NaN where a neighbour is missing."""
    found = np.full(len(pred), np.nan)
    for run in tracks(sequence, frame, step):
        found[run.start + 1 : run.stop - 1] = accel_error(pred[run], truth[run], "none").numpy()
    return found


def mesh_scores(dataset: RealDataset, rows: np.ndarray, vertices: np.ndarray, roots: np.ndarray,
                true_roots: np.ndarray) -> np.ndarray:  # fmt: skip
    """(R,) mm: mean distance of the mesh's points, each mesh relative to its own root; NaN where a row has no fit.

    Args:
        dataset: with SMPL's parameters. rows: (R,) of it.
        vertices: (R, 6890, 3) predicted, metres. roots, true_roots: (R, 3) of the protocol.

    Raises:
        PosebookError: the dataset has no parameters, the user's models are not converted, or another mesh.
    """
    lacking = [n for n in PARAMETERS if n in dataset.manifest["missing_fields"]]
    if lacking:
        raise PosebookError(f"Meshes were predicted, but {dataset.manifest['name']} has no {', '.join(lacking)} to "
                            "compare them with.")  # fmt: skip
    found, gender = np.full(len(rows), np.nan), np.asarray(dataset.texts["gender"][rows])
    fitted = np.asarray(dataset.extras["fitted"][rows]) > 0 if "fitted" in dataset.extras else np.ones(len(rows), bool)
    for kind in np.unique(gender[fitted]):
        own = np.flatnonzero(fitted & (gender == kind))
        for part in np.array_split(own, -(-len(own) // FRAMES)):
            true = posed_vertices({n: np.asarray(dataset.arrays[n][rows[part]]) for n in PARAMETERS}, str(kind))
            if vertices.shape[1:] != true.shape[1:]:
                raise PosebookError(f"Expected meshes of SMPL's {true.shape[1]} vertices, got {vertices.shape[1:]}.")
            pair = (np.asarray(vertices[part], np.float64) - roots[part, None], true - true_roots[part, None])
            found[part] = pve(*map(torch.from_numpy, pair), "none").numpy()
    return found
