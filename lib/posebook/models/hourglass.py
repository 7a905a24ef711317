"""Stacked hourglass networks that predict one likelihood volume per joint and stack (C2F).

3D is never a 3D convolution: depth bins are channels of a 2D network, channel = joint * depth + bin, and the volumes
returned are (B, J, D, H/4, W/4) views of (B, J*D, H/4, W/4). Source: specs/c2f.md sections 2 and 3.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.models.hourglass_blocks import Hourglass, Stem, lin, residuals


@dataclass(frozen=True)
class HourglassConfig:
    """Shape of a stacked hourglass; the defaults are spec B, m = 1 with two stacks."""

    family: str = "B"  # "A": hg-stacked-2/3/4 of the paper; "B": the uniform hourglass
    depths: tuple[int, ...] = (1, 64)  # depth bins of each stack's volume; its length is the number of stacks
    modules: int = 1  # m, residuals per place in family B (Torch7 code 3, Newell's 1); A has none to choose
    joints: int = 17
    width: int = 256  # features inside the hourglass; the stem has width/4 and width/2, family A also 2 width
    levels: int = 4  # poolings inside one hourglass; see `levels_for`

    def __post_init__(self):
        if self.family not in ("A", "B"):
            raise PosebookError(f"Hourglass family must be 'A' or 'B', got {self.family!r}.")
        if not self.depths or any(d < 1 for d in self.depths):
            raise PosebookError(f"depths must be one positive bin count per stack, e.g. (1, 64); got {self.depths}.")
        if self.width < 4 or self.width % 4:
            raise PosebookError(f"Hourglass width must be a multiple of 4 (the stem has width/4), got {self.width}.")
        if min(self.modules, self.joints, self.levels) < 1:
            raise PosebookError(f"modules, joints and levels must be at least 1, got {self}.")


class HourglassFeatures(NamedTuple):
    """Volumes of every stack and the features under the last head."""

    volumes: list[Tensor]  # one (B, J, D_i, H/4, W/4) per stack
    features: Tensor  # (B, width or 2 width, H/4, W/4)


def levels_for(image_size: int) -> int:
    """Poolings for a square image: as many as keep the smallest map at 2 cells or more, at most the papers' 4."""
    levels = 0
    while levels < 4 and (image_size // 4) >> (levels + 1) >= 2:
        levels += 1
    if levels == 0:
        raise PosebookError(f"An hourglass needs an image of at least 16 px, got {image_size}.")
    return levels


def check_image(image: Tensor, levels: int) -> None:
    """Refuse images the hourglass cannot halve evenly."""
    step = 4 * 2**levels
    if image.ndim != 4 or image.shape[1] != 3 or image.shape[2] % step or image.shape[3] % step:
        raise PosebookError(
            f"Expected images (B, 3, H, W) with H and W divisible by {step} ({levels} levels), got "
            f"{tuple(image.shape)}; resize the crop or choose levels with levels_for(size)."
        )
    if not image.is_floating_point():
        raise PosebookError(f"Expected floating-point images in [0, 1], got {image.dtype}; divide uint8 by 255.")


def make_neck(config: HourglassConfig, last: bool) -> nn.Sequential:
    """Between hourglass and head. A: two lin, the second narrows except in the last stack; B: residuals and one lin."""
    w = config.width
    if config.family == "A":
        return nn.Sequential(lin(2 * w, 2 * w), lin(2 * w, 2 * w if last else w))
    return nn.Sequential(residuals(*((w,) * (config.modules + 1))), lin(w, w))


def _width_in(config: HourglassConfig, stack: int) -> int:
    """Channels entering a stack. A: P (w/2) joins the first re-feed, the previous w features the later ones."""
    if config.family == "B" or stack == 0:
        return config.width
    return config.width + (config.width // 2 if stack == 1 else config.width)


class StackedHourglass(nn.Module):
    """Coarse-to-fine ("coupled") network: features and heat maps of each stack go into the next.

        A: x_{i+1} = conv([l_i, q_i]) + conv(heat_i),  q_1 = P, q_i = l_{i-1}   (its own input x_i is not added)
        B: x_{i+1} = x_i + conv(l_i) + conv(heat_i)

    Args:
        config: family, depths per stack, widths.

    Source: specs/c2f.md section 2; parameter counts and GFLOP of its cost table are tests.
    """

    def __init__(self, config: HourglassConfig):
        super().__init__()
        self.config = config
        c, n = config, len(config.depths)
        outputs = [c.joints * d for d in c.depths]
        widths = [_width_in(c, i) for i in range(n)]
        features = [2 * c.width if c.family == "A" and i == n - 1 else c.width for i in range(n)]
        merged = [w if c.family == "A" else c.width for w in widths[1:]]
        self.stem = Stem(c.family, c.width)
        self.hourglasses = nn.ModuleList(Hourglass(c.family, c.levels, w, c.width, c.modules) for w in widths)
        self.necks = nn.ModuleList(make_neck(c, last=i == n - 1) for i in range(n))
        self.heads = nn.ModuleList(nn.Conv2d(f, o, 1) for f, o in zip(features, outputs, strict=True))
        self.merge_features = nn.ModuleList(nn.Conv2d(w, w, 1) for w in merged)
        self.merge_heat = nn.ModuleList(nn.Conv2d(o, w, 1) for o, w in zip(outputs[:-1], merged, strict=True))

    def forward(self, image: Tensor) -> list[Tensor]:
        """Predict the volumes of all stacks.

        Args:
            image: (B, 3, H, W) RGB in [0, 1], no mean subtraction.

        Returns:
            One volume (B, J, D_i, H/4, W/4) per stack.

        Raises:
            PosebookError: if the image cannot be halved evenly `levels` times after the stem.
        """
        return self.forward_features(image).volumes

    def forward_features(self, image: Tensor) -> HourglassFeatures:
        """As `forward`, with the last stack's features (input of its head) beside the volumes."""
        check_image(image, self.config.levels)
        x, previous = self.stem(image)
        volumes, last = [], len(self.heads) - 1
        for i, (hourglass, neck, head) in enumerate(zip(self.hourglasses, self.necks, self.heads, strict=True)):
            features = neck(hourglass(x))
            heat = head(features)  # (B, J*D_i, H/4, W/4)
            volumes.append(heat.unflatten(1, (self.config.joints, self.config.depths[i])))
            if i < last:
                x, previous = self._refeed(i, x, features, previous, heat), features
        return HourglassFeatures(volumes, features)

    def _refeed(self, i: int, x: Tensor, features: Tensor, previous: Tensor, heat: Tensor) -> Tensor:
        if self.config.family == "A":
            return self.merge_features[i](torch.cat((features, previous), dim=1)) + self.merge_heat[i](heat)
        return x + self.merge_features[i](features) + self.merge_heat[i](heat)


class DecoupledHourglass(nn.Module):
    """Two-step network: image -> 2D heat maps -> volume; the second hourglass sees the heat maps alone.

        heat = H_1(image),   volume = H_2(conv(heat))

    Args:
        config: depths must be (1, d).
        detach: True (default) trains two separate steps, the volume's loss does not reach the 2D network; False trains
            end to end.

    Source: specs/c2f.md section 3 (from memory of the paper, low confidence in details: the 1x1 convolution that lifts
    the heat maps to the hourglass's width is ours).
    """

    def __init__(self, config: HourglassConfig, detach: bool = True):
        super().__init__()
        if len(config.depths) != 2 or config.depths[0] != 1:
            raise PosebookError(f"The decoupled network needs depths (1, d): 2D maps, volume; got {config.depths}.")
        self.config, self.detach = config, detach
        c, features = config, config.width * (2 if config.family == "A" else 1)
        self.stem = Stem(c.family, c.width)
        self.hourglasses = nn.ModuleList(Hourglass(c.family, c.levels, c.width, c.width, c.modules) for _ in range(2))
        self.necks = nn.ModuleList(make_neck(c, last=True) for _ in range(2))
        self.heads = nn.ModuleList(nn.Conv2d(features, c.joints * d, 1) for d in c.depths)
        self.lift = nn.Conv2d(c.joints, c.width, 1)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Predict [2D heat maps (B, J, 1, H/4, W/4), volume (B, J, D, H/4, W/4)] from (B, 3, H, W) in [0, 1]."""
        check_image(image, self.config.levels)
        heat = self.heads[0](self.necks[0](self.hourglasses[0](self.stem(image)[0])))  # (B, J, H/4, W/4)
        return [heat.unsqueeze(2), self.volume_from_heat(heat.detach() if self.detach else heat)]

    def volume_from_heat(self, heat: Tensor) -> Tensor:
        """Second step alone, (B, J, H, W) -> (B, J, D, H, W); it can be trained on synthetic heat maps."""
        volume = self.heads[1](self.necks[1](self.hourglasses[1](self.lift(heat))))
        return volume.unflatten(1, (self.config.joints, self.config.depths[1]))


def trunk_keys(model: nn.Module) -> list[str]:
    """State-dict keys (weights and BN statistics) before the first head that every variant shares.

    They are equal, in name and shape, for all networks of one family, width, m and levels, whatever their stacks and
    depths, and for the decoupled and coordinate networks. In family A the second `lin` is left out: its width depends
    on whether the stack is the last one.
    """
    neck = "necks.0.0." if model.config.family == "A" else "necks.0."
    return [k for k in model.state_dict() if k.startswith(("stem.", "hourglasses.0.", neck))]


def trunk_state(model: nn.Module) -> dict[str, Tensor]:
    """Detached tensors of `trunk_keys`, ready for safetensors."""
    state = model.state_dict()
    return {k: state[k].detach() for k in trunk_keys(model)}


def load_trunk_state(model: nn.Module, state: dict[str, Tensor]) -> None:
    """Copy a trunk into a network in place; names and shapes must match exactly.

    Raises:
        PosebookError: if the trunk belongs to another family, width, m or number of levels.
    """
    own = trunk_state(model)
    wrong = sorted(k for k in own.keys() | state.keys() if k not in own or k not in state)
    wrong += [f"{k} {tuple(state[k].shape)} for {tuple(v.shape)}" for k, v in own.items()
              if k in state and state[k].shape != v.shape]  # fmt: skip
    if wrong:
        raise PosebookError(
            f"The trunk does not fit this network ({model.config}): {len(wrong)} entries differ, first {wrong[:3]}. "
            "Use a trunk of the same family, width, modules and levels, or init='scratch'."
        )
    model.load_state_dict(dict(state), strict=False)
