"""The picture terms of the loss: pose reader and adversary. Source: specs/selfsup.md 2.3."""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

PICTURE_SHARE = 0.1  # lambda of L_Omega


class PictureLosses(NamedTuple):
    """Unweighted picture terms, scalars."""

    skeleton: Tensor  # L_Omega
    adversarial: Tensor  # L_adv of the painter


def skeleton_loss(read: Tensor, points: Tensor, redrawn: Tensor, painted: Tensor,
                  share: float = PICTURE_SHARE) -> Tensor:  # fmt: skip
    """L_Omega = |Omega(k(u)) - u|^2 + 0.1 |k(Omega(s)) - s|^2, both as means over all numbers, as KeypointGAN's code.

    Args:
        read, points: (B, J, 2) Omega(k(u)) and u.
        redrawn, painted: (B, 1, S, S) k(Omega(s)) and s, both in [-1, 1].
        share: lambda.
    """
    return F.mse_loss(read, points) + share * F.mse_loss(redrawn, painted)
