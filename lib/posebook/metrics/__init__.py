"""Metrics, protocol, statistics: metres in, millimetres out."""

from posebook.metrics.acceleration import accel, accel_error
from posebook.metrics.findings import Finding, finding, findings_table
from posebook.metrics.fscore import FreiHandScores, freihand_scores, fscore
from posebook.metrics.mesh import pve, vertex_areas
from posebook.metrics.orientation import err_quat, rotation_angle
from posebook.metrics.positions import (
    auc,
    joint_distances,
    mpjpe,
    mpjpe_per_action,
    n_mpjpe,
    pck,
    per_joint,
    root_relative,
)
from posebook.metrics.procrustes import Alignment, pa_mpjpe, procrustes_align
from posebook.metrics.protocol import HANDS21, POSEBOOK17, Protocol, evaluate
from posebook.metrics.segmentation import PartScores, confusion_matrix, part_scores
from posebook.metrics.smoothness import umbrella_laplacian
from posebook.metrics.statistics import summarise

__all__ = [
    "HANDS21",
    "POSEBOOK17",
    "Alignment",
    "Finding",
    "PartScores",
    "FreiHandScores",
    "Protocol",
    "accel",
    "accel_error",
    "auc",
    "confusion_matrix",
    "err_quat",
    "evaluate",
    "finding",
    "findings_table",
    "freihand_scores",
    "fscore",
    "joint_distances",
    "mpjpe",
    "mpjpe_per_action",
    "n_mpjpe",
    "pa_mpjpe",
    "part_scores",
    "pck",
    "per_joint",
    "procrustes_align",
    "pve",
    "root_relative",
    "rotation_angle",
    "summarise",
    "umbrella_laplacian",
    "vertex_areas",
]
