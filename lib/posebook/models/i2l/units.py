"""Heat-map units, crop pixels and camera metres: how the network's numbers are read. Source: specs/i2l.md 2.2, 2.3.

x and y: heat-map unit i is crop pixel i * size / bins, counted from the crop's corner, no half-bin shift (the box edge
is 0 and `bins`). z: 0 lies depth_size / 2 in front of the root, `bins` as far behind it, the root at bins / 2.

The lixel mesh has no scale of its own: all of it comes from the focal length and the root depth, which the network
does not estimate. The body model's mesh is metric, but stands where focal length and root depth put its root.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.models.decode import back_project
from posebook.models.i2l.crop import apply_affine
from posebook.pixels import grid_to_pixels, pixels_to_grid

BODY_DEPTH, HAND_DEPTH = 2.0, 0.3  # metres of depth that the bins span


@dataclass(frozen=True)
class HeatmapUnits:
    """The box that the bins divide: a square crop, and `depth_size` metres of depth round the root."""

    image_size: int = 256  # pixels of the crop's side
    bins: int = 64  # along each axis
    depth_size: float = BODY_DEPTH  # metres

    def __post_init__(self):
        if self.image_size < 1 or self.bins < 1 or not self.depth_size > 0:
            raise PosebookError(f"Heat-map units need positive sizes, got {self}.")

    def from_crop(self, points: Tensor) -> Tensor:
        """(..., 3) crop pixels x, y and depth relative to the root in metres -> (..., 3) heat-map units."""
        plane = pixels_to_grid(points, self.bins, self.image_size)
        depth = (points[..., 2:] / (self.depth_size / 2) + 1) / 2 * self.bins
        return torch.cat((plane[..., :2], depth), -1)

    def to_crop(self, heatmap: Tensor) -> Tensor:
        """Inverse of `from_crop`: (..., 3) heat-map units -> crop pixels x, y and relative depth in metres."""
        plane = grid_to_pixels(heatmap, self.bins, self.image_size)
        depth = (heatmap[..., 2:] / self.bins * 2 - 1) * (self.depth_size / 2)
        return torch.cat((plane[..., :2], depth), -1)

    def inside(self, heatmap: Tensor) -> Tensor:
        """Points with all three coordinates in [0, bins), "not truncated": (..., 3) -> (..., 1), 0 or 1 as float."""
        return ((heatmap >= 0) & (heatmap < self.bins)).all(-1, keepdim=True).to(heatmap.dtype)

    def relative(self, heatmap: Tensor, root: Tensor) -> Tensor:
        """Root-relative metres as if seen from far away, so that neither focal length nor root depth is needed.

        The crop's side is taken for `depth_size` metres: (heatmap - root) depth_size / bins, each axis alike. Ours.

        Args:
            heatmap: (..., N, 3) heat-map units.
            root: (..., 1, 3) heat-map units.
        """
        return (heatmap - root) * (self.depth_size / self.bins)


def to_camera(heatmap: Tensor, units: HeatmapUnits, to_image: Tensor, root_depth: Tensor, K: Tensor) -> Tensor:
    """X = (u - cx) Z / fx, Y = (v - cy) Z / fy, Z = relative depth + root depth.

    Args:
        heatmap: (B, N, 3) heat-map units.
        units: what they stand for.
        to_image: (B, 2, 3) crop to picture pixels, from `crop.crop_affine`.
        root_depth: (B,) metres.
        K: (B, 3, 3) pixels of the whole picture.

    Returns:
        (B, N, 3) metres, camera frame.
    """
    crop = units.to_crop(heatmap)
    pixels = apply_affine(to_image.to(heatmap), crop[..., :2])
    return back_project(pixels, crop[..., 2] + root_depth.to(heatmap).unsqueeze(-1), K)


def place_body(mesh_cam: Tensor, root: Tensor, units: HeatmapUnits, to_image: Tensor, root_depth: Tensor,
               K: Tensor) -> Tensor:  # fmt: skip
    """Put the body model's mesh where the lixel mesh has its root, at the given depth.

    Args:
        mesh_cam: (B, V, 3) metres, root at the origin.
        root: (B, 3) the root regressed from the lixel mesh, heat-map units; its z is not used, as in the official code.
        units, to_image, root_depth, K: as in `to_camera`.

    Returns:
        (B, V, 3) metres, camera frame.
    """
    at_root = torch.cat((root[:, :2], torch.full_like(root[:, :1], units.bins / 2)), -1)
    return mesh_cam + to_camera(at_root.unsqueeze(1), units, to_image, root_depth, K)
