"""One trunk, four ways to say where the vertices are: numbers, three lines, a picture and a line, or a volume.

All answers are (B, V, 3) in heat-map units (posebook.models.i2l.units), so that the same losses teach all of them. The
fifth way is body parameters. Source: specs/i2l.md 1.4 and 5.3; the heads
other than the lixel one are ours, made of the same layers.

Numbers per picture: coordinates 3 V; lixel 3 V b; pixel + z V (b^2 + b); voxel V b^3, with b bins along each axis.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.models.i2l.lixel import LixelHead, UpsampledHead, lixel_coordinates, soft_argmax
from posebook.models.i2l.param_regressor import BodyParameters
from posebook.models.resnet import ResNet
from posebook.rotations import matrix_to_axis_angle, matrix_to_rotation_6d, rotation_6d_to_matrix

REPRESENTATIONS = ("coordinates", "lixel", "pixel+z", "voxel")
CELLS = 2  # side of the map that the coordinate head reads: a global mean would throw away *where* a feature fires


class CoordinateHead(nn.Module):
    """The trunk's last map, on 2 x 2 cells, through one hidden layer to offsets from a mean mesh.

    Args:
        mean: (V, 3) heat-map units, the training mean: a silent head says "an average person".
        channels: of the trunk's last map.
        hidden: of the hidden layer.
        bins: offsets are in half boxes, bins / 2.
    """

    def __init__(self, mean: Tensor, channels: int, hidden: int = 1024, bins: int = 64):
        super().__init__()
        self.scale = bins / 2
        self.register_buffer("mean", mean.detach().clone().float())
        self.fc = nn.Sequential(nn.Linear(channels * CELLS**2, hidden), nn.BatchNorm1d(hidden), nn.ReLU(inplace=True),
                                nn.Linear(hidden, mean.numel()))  # fmt: skip
        nn.init.normal_(self.fc[-1].weight, std=0.001)
        nn.init.zeros_(self.fc[-1].bias)

    def forward(self, features: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, V, 3) heat-map units."""
        cells = F.adaptive_avg_pool2d(features, CELLS).flatten(1)
        return self.mean + self.scale * self.fc(cells).unflatten(1, self.mean.shape)


class LixelCoordinates(LixelHead):
    """MeshNet's head, read out: (B, channels, h, w) -> (B, V, 3) heat-map units."""

    def forward(self, features: Tensor) -> Tensor:
        """Soft-argmax of the three lines; `lixels` has the lines themselves."""
        return lixel_coordinates(self.lixels(features))

    def lixels(self, features: Tensor):
        """Logits (B, V, bins) per axis."""
        return super().forward(features)


class PixelHead(UpsampledHead):
    """One heat map on the picture plane per vertex, and a z line: (B, V, bins, bins) and (B, V, bins).

    Args:
        points: V. channels, hidden, bins, doublings: see UpsampledHead.
    """

    def __init__(self, points: int, channels: int = 2048, hidden: int = 256, bins: int = 64, doublings: int = 3):
        super().__init__(channels, hidden, bins, doublings)
        self.conv_xy = nn.Conv2d(hidden, points, 1)
        self.conv_z_1, self.conv_z_2 = self.depth_branch(channels, points)

    def forward(self, features: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, V, 3) heat-map units."""
        logits = self.conv_xy(self.plane(features))  # (B, V, bins, bins)
        z = soft_argmax(self.conv_z_2(self.depth_lines(features)))
        return torch.cat((expected_index(logits, 2), z.unsqueeze(-1)), -1)


class VoxelHead(UpsampledHead):
    """One volume per vertex, (B, V, bins, bins, bins), as V * bins channels of the upsampled map.

    Args:
        points: V. channels, hidden, bins, doublings: see UpsampledHead.
    """

    def __init__(self, points: int, channels: int = 2048, hidden: int = 256, bins: int = 8, doublings: int = 3):
        super().__init__(channels, hidden, bins, doublings)
        self.points = points
        self.conv_xyz = nn.Conv2d(hidden, points * bins, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, V, 3) heat-map units."""
        return expected_index(self.volumes(features), 3)

    def volumes(self, features: Tensor) -> Tensor:
        """Logits (B, V, D, H, W)."""
        return self.conv_xyz(self.plane(features)).unflatten(1, (self.points, self.bins))


def expected_index(logits: Tensor, dims: int) -> Tensor:
    """Expected cell index under one softmax over the last `dims` axes, x first.

    Args:
        logits: (..., H, W) or (..., D, H, W).
        dims: 2 or 3.

    Returns:
        (..., dims) in 0..side - 1; half precision becomes float32.
    """
    logits = logits if logits.dtype == torch.float64 else logits.float()
    sides = [torch.arange(n, device=logits.device, dtype=logits.dtype) for n in logits.shape[-dims:]]
    grid = torch.stack(torch.meshgrid(*sides, indexing="ij")[::-1], -1).flatten(0, -2)  # (cells, dims), x first
    with torch.autocast(logits.device.type, enabled=False):  # it would round to a quarter of a cell
        return logits.flatten(-dims).softmax(-1) @ grid


class MeshNetwork(nn.Module):
    """A trunk and one head: picture -> mesh in heat-map units.

    Args:
        trunk: a `ResNet`; images are RGB in [0, 1].
        head: takes the trunk's last map.
    """

    def __init__(self, trunk: ResNet, head: nn.Module):
        super().__init__()
        self.trunk, self.head = trunk, head

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, V, 3) heat-map units."""
        return self.head(self.trunk(image).stride32)


class ParameterNetwork(nn.Module):
    """A trunk and one layer: picture -> body parameters, as offsets from the training mean.

    Args:
        trunk: a `ResNet`.
        betas: (S,) mean shape.
        rotations: (R, 3, 3) mean rotation matrices relative to the parent; two columns are used.
    """

    def __init__(self, trunk: ResNet, betas: Tensor, rotations: Tensor):
        super().__init__()
        self.trunk = trunk
        self.register_buffer("mean", torch.cat((matrix_to_rotation_6d(rotations).flatten(), betas)).float())
        self.head = nn.Linear(trunk.out_channels, len(self.mean))
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)
        self.rotations = len(rotations)

    def forward(self, image: Tensor) -> BodyParameters:
        """(B, 3, S, S) -> BodyParameters."""
        numbers = self.mean + self.head(self.trunk(image).pooled)
        rotations = rotation_6d_to_matrix(numbers[:, : 6 * self.rotations].unflatten(1, (-1, 6)))
        pose = matrix_to_axis_angle(rotations)
        return BodyParameters(rotations, pose.flatten(1), numbers[:, 6 * self.rotations :])


def make_head(name: str, points: int, channels: int, cells: int, bins: int, hidden: int, mean: Tensor | None = None,
              hidden_fc: int = 1024) -> nn.Module:  # fmt: skip
    """A head by the name of its representation.

    Args:
        name: one of REPRESENTATIONS.
        points: V.
        channels, cells: of the trunk's last map, and its side.
        bins: along each axis, cells * 2^n.
        hidden: channels of the upsampled map.
        mean: (V, 3) heat-map units, for "coordinates".
        hidden_fc: hidden layer of "coordinates".

    Raises:
        PosebookError: an unknown name, bins that the map cannot be doubled to, no mean.
    """
    if name not in REPRESENTATIONS:
        raise PosebookError(f"Unknown representation {name!r}: expected one of {', '.join(REPRESENTATIONS)}.")
    if name == "coordinates":
        if mean is None or tuple(mean.shape) != (points, 3):
            raise PosebookError(f"The coordinate head needs the mean mesh ({points}, 3) in heat-map units, got "
                                f"{None if mean is None else tuple(mean.shape)}.")  # fmt: skip
        return CoordinateHead(mean, channels, hidden_fc, bins)
    doublings = (bins // cells).bit_length() - 1
    if bins < 2 * cells or cells * 2**doublings != bins:
        raise PosebookError(
            f"A map of {cells} x {cells} can be doubled to {2 * cells}, {4 * cells}, … bins, not {bins}."
        )
    kinds = {"lixel": LixelCoordinates, "pixel+z": PixelHead, "voxel": VoxelHead}
    return kinds[name](points, channels, hidden, bins, doublings)


def answer_numbers(name: str, points: int, bins: int) -> int:
    """Numbers that one picture's answer holds before it is read out; "parameters" are SMPL's 72 + 10."""
    counts = {"parameters": 82, "coordinates": 3 * points, "lixel": 3 * points * bins,
              "pixel+z": points * (bins**2 + bins), "voxel": points * bins**3}  # fmt: skip
    if name not in counts:
        raise PosebookError(f"Unknown representation {name!r}: expected one of {', '.join(counts)}.")
    return counts[name]
