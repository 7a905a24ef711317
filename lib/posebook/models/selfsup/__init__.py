"""Self-supervised 3D pose from single images (Sosa and Hogg 2023), with ElePose's lifter."""

from posebook.models.selfsup.flow import Flow, Mapped
from posebook.models.selfsup.lift import Cycle, lift, project, run_cycle, turn
from posebook.models.selfsup.lifter import Lifted, Lifter
from posebook.models.selfsup.losses import BASES, LossWeights, PoseLosses, pose_losses, weighted
from posebook.models.selfsup.pca import PoseBasis, fit_basis
from posebook.models.selfsup.poses import axis_major, check_prior, joint_major, mean_scale, normalise
from posebook.models.selfsup.prior import PosePrior
from posebook.models.selfsup.rotation import ViewNoise, Views, draw_noise, second_views
from posebook.models.selfsup.structure import (
    BODY17,
    ELEPOSE17,
    ELEPOSE_BODY17,
    ELEPOSE_FROM_H36M17,
    HAND,
    Structure,
)

__all__ = [
    "BASES",
    "BODY17",
    "ELEPOSE17",
    "ELEPOSE_BODY17",
    "ELEPOSE_FROM_H36M17",
    "HAND",
    "Cycle",
    "Flow",
    "Lifted",
    "Lifter",
    "LossWeights",
    "Mapped",
    "PoseBasis",
    "PoseLosses",
    "PosePrior",
    "Structure",
    "ViewNoise",
    "Views",
    "axis_major",
    "check_prior",
    "draw_noise",
    "fit_basis",
    "joint_major",
    "lift",
    "mean_scale",
    "normalise",
    "pose_losses",
    "project",
    "run_cycle",
    "second_views",
    "turn",
    "weighted",
]
