"""Self-supervised 3D pose from single images (Sosa and Hogg 2023), with ElePose's lifter."""

from posebook.models.selfsup.discriminator import (
    Discriminator,
    PatchDiscriminator,
    PicturePool,
    discriminator_loss,
    painter_loss,
)
from posebook.models.selfsup.flow import Flow, Mapped
from posebook.models.selfsup.image_model import ImageModel, ImagePrediction, ImageStep
from posebook.models.selfsup.lift import Cycle, lift, project, run_cycle, turn
from posebook.models.selfsup.lifter import Lifted, Lifter
from posebook.models.selfsup.lifting_model import LiftingModel, LiftingStep, lifting_step, prior_step
from posebook.models.selfsup.losses import BASES, LossWeights, PoseLosses, pose_losses, weighted
from posebook.models.selfsup.pca import PoseBasis, fit_basis
from posebook.models.selfsup.picture_losses import PictureLosses, skeleton_loss
from posebook.models.selfsup.pose_networks import PoseReader, SkeletonPainter, marginal_soft_argmax
from posebook.models.selfsup.poses import axis_major, check_prior, joint_major, mean_scale, normalise
from posebook.models.selfsup.prior import PosePrior
from posebook.models.selfsup.readings import Readings
from posebook.models.selfsup.rotation import ViewNoise, Views, draw_noise, second_views
from posebook.models.selfsup.skeleton_image import as_picture, draw_skeleton
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
    "Discriminator",
    "Flow",
    "ImageModel",
    "ImagePrediction",
    "ImageStep",
    "Lifted",
    "Lifter",
    "LiftingModel",
    "LiftingStep",
    "LossWeights",
    "Mapped",
    "PatchDiscriminator",
    "PictureLosses",
    "PicturePool",
    "PoseBasis",
    "PoseLosses",
    "PosePrior",
    "PoseReader",
    "Readings",
    "SkeletonPainter",
    "Structure",
    "ViewNoise",
    "Views",
    "as_picture",
    "axis_major",
    "check_prior",
    "discriminator_loss",
    "draw_noise",
    "draw_skeleton",
    "fit_basis",
    "joint_major",
    "lift",
    "lifting_step",
    "marginal_soft_argmax",
    "mean_scale",
    "normalise",
    "painter_loss",
    "pose_losses",
    "prior_step",
    "project",
    "run_cycle",
    "second_views",
    "skeleton_loss",
    "turn",
    "weighted",
]
