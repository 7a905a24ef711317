"""VIBE: a GRU over the features of a window, then SPIN's regressor on every frame. Source: specs/vibe.md 1.2.

The paper says bidirectional; the code and the released weights are unidirectional, which is the default here.
"""

import torch
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.models.hmr import HMR, BodyOutput, Regressor
from posebook.models.motion_discriminator import MotionDiscriminator

__all__ = ["VIBE", "MotionDiscriminator", "TemporalEncoder", "VIBEDemo", "vibe_clip"]


class TemporalEncoder(nn.Module):
    """y_t = x_t + linear(relu(gru(x)_t)); without the linear layer y = gru(x), and x is added if widths agree.

    Args:
        features: F, width of x.
        hidden: width of the GRU, per direction.
        n_layers: of the GRU.
        add_linear: back to width F; always there if bidirectional.
        bidirectional: two directions.
        use_residual: add x where the output has its width.

    `width` is that of the output.
    """

    def __init__(self, features: int = 2048, hidden: int = 1024, n_layers: int = 2, add_linear: bool = True,
                 bidirectional: bool = False, use_residual: bool = True):  # fmt: skip
        super().__init__()
        self.features = features
        self.gru = nn.GRU(features, hidden, n_layers, bidirectional=bidirectional)
        states = hidden * (2 if bidirectional else 1)
        self.linear = nn.Linear(states, features) if add_linear or bidirectional else None
        self.width = states if self.linear is None else features
        self.use_residual = use_residual and self.width == features

    def forward(self, features: Tensor) -> Tensor:
        """Encode windows, each from a zero state.

        Args:
            features: (N, T, F), any T >= 1.

        Returns:
            (N, T, width).

        Raises:
            PosebookError: another shape.
        """
        if features.ndim != 3 or features.shape[-1] != self.features or features.shape[1] < 1:
            raise PosebookError(f"Expected features (N, T, {self.features}), got {tuple(features.shape)}.")
        states = self.gru(features.transpose(0, 1))[0].transpose(0, 1)  # (N, T, H)
        if self.linear is not None:
            states = self.linear(states.relu())
        return states + features if self.use_residual else states


class VIBE(nn.Module):
    """The generator, keys `encoder.*` and `regressor.*`; 21.310 M parameters at the paper's sizes.

    Args:
        regressor: SPIN's, usually with its trained weights; its feature size is F.
        hidden, n_layers, add_linear, bidirectional, use_residual: see TemporalEncoder.

    Raises:
        PosebookError: an encoder whose width is not the regressor's.
    """

    def __init__(self, regressor: Regressor, hidden: int = 1024, n_layers: int = 2, add_linear: bool = True,
                 bidirectional: bool = False, use_residual: bool = True):  # fmt: skip
        super().__init__()
        self.encoder = TemporalEncoder(regressor.features, hidden, n_layers, add_linear, bidirectional, use_residual)
        if self.encoder.width != regressor.features:
            raise PosebookError(
                f"The encoder gives {self.encoder.width} numbers, the regressor reads {regressor.features}: pass "
                "add_linear=True, or hidden of that size."
            )
        self.regressor = regressor

    def forward(self, features: Tensor, J_regressor: Tensor | None = None) -> BodyOutput:
        """Windows to bodies.

        Args:
            features: (N, T, F).
            J_regressor: see `IterativeHeads.regress`.

        Returns:
            BodyOutput with leading dimensions (N, T).
        """
        encoded = self.encoder(features)
        found = self.regressor(encoded.flatten(0, 1), J_regressor=J_regressor)
        return found.unflatten(tuple(encoded.shape[:2]))


class VIBEDemo(VIBE):
    """VIBE from pictures: its own SPIN network in front, keys `hmr.*`, whose regressor is not used.

    Args:
        regressor: VIBE's.
        hmr: gives the features.
        options: VIBE's.
    """

    def __init__(self, regressor: Regressor, hmr: HMR, **options):
        super().__init__(regressor, **options)
        if hmr.features != regressor.features:
            raise PosebookError(f"hmr gives {hmr.features} features, the regressor reads {regressor.features}.")
        self.hmr = hmr

    def forward(self, images: Tensor, J_regressor: Tensor | None = None) -> BodyOutput:
        """(N, T, 3, H, W), normalised as HMR's -> BodyOutput with leading dimensions (N, T)."""
        if images.ndim != 5:
            raise PosebookError(f"Expected images (N, T, 3, H, W), got {tuple(images.shape)}.")
        features = self.hmr.feature_extractor(images.flatten(0, 1)).unflatten(0, tuple(images.shape[:2]))
        return super().forward(features, J_regressor)


def vibe_clip(network: VIBE, features: Tensor, window: int | None = 16,
              J_regressor: Tensor | None = None) -> BodyOutput:  # fmt: skip
    """A whole clip by VIBE's evaluation protocol: windows side by side, each from a zero state; all in one batch.

    Args:
        network: in eval mode.
        features: (T, F).
        window: frames; None takes the clip as one, as the official demo does.
        J_regressor: see `IterativeHeads.regress`.

    Returns:
        BodyOutput with leading dimension T. The rest of the clip is a shorter window (the official script drops it).

    Raises:
        PosebookError: another shape.
    """
    if features.ndim != 2 or len(features) == 0:
        raise PosebookError(f"Expected features (T, F) with T >= 1, got {tuple(features.shape)}.")
    if window is not None and window < 1:
        raise PosebookError(f"window must be at least 1 frame, got {window}.")
    length = len(features) if window is None else window
    whole = len(features) // length * length
    parts = [features[:whole].unflatten(0, (-1, length))] if whole else []
    parts += [features[None, whole:]] if whole < len(features) else []
    encoded = torch.cat([network.encoder(part).flatten(0, 1) for part in parts])  # (T, F)
    return network.regressor(encoded, J_regressor=J_regressor)
