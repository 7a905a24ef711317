"""Training steps from 2D poses: the prior first, then the lifter with the prior frozen (ElePose's stage).

Both fit `posebook.train.fit`::

    fit(prior, lambda model, rows, generator: prior_step(model, poses[rows]), ...)
    model = LiftingModel(Lifter(), prior)
    fit(model, lambda model, rows, generator: model(poses[rows], generator).total, ...)
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.models.selfsup.lift import Cycle, lift, run_cycle
from posebook.models.selfsup.lifter import Lifter
from posebook.models.selfsup.losses import LossWeights, PoseLosses, pose_losses, weighted
from posebook.models.selfsup.poses import check_shape
from posebook.models.selfsup.prior import PosePrior
from posebook.models.selfsup.readings import Readings
from posebook.models.selfsup.rotation import ViewNoise, check_batch, draw_noise, second_views


class LiftingStep(NamedTuple):
    """One step's terms."""

    losses: PoseLosses  # unweighted
    total: Tensor  # weighted sum, to minimise
    cycle: Cycle


def prior_step(prior: nn.Module, poses: Tensor) -> Tensor:
    """Mean negative log-likelihood of normalised poses (B, J, 2): what the prior minimises, a scalar."""
    return prior(poses).mean()


def lifting_step(lifter: nn.Module, prior: PosePrior, poses: Tensor, noise: ViewNoise,
                 weights: LossWeights | None = None, readings: Readings | None = None) -> LiftingStep:  # fmt: skip
    """One cycle and its losses.

    Args:
        lifter: (B, J, 2) -> Lifted.
        prior: trained and frozen; names the structure.
        poses: (B, J, 2) normalised.
        noise: of B views, from `draw_noise`.
        weights: LossWeights() if None.
        readings: Readings() if None.

    Raises:
        PosebookError: wrong shapes, a batch of one.
    """
    weights, readings = weights or LossWeights(), readings or Readings()
    check_shape(poses, prior.structure)
    check_batch(len(poses))
    views = lambda angle: second_views(angle, noise, readings.elevation, readings.composition)  # noqa: E731
    cycle = run_cycle(lifter, poses, views, prior.structure.root)
    losses = pose_losses(cycle, prior, prior.structure)
    return LiftingStep(losses, weighted(losses, weights), cycle)


class LiftingModel(nn.Module):
    """Lifter and frozen prior as one module for a training loop.

    Args:
        lifter: of the prior's joints.
        prior: trained; its weights are frozen here.
        weights, readings: of the losses.

    Raises:
        PosebookError: a lifter of another joint count.
    """

    def __init__(self, lifter: Lifter, prior: PosePrior, weights: LossWeights | None = None,
                 readings: Readings | None = None):  # fmt: skip
        super().__init__()
        if lifter.num_joints != len(prior.structure.joints):
            raise PosebookError(
                f"The lifter has {lifter.num_joints} joints, the prior {len(prior.structure.joints)} "
                f"({prior.structure.joints.name}); make Lifter({len(prior.structure.joints)}) or another prior."
            )
        self.lifter, self.prior = lifter, prior.requires_grad_(False)
        self.weights, self.readings = weights or LossWeights(), readings or Readings()

    def forward(self, poses: Tensor, generator: torch.Generator | None = None) -> LiftingStep:
        """One step on normalised poses (B, J, 2) with fresh views."""
        noise = ViewNoise(*(part.to(poses) for part in draw_noise(len(poses), generator)))
        return lifting_step(self.lifter, self.prior, poses, noise, self.weights, self.readings)

    @torch.no_grad()
    def predict(self, poses: Tensor) -> Tensor:
        """Lift normalised poses (B, J, 2) to root-centred points (B, J, 3) in units of the set's scale."""
        return lift(poses, self.lifter(poses).depth, self.prior.structure.root)
