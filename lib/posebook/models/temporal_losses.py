"""Training losses of VIBE and TCMR. Source: specs/vibe.md 2.1.

A batch holds the windows with 2D targets only first, then those with 3D targets. Keypoints are crop coordinates in
[-1, 1] with a confidence, joints metres, camera axes. Terms come already weighted.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.models.hmr import BodyOutput
from posebook.models.spin49 import COMMON14_FROM_SPIN49, COMMON14_HIPS
from posebook.rotations import axis_angle_to_matrix


class LossWeights(NamedTuple):
    """The official weights. The paper's text has 2 for the adversarial terms; the code 0.5; TCMR trains without."""

    keypoints: float = 300.0
    joints: float = 300.0
    pose: float = 60.0
    shape: float = 0.06
    adversarial: float = 0.5  # of both the generator's and the discriminator's


VIBE_WEIGHTS = LossWeights()
TCMR_WEIGHTS = LossWeights(adversarial=0.0)


class BodyTargets(NamedTuple):
    """Targets of the M windows that have any 3D."""

    keypoints: Tensor  # (M, T, 49, 3) x, y in [-1, 1], confidence
    joints: Tensor  # (M, T, 49, 3) metres, any origin
    theta: Tensor  # (M, T, 85), see BodyOutput
    has_joints: Tensor  # (M, T) 1 where `joints` holds: w_3d
    has_body: Tensor  # (M, T) 1 where `theta` holds: w_smpl


class TemporalLosses(NamedTuple):
    """Weighted terms of the generator, scalars. A term without any sample is 0."""

    keypoints: Tensor
    joints: Tensor
    shape: Tensor
    pose: Tensor
    adversarial: Tensor  # 0 without a discriminator

    @property
    def total(self) -> Tensor:
        """What the generator minimises."""
        return sum(self)


class DiscriminatorLosses(NamedTuple):
    """Weighted terms of the discriminator, scalars."""

    real: Tensor
    fake: Tensor

    @property
    def total(self) -> Tensor:
        """What the discriminator minimises."""
        return self.real + self.fake


def temporal_losses(predicted: BodyOutput, targets: BodyTargets, keypoints_2d: Tensor | None = None,
                    fake_scores: Tensor | None = None,
                    weights: LossWeights = VIBE_WEIGHTS) -> TemporalLosses:  # fmt: skip
    """All terms of the generator.

    keypoints: mean over every frame, joint and axis of conf (x - x*)^2, divided by all entries, not by the sum of conf.
    joints: mean square of LSP's 14, both sides less the mean of their hips, over frames with `has_joints`.
    pose: mean square between the 24 rotation matrices; shape: of the betas; over frames with `has_body`.
    adversarial: mean of (D - 1)^2.

    The official code turns the predicted axis-angles back into matrices; here their source `predicted.rotmat` is
    compared, which has the same values and no logarithm in its gradient.

    Args:
        predicted: (K + M, T, ...), 49 joints; K windows with 2D only come first.
        targets: of the M windows.
        keypoints_2d: (K, T, 49, 3), or None for K = 0.
        fake_scores: (K + M, 1), the discriminator's on all generated windows, with gradients.
        weights: of the terms.

    Returns:
        TemporalLosses; minimise `.total`.

    Raises:
        PosebookError: shapes or counts that do not fit each other.
    """
    all_2d = targets.keypoints if keypoints_2d is None else torch.cat((keypoints_2d, targets.keypoints))
    _check(predicted, targets, all_2d)
    first = len(all_2d) - len(targets.keypoints)
    bodies = targets.has_body > 0  # (M, T)
    true = targets.theta[bodies]  # (S, 85)
    turned = axis_angle_to_matrix(true[:, 3:75].unflatten(1, (24, 3)))
    betas = predicted.theta[first:, ..., 75:][bodies]
    adversarial = all_2d.new_zeros(()) if fake_scores is None else generator_loss(fake_scores)
    return TemporalLosses(
        weights.keypoints * keypoint_error(predicted.kp_2d, all_2d),
        weights.joints * joint_error(predicted.kp_3d[first:], targets.joints, targets.has_joints),
        weights.shape * _mean_square(betas, true[:, 75:]),
        weights.pose * _mean_square(predicted.rotmat[first:][bodies], turned),
        weights.adversarial * adversarial,
    )


def keypoint_error(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean of conf (x - x*)^2: (..., J, 2) and (..., J, 3) -> scalar."""
    return (target[..., 2:] * (predicted - target[..., :2]).square()).mean()


def joint_error(predicted: Tensor, target: Tensor, present: Tensor) -> Tensor:
    """Mean square of the 14 common joints about their hips' mean, metres^2: (..., 49, 3) twice, (...) -> scalar."""
    chosen = present > 0
    pair = [_centred(joints[chosen][:, list(COMMON14_FROM_SPIN49)]) for joints in (predicted, target)]
    return _mean_square(*pair)


def generator_loss(fake_scores: Tensor) -> Tensor:
    """sum (D(fake) - 1)^2 / N, unweighted: (N, 1) -> scalar."""
    return (fake_scores - 1).square().sum() / len(fake_scores)


def discriminator_losses(real_scores: Tensor, fake_scores: Tensor, weight: float = 0.5) -> DiscriminatorLosses:
    """weight [sum (D(real) - 1)^2 / N_real, sum D(fake)^2 / N_fake].

    Args:
        real_scores: (N_real, 1) on recorded motion.
        fake_scores: (N_fake, 1) on detached generated motion: all windows, 2D and 3D.
        weight: of both terms.

    Returns:
        DiscriminatorLosses; minimise `.total`.
    """
    real = (real_scores - 1).square().sum() / len(real_scores)
    fake = fake_scores.square().sum() / len(fake_scores)
    return DiscriminatorLosses(weight * real, weight * fake)


def frame_targets(targets: BodyTargets, frame: int = 8, copies: int = 3) -> BodyTargets:
    """Targets of one frame of the window, repeated: TCMR's past, future and integrated vectors all answer for it."""
    return BodyTargets(*(frame_of(value, frame, copies) for value in targets))


def frame_of(values: Tensor, frame: int = 8, copies: int = 3) -> Tensor:
    """(N, T, ...) -> (N, copies, ...), `frame` over and over."""
    return values[:, frame : frame + 1].expand(-1, copies, *values.shape[2:])


def _centred(joints: Tensor) -> Tensor:
    return joints - joints[:, list(COMMON14_HIPS)].mean(1, keepdim=True)


def _mean_square(predicted: Tensor, target: Tensor) -> Tensor:
    # The sum of nothing keeps its place in the graph; the mean of nothing would be NaN.
    return (predicted - target).square().sum() / max(target.numel(), 1)


def _check(predicted: BodyOutput, targets: BodyTargets, all_2d: Tensor) -> None:
    windows, frames = all_2d.shape[:2]
    count = len(targets.keypoints)
    expected = {
        "predicted.theta": (predicted.theta, (windows, frames, 85)),
        "predicted.kp_2d": (predicted.kp_2d, (windows, frames, 49, 2)),
        "predicted.kp_3d": (predicted.kp_3d, (windows, frames, 49, 3)),
        "predicted.rotmat": (predicted.rotmat, (windows, frames, 24, 3, 3)),
        "keypoints": (all_2d, (windows, frames, 49, 3)),
        "targets.joints": (targets.joints, (count, frames, 49, 3)),
        "targets.theta": (targets.theta, (count, frames, 85)),
        "targets.has_joints": (targets.has_joints, (count, frames)),
        "targets.has_body": (targets.has_body, (count, frames)),
    }
    for name, (value, shape) in expected.items():
        if tuple(value.shape) != shape:
            raise PosebookError(
                f"{name}: expected {shape} for {windows - count} windows with 2D and then {count} with 3D, "
                f"got {tuple(value.shape)}."
            )
