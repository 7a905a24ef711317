"""The motion discriminator: does a sequence of poses look like recorded motion? Source: specs/vibe.md 1.3.

It sees body poses only, theta[..., 6:75]: no camera, no global orientation, and no betas (the paper's text says betas).
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm as spectrally_normed

from posebook.errors import PosebookError

POOLINGS = ("attention", "concat", "last")
BODY_POSE = slice(6, 75)  # of the 85 numbers


def body_pose(theta: Tensor) -> Tensor:
    """(..., 85) -> (..., 69) axis-angles of joints 1..23, what the discriminator reads."""
    if theta.shape[-1] != 85:
        raise PosebookError(f"theta: expected (..., 85), got {tuple(theta.shape)}.")
    return theta[..., BODY_POSE]


class Attended(NamedTuple):
    """A sequence summed up."""

    summary: Tensor  # (N, H) sum over time of weight times state
    weights: Tensor  # (N, T), sum 1


class SelfAttention(nn.Module):
    """w = softmax over time of MLP(h_t), summary = sum_t w_t h_t. MLP: (linear, tanh, dropout) x layers, last width 1.

    Args:
        width: H of the states.
        size: hidden width of the MLP.
        layers: of the MLP, 1 or more.
        dropout: in training; it also hits the final scores, as in the official code.
    """

    def __init__(self, width: int, size: int = 1024, layers: int = 3, dropout: float = 0.2):
        super().__init__()
        widths = [width, *(layers - 1) * [size], 1]
        parts = []
        for a, b in zip(widths[:-1], widths[1:], strict=True):
            linear = nn.Linear(a, b)
            nn.init.uniform_(linear.weight, -0.1, 0.1)
            nn.init.constant_(linear.bias, 0.01)
            parts += [linear, nn.Tanh(), nn.Dropout(dropout)]
        self.attention = nn.Sequential(*parts)

    def forward(self, states: Tensor) -> Attended:
        """(N, T, H) -> Attended."""
        scores = self.attention(states).squeeze(-1)  # (N, T): only the last axis, or N = 1 and T = 1 would vanish too
        weights = scores.softmax(1)
        return Attended((weights.unsqueeze(-1) * states).sum(1), weights)


class MotionDiscriminator(nn.Module):
    """GRU over time, pooling, one linear unit without activation (least-squares GAN).

    Args:
        pooling: "attention" (the paper's), "concat" (ReLU, mean and maximum over time), "last" (last state).
        hidden: width of the GRU.
        attention_size: hidden width of the attention's MLP.
        attention_layers: of that MLP.
        layers: of the GRU.
        inputs: numbers per frame.
        dropout: of the attention.
        spectral_norm: of the last layer.

    Raises:
        PosebookError: an unknown pooling.

    11.763 M parameters at the paper's sizes.
    """

    def __init__(self, pooling: str = "attention", hidden: int = 1024, attention_size: int = 1024,
                 attention_layers: int = 3, layers: int = 2, inputs: int = 69, dropout: float = 0.2,
                 spectral_norm: bool = False):  # fmt: skip
        super().__init__()
        if pooling not in POOLINGS:
            raise PosebookError(f"pooling must be one of {', '.join(POOLINGS)}, got {pooling!r}.")
        self.pooling, self.inputs = pooling, inputs
        self.gru = nn.GRU(inputs, hidden, layers)
        if pooling == "attention":
            self.attention = SelfAttention(hidden, attention_size, attention_layers, dropout)
        fc = nn.Linear(hidden * (2 if pooling == "concat" else 1), 1)
        self.fc = spectrally_normed(fc) if spectral_norm else fc

    def forward(self, poses: Tensor) -> Tensor:
        """Score sequences.

        Args:
            poses: (N, T, 69) axis-angles, radians; N and T may be 1.

        Returns:
            (N, 1): trained towards 1 for recorded and 0 for generated motion.

        Raises:
            PosebookError: another shape.
        """
        if poses.ndim != 3 or poses.shape[-1] != self.inputs or poses.shape[1] < 1:
            raise PosebookError(f"Expected poses (N, T, {self.inputs}) with T >= 1, got {tuple(poses.shape)}.")
        states = self.gru(poses.transpose(0, 1))[0]  # (T, N, H)
        return self.fc(self._pool(states))

    def _pool(self, states: Tensor) -> Tensor:
        if self.pooling == "attention":
            return self.attention(states.transpose(0, 1)).summary
        if self.pooling == "last":
            return states[-1]
        states = states.relu()
        return torch.cat((states.mean(0), states.amax(0)), 1)
