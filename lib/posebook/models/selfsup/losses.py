"""The pose terms of the loss, their weights, and the groups that ablations take away. Source: specs/selfsup.md 2.3.

Each is a mean over the batch. The picture terms are posebook.models.selfsup.discriminator's and picture_losses'.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.models.selfsup.lift import Cycle
from posebook.models.selfsup.rotation import check_batch
from posebook.models.selfsup.structure import Structure

# Sosa and Hogg group three of the seven terms as L_base without the formulas we could read. The first is our reading
# (ElePose groups the same three), the second the other one that fits their text.
BASES = {
    "consistency": ("two_d", "three_d", "deformation"),
    "image": ("adversarial", "skeleton", "two_d"),
}


@dataclass(frozen=True)
class LossWeights:
    """Weights of the seven terms: ElePose's, KeypointGAN's for the adversarial one, ours for `skeleton`."""

    two_d: float = 1.0
    three_d: float = 1.0
    deformation: float = 1.0
    flow: float = 1.0
    bones: float = 50.0  # 1 / (2 0.1^2): a Gaussian of deviation 0.1 for every relative bone length
    skeleton: float = 1.0  # of the pose reader; its weight is not published
    adversarial: float = 10.0

    def without(self, name: str, base: str = "consistency") -> "LossWeights":
        """The weights with one term at 0, or with the three of `BASES[base]` for the name "base".

        Raises:
            PosebookError: an unknown name.
        """
        known = [field.name for field in fields(self)]
        if name not in (*known, "base") or base not in BASES:
            raise PosebookError(
                f"Unknown term {name!r} or base {base!r}; terms: {', '.join(known)} and base; "
                f"bases: {', '.join(BASES)}."
            )
        return replace(self, **dict.fromkeys(BASES[base] if name == "base" else (name,), 0.0))


class PoseLosses(NamedTuple):
    """Unweighted terms of a cycle, scalars, in units of posebook.models.selfsup.poses."""

    two_d: Tensor  # L_2D
    three_d: Tensor  # L_3D
    deformation: Tensor  # L_def
    flow: Tensor  # L_NF
    bones: Tensor  # L_bone


def pose_losses(cycle: Cycle, negative_log_likelihood: Callable[[Tensor], Tensor], structure: Structure) -> PoseLosses:
    """All five terms of a cycle.

    Args:
        cycle: from `run_cycle`.
        negative_log_likelihood: (B, J, 2) -> (B,), a `PosePrior`. It judges the *turned* pose.
        structure: links and mean bone lengths.

    Raises:
        PosebookError: a batch of one.
    """
    return PoseLosses(
        two_d(cycle.pose, cycle.pose_again),
        three_d(cycle.turned, cycle.turned_again),
        deformation(cycle.points, cycle.points_again),
        negative_log_likelihood(cycle.turned_pose).mean(),
        bones(cycle.points, structure),
    )


def two_d(pose: Tensor, pose_again: Tensor) -> Tensor:
    """L_2D = sum over 2 J numbers of |y' - y|; (B, J, 2) twice."""
    return (pose_again - pose).abs().sum((1, 2)).mean()


def three_d(points: Tensor, points_again: Tensor) -> Tensor:
    """L_3D = |V~ - V~'|, the norm over 3 J numbers, not squared; (B, J, 3) twice.

    ElePose takes it in the turned view, the paper's text in the first one: equal, since rotations keep norms.
    """
    return _norm(points - points_again).mean()


def deformation(points: Tensor, points_again: Tensor) -> Tensor:
    """L_def = |(V_a - V_b) - (V'_a - V'_b)| for samples a = 2k, b = 2k + 1; an odd last sample is left out.

    Args:
        points, points_again: (B, J, 3) V and V', both in the first view.

    Raises:
        PosebookError: a batch of one.
    """
    check_batch(len(points))
    moved = points - points_again
    pairs = len(points) // 2
    return _norm(moved[0 : 2 * pairs : 2] - moved[1 : 2 * pairs : 2]).mean()


def bones(points: Tensor, structure: Structure) -> Tensor:
    """L_bone = sum over links of (mu_n - b_n)^2, b_n a link's length over the mean of all; (B, J, 3)."""
    lengths = structure.bone_lengths(points)  # (B, links)
    wanted = torch.tensor(structure.bone_means, dtype=lengths.dtype, device=lengths.device)
    return (wanted - lengths / lengths.mean(1, keepdim=True)).square().sum(1).mean()


def weighted(losses: NamedTuple, weights: LossWeights) -> Tensor:
    """Sum of weight times term over the fields of a loss tuple; a term of weight 0 is left out, NaN or not."""
    terms = [(getattr(weights, name), term) for name, term in losses._asdict().items()]
    return sum((weight * term for weight, term in terms if weight), start=terms[0][1].new_zeros(()))


def _norm(points: Tensor) -> Tensor:
    return torch.linalg.vector_norm(points, dim=(1, 2))
