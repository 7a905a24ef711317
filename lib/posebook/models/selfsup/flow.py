"""A normalising flow of affine couplings: x -> z with z standard normal and an exact density of x.

log p(x) = log N(z; 0, 1) + log|det dz/dx|. Eight equal blocks in the paper. The parameter names and numbers are
FrEIA's `AllInOneBlock`, so weights made with it load. Source: specs/selfsup.md 1.7 and 4.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posebook.errors import PosebookError

CLAMP = 2.0  # of log-scales
SOFTNESS = 0.5  # beta of the global scale's softplus


class Mapped(NamedTuple):
    """One direction of a flow."""

    values: Tensor  # (B, K)
    log_det: Tensor  # (B,) log |det| of the Jacobian of this direction


class AffineCoupling(nn.Module):
    """y = Q (g [x1, x2 exp(s) + t] + c), where s and t are a network's function of x1 and Q a fixed rotation.

    o = 0.1 W2 relu(W1 x1 + b1) + ..., s = 2 tanh(first half of o), t = second half; g = 0.1 softplus(a) > 0;
    log|det| = sum s + sum log g.

    Args:
        count: K; x1 has ceil(K / 2) numbers.
        hidden: units of the network.
        generator: for Q; torch's own if None.
    """

    def __init__(self, count: int, hidden: int, generator: torch.Generator | None = None):
        super().__init__()
        self.kept = count - count // 2
        moved = count - self.kept
        self.subnet = nn.Sequential(nn.Linear(self.kept, hidden), nn.ReLU(), nn.Linear(hidden, 2 * moved))
        self.global_scale = nn.Parameter(torch.full((1, count), math.log(math.exp(10 * SOFTNESS) - 1) / SOFTNESS))
        self.global_offset = nn.Parameter(torch.zeros(1, count))
        rotation = random_rotation(count, generator)
        self.register_buffer("w_perm", rotation)
        self.register_buffer("w_perm_inv", rotation.T.contiguous())

    def forward(self, x: Tensor) -> Mapped:
        """(B, K) -> (B, K) and log|det| (B,)."""
        still, moved = x.split([self.kept, x.shape[1] - self.kept], 1)
        log_scale, shift = self.coefficients(still)
        scale = self.scale()
        mixed = torch.cat((still, moved * log_scale.exp() + shift), 1) * scale + self.global_offset
        return Mapped(mixed @ self.w_perm.T, log_scale.sum(1) + scale.log().sum())

    def inverse(self, y: Tensor) -> Mapped:
        """(B, K) -> (B, K) and log|det| of the inverse (B,)."""
        scale = self.scale()
        mixed = (y @ self.w_perm_inv.T - self.global_offset) / scale
        still, moved = mixed.split([self.kept, y.shape[1] - self.kept], 1)
        log_scale, shift = self.coefficients(still)
        back = torch.cat((still, (moved - shift) * (-log_scale).exp()), 1)
        return Mapped(back, -log_scale.sum(1) - scale.log().sum())

    def coefficients(self, still: Tensor) -> tuple[Tensor, Tensor]:
        """log-scale and shift of the moved half, each (B, K - kept)."""
        log_scale, shift = (0.1 * self.subnet(still)).chunk(2, 1)
        return CLAMP * log_scale.tanh(), shift

    def scale(self) -> Tensor:
        """g (1, K), positive."""
        return 0.1 * F.softplus(self.global_scale, beta=SOFTNESS)


class Flow(nn.Module):
    """Affine couplings one after the other.

    Args:
        count: K, numbers per sample, at least 2.
        blocks: 8 in the paper.
        hidden: units in each block's network; 1024 in the paper.
        seed: of the fixed rotations.

    Raises:
        PosebookError: fewer than two numbers.
    """

    def __init__(self, count: int = 26, blocks: int = 8, hidden: int = 1024, seed: int = 0):
        super().__init__()
        if count < 2:
            raise PosebookError(f"A coupling needs at least 2 numbers to split, got {count}.")
        self.count = count
        generator = torch.Generator().manual_seed(seed)
        self.module_list = nn.ModuleList(AffineCoupling(count, hidden, generator) for _ in range(blocks))

    def forward(self, x: Tensor) -> Mapped:
        """Data to latent: (B, K) -> z (B, K) and log|det dz/dx| (B,)."""
        return self._run(x, [block.forward for block in self.module_list])

    def inverse(self, z: Tensor) -> Mapped:
        """Latent to data: (B, K) -> x (B, K) and log|det dx/dz| (B,)."""
        return self._run(z, [block.inverse for block in reversed(self.module_list)])

    def _run(self, values: Tensor, steps: list) -> Mapped:
        if values.ndim != 2 or values.shape[1] != self.count:
            raise PosebookError(f"Expected (B, {self.count}), got {tuple(values.shape)}.")
        log_det = values.new_zeros(len(values))
        for step in steps:
            values, change = step(values)
            log_det = log_det + change
        return Mapped(values, log_det)


def random_rotation(count: int, generator: torch.Generator | None = None) -> Tensor:
    """Uniformly drawn rotation (count, count), determinant +1."""
    q, r = torch.linalg.qr(torch.randn(count, count, generator=generator, dtype=torch.float64))
    q = q * r.diagonal().sign()
    if torch.linalg.det(q) < 0:
        q[:, 0] = -q[:, 0]
    return q.float()
