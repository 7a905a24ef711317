"""The discriminator of skeleton pictures: drawn poses are real, painted ones fake; and the adversarial losses.

Source: specs/selfsup.md 1.4 and 2.3 (KeypointGAN's PatchGAN at several scales).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.models.selfsup.pose_networks import initialise

LEAST_SIDE = 24  # of a picture, so that the last normalised map has more than one pixel
MOST_SCALES = 3
KINDS = ("lsgan", "log")


class PatchDiscriminator(nn.Module):
    """4x4 convolutions: three at stride 2, two at stride 1; one logit per patch.

    Args:
        width: channels of the first layer; 64 in the paper (2,762,689 parameters).
    """

    def __init__(self, width: int = 64):
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(1, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for i, stride in enumerate((2, 2, 1)):
            channels = width * 2**i
            layers += [nn.Conv2d(channels, 2 * channels, 4, stride, 1), nn.InstanceNorm2d(2 * channels)]
            layers.append(nn.LeakyReLU(0.2))
        self.layers = nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))
        initialise(self)

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 1, S, S) -> (B, 1, S/8 - 2, S/8 - 2)."""
        return self.layers(picture)


class Discriminator(nn.Module):
    """Independent patch discriminators of the picture at scales 1, 1/2, 1/4, as many as its size allows.

    Args:
        image_size: S, pixels; 128 has three scales, 64 two.
        width: of each.
        scales: None takes all that fit, at most three.

    Raises:
        PosebookError: a scale whose picture would be smaller than 24 pixels: a map of one pixel cannot be normalised.
    """

    def __init__(self, image_size: int = 128, width: int = 64, scales: int | None = None):
        super().__init__()
        fitting = [k for k in range(MOST_SCALES) if image_size // 2**k >= LEAST_SIDE]
        scales = len(fitting) if scales is None else scales
        if not 1 <= scales <= len(fitting):
            raise PosebookError(
                f"Pictures of {image_size} pixels allow {len(fitting)} scales (each side at least {LEAST_SIDE}), "
                f"{scales} asked for. Use larger pictures or fewer scales."
            )
        self.image_size = image_size
        self.copies = nn.ModuleList(PatchDiscriminator(width) for _ in range(scales))

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Judge pictures.

        Args:
            picture: (B, 1, S, S) in [-1, 1].

        Returns:
            Logits of each scale, (B, 1, h, h).

        Raises:
            PosebookError: a wrong shape.
        """
        if tuple(picture.shape[1:]) != (1, self.image_size, self.image_size):
            raise PosebookError(
                f"Expected pictures (B, 1, {self.image_size}, {self.image_size}), got {tuple(picture.shape)}."
            )
        scaled = [picture]
        for k in range(1, len(self.copies)):
            scaled.append(F.interpolate(picture, scale_factor=0.5**k, mode="bilinear"))
        return [copy(x) for copy, x in zip(self.copies, scaled, strict=True)]


def discriminator_loss(real: Sequence[Tensor], fake: Sequence[Tensor], kind: str = "lsgan") -> Tensor:
    """What the discriminator minimises, mean over patches, then over scales.

    "lsgan": (D(w) - 1)^2 / 2 + D(s)^2 / 2. "log": -log sigmoid D(w) - log(1 - sigmoid D(s)).

    Args:
        real, fake: logits of each scale for drawn pictures w and painted ones s.

    Raises:
        PosebookError: an unknown kind.
    """
    _check(kind)
    if kind == "lsgan":
        terms = [0.5 * (r - 1).square().mean() + 0.5 * f.square().mean() for r, f in zip(real, fake, strict=True)]
    else:
        terms = [F.softplus(-r).mean() + F.softplus(f).mean() for r, f in zip(real, fake, strict=True)]
    return torch.stack(terms).mean()


def painter_loss(fake: Sequence[Tensor], kind: str = "lsgan") -> Tensor:
    """L_adv of the painter. "lsgan": (D(s) - 1)^2. "log": -log sigmoid D(s), which the same D drives to the same point.

    Raises:
        PosebookError: an unknown kind.
    """
    _check(kind)
    terms = [(f - 1).square().mean() if kind == "lsgan" else F.softplus(-f).mean() for f in fake]
    return torch.stack(terms).mean()


class PicturePool(nn.Module):
    """A history of painted pictures: with probability 1/2 the discriminator sees an old one and the new one is kept.

    A buffer, so that a resumed training has it.

    Args:
        image_size: S.
        size: pictures kept; 50 in KeypointGAN. 0 passes everything through.
    """

    def __init__(self, image_size: int, size: int = 50):
        super().__init__()
        self.register_buffer("pictures", torch.zeros(size, 1, image_size, image_size))
        self.register_buffer("filled", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def forward(self, pictures: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Exchange some of (B, 1, S, S) for old ones; no gradient. The generator is on the pictures' device."""
        size = len(self.pictures)
        options = {"generator": generator, "device": pictures.device}
        old, places = torch.rand(len(pictures), **options) < 0.5, torch.rand(len(pictures), **options)
        shown = pictures.detach().clone()
        for i in range(len(pictures) if size else 0):
            filled = int(self.filled)
            if filled < size:
                self.pictures[filled] = pictures[i]
                self.filled += 1
            elif old[i]:
                place = int(places[i] * size)
                shown[i] = self.pictures[place]
                self.pictures[place] = pictures[i]
        return shown


def _check(kind: str) -> None:
    if kind not in KINDS:
        raise PosebookError(f"The adversarial loss must be one of {KINDS}, got {kind!r}.")
