"""TCMR on a whole clip: a window around every frame, with what the windows have in common computed once.

Windows that overlap read the same features, so the products of layer 0 with its input are made once per frame of the
clip instead of once per frame of every window (they are most of layer 0's work); and of the last layer only the steps
up to the one that is read out are run. Hidden states depend on where a window starts and cannot be shared. All windows
go through a step together. Results are those of the network on each window, up to rounding.
Source: specs/vibe.md 1.4 and 3.2.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.models.hmr import BodyOutput
from posebook.models.tcmr import TCMR, TCMREncoder, TCMROutput


def clip_windows(frames: int, window: int = 16) -> Tensor:
    """Frames that each frame of a clip is predicted from: (frames, window), the frame itself in the middle.

    Frame t reads t - window // 2 .. t + (window - 1) // 2. Where that leaves the clip (the first 8 and the last 7
    frames), the window is the single frame, repeated: the official evaluation's padding. A clip that is shorter than a
    window has only such frames (the official scripts drop it).

    Raises:
        PosebookError: no frames.
    """
    if frames < 1 or window < 1:
        raise PosebookError(f"Expected at least one frame and a window of at least one, got {frames} and {window}.")
    centre = torch.arange(frames).unsqueeze(1)
    found = centre + torch.arange(window) - window // 2  # (T, window)
    inside = (found[:, :1] >= 0) & (found[:, -1:] < frames)
    return torch.where(inside, found, centre)


def tcmr_clip(network: TCMR, features: Tensor, J_regressor: Tensor | None = None, batch: int = 512,
              repeat_ends: bool = False) -> TCMROutput:  # fmt: skip
    """One body per frame of the clip.

    Args:
        network: in eval mode.
        features: (T, F), any T >= 1.
        J_regressor: see `IterativeHeads.regress`.
        batch: windows that are in memory at once.
        repeat_ends: windows that leave the clip go on with its first or last frame; False: as `clip_windows`.

    Returns:
        TCMROutput with leading dimension T.

    Raises:
        PosebookError: another shape; a network in training.
    """
    encoder = network.encoder
    if features.ndim != 2 or features.shape[1] != encoder.features or len(features) == 0:
        raise PosebookError(f"Expected features (T, {encoder.features}) with T >= 1, got {tuple(features.shape)}.")
    if network.training:
        raise PosebookError("tcmr_clip is for evaluation: call network.eval() first.")
    before, after = (encoder.middle, encoder.window - 1 - encoder.middle) if repeat_ends else (0, 0)
    own = slice(before, before + len(features))
    features = torch.cat((features[:1].expand(before, -1), features, features[-1:].expand(after, -1)))
    windows = clip_windows(len(features), encoder.window)[own].to(features.device)
    shared = _shared_products(encoder, features)
    parts = []
    for chosen in windows.split(batch):
        encoded = encoder.integrate(_last_states(encoder, shared, chosen), features[chosen[:, encoder.middle]])
        parts.append(TCMROutput(network.regressor(encoded.integrated, J_regressor=J_regressor), encoded.scores))
    scores = None if parts[0].scores is None else torch.cat([part.scores for part in parts])
    bodies = zip(*(part.body for part in parts), strict=True)
    return TCMROutput(BodyOutput(*(None if v[0] is None else torch.cat(v) for v in bodies)), scores)


class GruWeights(NamedTuple):
    """Weights of one direction of one layer of a GRU, in torch's order: reset, update, new."""

    input_weight: Tensor  # (3H, I)
    hidden_weight: Tensor  # (3H, H)
    input_bias: Tensor  # (3H,)
    hidden_bias: Tensor  # (3H,)

    def products(self, inputs: Tensor) -> Tensor:
        """(..., I) -> (..., 3H), the share of the gates that does not depend on the state."""
        return F.linear(inputs, self.input_weight, self.input_bias)


def gru_weights(gru: nn.GRU, layer: int, backward: bool = False) -> GruWeights:
    """Those of one direction of one layer."""
    end = f"_l{layer}{'_reverse' if backward else ''}"
    return GruWeights(*(getattr(gru, name + end) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")))


def gru_step(products: Tensor, state: Tensor | None, weights: GruWeights) -> Tensor:
    """h' = (1 - z) n + z h with r, z = sigmoid, n = tanh(W x + b + r (U h + c)), as torch.nn.GRU.

    Args:
        products: (N, 3H), `weights.products` of this step's input.
        state: (N, H), or None for zeros, which saves U h.
        weights: of the layer and direction.

    Returns:
        (N, H).
    """
    width = weights.hidden_weight.shape[1]
    if state is None:
        own = weights.hidden_bias
    else:
        own = F.linear(state, weights.hidden_weight, weights.hidden_bias)  # (N, 3H)
    gates = torch.sigmoid(products[:, : 2 * width] + own[..., : 2 * width])
    reset, update = gates[:, :width], gates[:, width:]
    new = torch.tanh(torch.addcmul(products[:, 2 * width :], reset, own[..., 2 * width :].expand_as(reset)))
    return new - update * new if state is None else torch.lerp(new, state, update)


def _shared_products(encoder: TCMREncoder, features: Tensor) -> dict[str, Tensor]:
    """Layer 0's input products of every frame of the clip, (T, 3H) each."""
    wanted = {"forward": gru_weights(encoder.gru_cur, 0), "backward": gru_weights(encoder.gru_cur, 0, True)}
    if encoder.pose_forecast:
        wanted |= {"past": gru_weights(encoder.gru_bef, 0), "future": gru_weights(encoder.gru_aft, 0)}
    return {name: weights.products(features) for name, weights in wanted.items()}


def _last_states(encoder: TCMREncoder, shared: dict[str, Tensor], windows: Tensor) -> list[Tensor]:
    """The states that the encoder reads out, for windows (N, window) of frame numbers."""
    columns, middle = windows.unbind(1), encoder.middle
    current = _current(encoder.gru_cur, shared, columns, middle)
    if not encoder.pose_forecast:
        return [current]
    past = _one_way(encoder.gru_bef, (shared["past"][c] for c in columns[:middle]))
    return [past, current, _one_way(encoder.gru_aft, (shared["future"][c] for c in columns[:middle:-1]))]


def _one_way(gru: nn.GRU, products: Iterable[Tensor]) -> Tensor:
    """Last state (N, H) of the last layer, from layer 0's products (N, 3H) of each step."""
    layers = [gru_weights(gru, layer) for layer in range(gru.num_layers)]
    states: list[Tensor | None] = [None] * len(layers)
    for step in products:
        for k, weights in enumerate(layers):
            states[k] = gru_step(step if k == 0 else weights.products(states[k - 1]), states[k], weights)
    return states[-1]


def _current(gru: nn.GRU, shared: dict[str, Tensor], columns: tuple[Tensor, ...], middle: int) -> Tensor:
    """States (N, 2H) of both directions of the last layer at the middle frame."""
    frames, last = range(len(columns)), gru.num_layers - 1
    products = [lambda t, way=way: shared[way][columns[t]] for way in ("forward", "backward")]
    for layer in range(last):
        weights = [gru_weights(gru, layer, backward) for backward in (False, True)]
        found = [_run(*pair, order) for *pair, order in zip(products, weights, (frames, frames[::-1]), strict=True)]
        inputs = [torch.cat([states[t] for states in found], 1) for t in frames]  # (N, 2H) each
        above = [gru_weights(gru, layer + 1, backward) for backward in (False, True)]
        products = [lambda t, inputs=inputs, w=w: w.products(inputs[t]) for w in above]
    needed = (frames[: middle + 1], frames[: middle - 1 : -1])  # of the last layer, each ending at the middle
    ends = [_run(p, gru_weights(gru, last, bool(k)), needed[k])[middle] for k, p in enumerate(products)]
    return torch.cat(ends, 1)


def _run(products: Callable[[int], Tensor], weights: GruWeights, order: Iterable[int]) -> dict[int, Tensor]:
    """One direction of one layer from a zero state: frame -> (N, H)."""
    state, states = None, {}
    for frame in order:
        state = states[frame] = gru_step(products(frame), state, weights)
    return states
