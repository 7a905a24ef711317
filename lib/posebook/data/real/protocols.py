"""Evaluation protocols of the papers as named presets, and the rows and joints they score.

The same words mean different things: "protocol 1" is S11 only with PA-MPJPE in one line of papers, all cameras with
MPJPE in another. So presets carry the paper's name. Source: specs/data.md sections 1.1, 1.2, 1.5, 1.6, 1.8.
"""

from dataclasses import dataclass

import numpy as np

from posebook.data.real.catalogue import by_name
from posebook.data.real.dataset import RealDataset, need
from posebook.errors import PosebookError
from posebook.joint_atlas import atlas_set, convert
from posebook.metrics.positions import PCK_MM

H36M_CAMERAS = {"1": "54138969", "2": "55011271", "3": "58860488", "4": "60457274"}


@dataclass(frozen=True)
class Preset:
    """Which frames of which split are scored, on which joints, after which alignment."""

    name: str
    paper: str
    datasets: tuple[str, ...]  # of the catalogue
    train: str  # what the paper trains on, in words
    split: str  # of the dataset that is scored
    joints: str  # joint set, a name of the atlas
    source: str  # field the target joints come from
    root: tuple[str, ...]  # joints whose mean is subtracted
    alignment: str  # of the headline number: "root" or "similarity"
    step: int = 1  # every n-th frame of each video
    cameras: tuple[str, ...] = ()  # all when empty
    subjects: tuple[str, ...] = ()  # all when empty
    metrics: tuple[str, ...] = ("mpjpe", "pa_mpjpe")
    average: str = "frames"  # mean over "frames", or of the means of "actions"
    pck_mm: float = PCK_MM  # from where on a keypoint is wrong
    pck_joints: tuple[str, ...] = ()  # that count for it; all when empty

    def describe(self) -> str:
        """One line that belongs beside each number."""
        which = [f"every {self.step}th frame" if self.step > 1 else "every frame",
                 f"cameras {', '.join(self.cameras)}" if self.cameras else "all cameras"]  # fmt: skip
        if self.subjects:
            which.append(f"subjects {', '.join(self.subjects)}")
        return (f"{self.name} ({self.paper}): {self.split} of {' or '.join(self.datasets)}, {', '.join(which)}; "
                f"{len(atlas_set(self.joints))} joints {self.joints} from {self.source}, root {' + '.join(self.root)}, "
                f"headline after {self.alignment} alignment, mean over {self.average}; PCK below {self.pck_mm:g} mm"
                + (f" of {len(self.pck_joints)} joints" if self.pck_joints else ""))  # fmt: skip


H36M, FRONT, HIPS = (
    ("human36m", "human36m_json", "human36m_npz", "human36m_c2f"),
    ("60457274",),
    ("right_hip", "left_hip"),
)
LIMBS = tuple(
    f"{side}_{n}" for n in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist") for side in ("left", "right")
)
PVE = ("mpjpe", "pa_mpjpe", "pve", "accel_error")
PRESETS = (
    Preset("h36m_c2f", "Pavlakos et al. 2017", H36M, "S1 S5 S6 S7 S8, all cameras", "test", "h36m17",
           "joints3d_h36m17", ("pelvis",), "root", step=5, metrics=("mpjpe",), average="actions"),
    Preset("h36m_i2l", "I2L-MeshNet", H36M, "S1 S5 S6 S7 S8, every 5th frame", "test", "lsp14", "joints3d_h36m17",
           ("pelvis",), "root", step=64, cameras=FRONT),
    Preset("h36m_hmr_p1", "HMR, SPIN", H36M, "S1 S5 S6 S7 S8", "test", "lsp14", "joints3d_h36m17", ("pelvis",),
           "root", step=5),
    Preset("h36m_hmr_p2", "HMR, SPIN", H36M, "S1 S5 S6 S7 S8", "test", "lsp14", "joints3d_h36m17", ("pelvis",),
           "similarity", step=5, cameras=FRONT),
    Preset("h36m_3dmppe_p1", "3DMPPE", H36M, "S1 S5 S6 S7 S8 S9", "test", "h36m17", "joints3d_h36m17", ("pelvis",),
           "similarity", step=64, subjects=("S11",)),
    Preset("h36m_3dmppe_p2", "3DMPPE", H36M, "S1 S5 S6 S7 S8", "test", "h36m17", "joints3d_h36m17", ("pelvis",), "root",
           step=64),
    Preset("h36m_tcmr", "TCMR", H36M, "S1 S5 S6 S7 S8 at 25 fps", "test", "lsp14", "joints3d_h36m17", HIPS, "root",
           step=2, cameras=FRONT, metrics=("mpjpe", "pa_mpjpe", "accel_error")),
    Preset("h36m_lifting", "VideoPose3D, ElePose", H36M, "S1 S5 S6 S7 S8", "test", "h36m17", "joints3d_h36m17",
           ("pelvis",), "root", metrics=("mpjpe", "pa_mpjpe", "n_mpjpe")),
    Preset("3dpw_14", "SPIN, I2L-MeshNet, VIBE, TCMR", ("3dpw",), "other datasets, or 3DPW's train split", "test",
           "lsp14", "joints3d_h36m17", HIPS, "root", metrics=PVE),
    Preset("3dpw_smpl24", "3DPW challenge", ("3dpw",), "other datasets", "test", "smpl24", "joints3d", ("pelvis",),
           "root", metrics=("mpjpe", "pa_mpjpe", "pck", "orientation"), pck_mm=50.0, pck_joints=LIMBS),
    Preset("3dhp_17", "Mehta et al.", ("mpi_inf_3dhp",), "S1 to S8, chest-high cameras", "test", "mpii3d17",
           "universal3d", ("pelvis",), "root", metrics=("mpjpe", "pck", "auc")),
    Preset("humaneva_15", "VideoPose3D", ("humaneva",), "train chunks of S1 S2 S3", "validate", "humaneva15",
           "keypoints3d", ("pelvis",), "root", cameras=("C1",)),
    Preset("freihand", "FreiHAND", ("freihand",), "training", "evaluation", "hand21", "joints3d", ("wrist",),
           "similarity", metrics=("pa_mpjpe", "f_score", "auc")),
)  # fmt: skip


def preset(name: str) -> Preset:
    """A preset by name; PosebookError for an unknown one."""
    return by_name(PRESETS, name, "protocol")


def scored_rows(dataset: RealDataset, protocol: Preset) -> np.ndarray:
    """Rows of a prepared split that a protocol scores.

    Raises:
        PosebookError: another dataset or split, or not one row.
    """
    m = dataset.manifest
    if m["name"] not in protocol.datasets or m["split_name"] != protocol.split:
        raise PosebookError(f"{protocol.name} scores {protocol.split} of {' or '.join(protocol.datasets)}, not "
                            f"{m['split_name']} of {m['name']}.")  # fmt: skip
    keep = dataset.texts["frame"] % protocol.step == 0
    if protocol.cameras:
        cameras = [H36M_CAMERAS.get(c, c) for c in dataset.texts["camera"]]
        keep &= np.isin(cameras, protocol.cameras)
    if protocol.subjects:
        keep &= np.isin(np.asarray(dataset.texts["subject"]), protocol.subjects)
    rows = np.flatnonzero(keep)
    if not len(rows):
        raise PosebookError(f"{protocol.name}: not one of {len(dataset)} rows of {m['name']} belongs to it.")
    return rows


def source_set(dataset: RealDataset, protocol: Preset) -> str:
    """Joint set of the field that a protocol's target comes from."""
    own = {"joints3d": "hand21" if dataset.manifest["kind"] == "hand" else "smpl24", "joints3d_h36m17": "h36m17"}
    return own.get(protocol.source) or dataset.manifest["keypoints"]


def source_joints(dataset: RealDataset, protocol: Preset, rows: np.ndarray) -> np.ndarray:
    """(R, S, 3) metres, camera frame, in the order of `source_set`: what predictions must give, too.

    Raises:
        PosebookError: the dataset lacks the joints.
    """
    need(dataset, (protocol.source,), f"protocol {protocol.name}")
    array = dataset.arrays[protocol.source] if protocol.source in dataset.arrays else dataset.extras[protocol.source]
    return np.asarray(array[rows])


def reduce_joints(points: np.ndarray, protocol: Preset, source: str) -> np.ndarray:
    """Subtract the protocol's root and keep its joints.

    Args:
        points: (R, S, 3) in the order of `source`.
        protocol: any.
        source: an atlas name.

    Returns:
        (R, J, 3) in the order of protocol.joints.
    """
    root = points[:, [atlas_set(source).index(name) for name in protocol.root]].mean(1, keepdims=True)
    return convert(points - root, source, protocol.joints).points
