"""TCMR: three GRUs over a window, one frame predicted, no short cut from that frame's own feature.

The current branch reads the whole window in both directions and is read out at the middle frame; the past branch reads
the frames before it, the future branch those after it from the end on; neither sees the middle frame. Weights from the
three vectors mix them. Source: specs/vibe.md 1.4.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.models.hmr import BodyOutput, Regressor

MIX = 3  # past, current, future: the order everywhere


class Encoded(NamedTuple):
    """What the encoder says of the middle frame of each window; all but `integrated` None without forecast."""

    past: Tensor | None  # (N, F)
    current: Tensor | None  # (N, F)
    future: Tensor | None  # (N, F)
    integrated: Tensor  # (N, F) what the regressor reads in the end
    scores: Tensor | None  # (N, 3) weights of past, current, future; sum 1


class TCMROutput(NamedTuple):
    """The network's answer."""

    body: BodyOutput  # leading dimensions (N,) in eval mode; (N, 3) in training: past, future, integrated
    scores: Tensor | None  # (N, 3) weights of past, current, future; None without forecast


class TemporalAttention(nn.Module):
    """s = softmax(MLP([fc(past), fc(current), fc(future)])), MLP = (linear, tanh) x 3.

    Args:
        features: F.
        size: width of fc and of the MLP.
    """

    def __init__(self, features: int = 2048, size: int = 256):
        super().__init__()
        self.fc = nn.Linear(features, size)
        self.attention = nn.Sequential(nn.Linear(MIX * size, size), nn.Tanh(), nn.Linear(size, size), nn.Tanh(),
                                       nn.Linear(size, MIX), nn.Tanh())  # fmt: skip

    def forward(self, vectors: Tensor) -> Tensor:
        """(N, 3, F) -> (N, 3) weights."""
        return self.attention(self.fc(vectors).flatten(1)).softmax(1)


class TCMREncoder(nn.Module):
    """Windows to the feature of their middle frame. 78.438 M parameters at the paper's sizes.

    Args:
        features: F.
        hidden: width of the GRUs, per direction.
        n_layers: of each GRU.
        window: frames; the middle one is window // 2.
        attention_size: see TemporalAttention.
        pose_forecast: False leaves the past and future branches and the mixing out (ablation).
        residual: add the middle frame's own feature to the result, as VIBE does (ablation: the paper does not).

    Raises:
        PosebookError: a window without a frame before and after its middle.
    """

    def __init__(self, features: int = 2048, hidden: int = 1024, n_layers: int = 2, window: int = 16,
                 attention_size: int = 256, pose_forecast: bool = True, residual: bool = False):  # fmt: skip
        super().__init__()
        if window < 3:
            raise PosebookError(f"A window needs a frame before and one after its middle; got {window} frames.")
        self.features, self.window, self.middle = features, window, window // 2
        self.pose_forecast, self.residual = pose_forecast, residual
        self.gru_cur = nn.GRU(features, hidden, n_layers, bidirectional=True)
        self.linear_cur = nn.Linear(2 * hidden, features)
        if pose_forecast:
            self.gru_bef, self.gru_aft = nn.GRU(features, hidden, n_layers), nn.GRU(features, hidden, n_layers)
            self.linear_bef, self.linear_aft = nn.Linear(hidden, features), nn.Linear(hidden, features)
            self.attention = TemporalAttention(features, attention_size)

    def forward(self, features: Tensor) -> Encoded:
        """Encode.

        Args:
            features: (N, window, F).

        Returns:
            Encoded.

        Raises:
            PosebookError: another shape.
        """
        if features.ndim != 3 or tuple(features.shape[1:]) != (self.window, self.features):
            raise PosebookError(f"Expected features (N, {self.window}, {self.features}), got {tuple(features.shape)}.")
        frames = features.transpose(0, 1)  # (window, N, F)
        states = [self.gru_cur(frames)[0][self.middle]]
        if self.pose_forecast:
            past = self.gru_bef(frames[: self.middle])[0][-1]
            states = [past, *states, self.gru_aft(frames[self.middle + 1 :].flip(0))[0][-1]]
        return self.integrate(states, frames[self.middle])

    def integrate(self, states: list[Tensor], frame: Tensor) -> Encoded:
        """Mix the branches.

        Args:
            states: last hidden states (N, hidden), (N, 2 hidden), (N, hidden) of past, current and future, or the
                current one alone.
            frame: (N, F), the middle frame's feature, read with `residual` only.

        Returns:
            Encoded.
        """
        if not self.pose_forecast:
            current = self.linear_cur(states[0].relu())
            return Encoded(None, None, None, current + frame if self.residual else current, None)
        linears = (self.linear_bef, self.linear_cur, self.linear_aft)
        vectors = torch.stack([f(x.relu()) for f, x in zip(linears, states, strict=True)], 1)  # (N, 3, F)
        scores = self.attention(vectors)
        mixed = (vectors * scores.unsqueeze(-1)).sum(1)
        return Encoded(*vectors.unbind(1), mixed + frame if self.residual else mixed, scores)


class TCMR(nn.Module):
    """The network, keys `encoder.*` and `regressor.*`; 81.907 M parameters at the paper's sizes.

    Args:
        regressor: SPIN's, usually with its trained weights; its feature size is F.
        hidden, n_layers, window, attention_size, pose_forecast, residual: see TCMREncoder.
    """

    def __init__(self, regressor: Regressor, hidden: int = 1024, n_layers: int = 2, window: int = 16,
                 attention_size: int = 256, pose_forecast: bool = True, residual: bool = False):  # fmt: skip
        super().__init__()
        self.encoder = TCMREncoder(regressor.features, hidden, n_layers, window, attention_size, pose_forecast,
                                   residual)  # fmt: skip
        self.regressor = regressor

    def forward(self, features: Tensor, J_regressor: Tensor | None = None) -> TCMROutput:
        """Windows to the body in their middle frame.

        Args:
            features: (N, window, F).
            J_regressor: see `IterativeHeads.regress`; ignored in training, as in the official code.

        Returns:
            TCMROutput. In training three bodies per window, from the past, the future and the integrated vector, all to
            be compared with the middle frame (`temporal_losses.frame_targets`); one body, from the integrated vector,
            in eval mode or without forecast, with a time axis of 1 in training.
        """
        encoded = self.encoder(features)
        if not self.training:
            return TCMROutput(self.regressor(encoded.integrated, J_regressor=J_regressor), encoded.scores)
        vectors = [encoded.integrated] if encoded.past is None else [encoded.past, encoded.future, encoded.integrated]
        stacked = torch.stack(vectors, 1)  # (N, 3 or 1, F)
        found = self.regressor(stacked.flatten(0, 1))
        return TCMROutput(found.unflatten(tuple(stacked.shape[:2])), encoded.scores)
