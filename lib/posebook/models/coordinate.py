"""Coordinate-regression baseline: the volumetric network's trunk, but numbers instead of likelihoods at the end.

Source: specs/c2f.md section 2, last paragraph: the loss is stated (squared L2 on x, y, z), the head is from memory
("hourglass encoder + fully connected layers"), so its details here are ours.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.models.hourglass import HourglassConfig, check_image, make_neck
from posebook.models.hourglass_blocks import Hourglass, Residual, Stem


class CoordinateParts(NamedTuple):
    """Regressed coordinates in units."""

    pixels: Tensor  # (B, J, 2) pixels of the crop
    relative_depth: Tensor  # (B, J) metres, relative to the pelvis


class CoordinateRegressor(nn.Module):
    """Stem, one hourglass and its neck as in `StackedHourglass`, then 4x4 features, flattened, to J x 3 numbers.

    The map is reduced by (max-pool, residual) to 4x4 and flattened, not averaged globally: a global average throws
    away *where* a feature fires, which is the very thing to regress, and would make the baseline lose to volumes for a
    reason that the paper's comparison is not about. The same trunk as the volumetric nets is kept (names, shapes), so
    a pretrained trunk loads into both and the comparison is of the representation alone.

    Args:
        config: family, width, modules, levels, joints; `depths` is not used.
        image_size: pixels of the square input; fixes the number of reductions and the fully connected layer's size.
        hidden: width of the fully connected hidden layer.
    """

    reduced = 4  # cells of the flattened map

    def __init__(self, config: HourglassConfig, image_size: int, hidden: int = 512):
        super().__init__()
        grid = image_size // 4
        if grid < self.reduced or grid % self.reduced or (grid // self.reduced).bit_count() != 1:
            raise PosebookError(f"The coordinate network needs a side of 16, 32, 64, 128, 256.. px, got {image_size}.")
        self.config, self.image_size = config, image_size
        w = config.width
        features = w * (2 if config.family == "A" else 1)
        self.stem = Stem(config.family, w)
        self.hourglasses = nn.ModuleList([Hourglass(config.family, config.levels, w, w, config.modules)])
        self.necks = nn.ModuleList([make_neck(config, last=True)])
        halvings = (grid // self.reduced).bit_length() - 1
        steps = [m for _ in range(halvings) for m in (nn.MaxPool2d(2), Residual(features, features))]
        self.reduce = nn.Sequential(*steps, nn.Flatten())
        self.regress = nn.Sequential(
            nn.Linear(features * self.reduced**2, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, config.joints * 3)
        )

    def forward(self, image: Tensor) -> Tensor:
        """Regress coordinates.

        Args:
            image: (B, 3, S, S) RGB in [0, 1] with S = image_size.

        Returns:
            (B, J, 3): u, v in -1..1 across the crop, z in metres relative to the pelvis.

        Raises:
            PosebookError: if the image has another size than the network was built for.
        """
        check_image(image, self.config.levels)
        if tuple(image.shape[2:]) != (self.image_size, self.image_size):
            raise PosebookError(f"This network was built for {self.image_size} px, got {tuple(image.shape)}.")
        features = self.necks[0](self.hourglasses[0](self.stem(image)[0]))
        return self.regress(self.reduce(features)).unflatten(1, (self.config.joints, 3))


def coordinate_targets(pixels: Tensor, relative_depth: Tensor, size: int) -> Tensor:
    """u = 2 x / size - 1, v likewise, z as it is: (B, J, 2) pixels and (B, J) metres -> (B, J, 3).

    A crop is about 2 m wide, so the three numbers have nearly the same scale and the squared L2 loss weighs them alike.
    """
    return torch.cat((pixels * (2 / size) - 1, relative_depth.unsqueeze(-1)), dim=-1)


def split_coordinates(coordinates: Tensor, size: int) -> CoordinateParts:
    """Inverse of `coordinate_targets`: (B, J, 3) -> pixels of the crop and relative depth in metres."""
    return CoordinateParts((coordinates[..., :2] + 1) * (size / 2), coordinates[..., 2])


def coordinate_loss(prediction: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
    """Squared L2: mean over joints of |prediction - target|^2.

    Args:
        prediction: (B, J, 3) from the network.
        target: (B, J, 3) from `coordinate_targets`.
        valid: (B, J) bool; other joints do not count.

    Returns:
        Scalar.
    """
    square = (prediction - target).square().sum(-1)  # (B, J)
    if valid is None:
        return square.mean()
    return torch.where(valid, square, 0.0).sum() / valid.sum().clamp(min=1)
