"""From likelihood volumes to metres: depth bins, argmax and soft-argmax, back-projection.

Decoders return continuous cells (posebook.pixels): an argmax at index i is i + 0.5. Source: specs/c2f.md section 5.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.pixels import Extent, grid_to_pixels, index_to_cells

FEWEST_BINS = 8  # below, an even number of bins puts relative depth 0 (the pelvis) on the edge of a very thick bin


@dataclass(frozen=True)
class DepthBins:
    """Uniform bins of depth relative to the pelvis, metres, + away from the camera.

    The limits are those stored with the released network: 64 bins of 31.032 mm, not exactly +-1 m.
    """

    count: int
    low: float = -1.005186
    high: float = 0.980860

    def __post_init__(self):
        if self.count < 1 or not self.low < self.high:
            raise PosebookError(f"Depth bins need count >= 1 and low < high, got {self}.")

    @property
    def step(self) -> float:
        """Thickness of one bin, metres."""
        return (self.high - self.low) / self.count

    def edges(self) -> Tensor:
        """(count + 1,) limits, metres, float64: the 65 stored ones at 64 bins."""
        return torch.linspace(self.low, self.high, self.count + 1, dtype=torch.float64)

    def centres(self) -> Tensor:
        """(count,) bin centres, metres, float64: the value of an argmax."""
        edges = self.edges()
        return (edges[1:] + edges[:-1]) / 2

    def to_cells(self, depth: Tensor) -> Tensor:
        """Relative depth in metres -> continuous bin coordinate; bin i spans [i, i + 1). Any shape."""
        return (depth - self.low) / self.step

    def to_metres(self, cells: Tensor) -> Tensor:
        """Continuous bin coordinate -> relative depth in metres; i + 0.5 gives bin i's centre. Any shape."""
        return cells * self.step + self.low

    def to_index(self, depth: Tensor) -> Tensor:
        """Relative depth in metres -> 0-based bin, moved into range. Any shape, int64."""
        return self.to_cells(depth).floor().long().clamp(0, self.count - 1)

    def check_decodable(self) -> None:
        """Refuse bin counts from which no depth can be read."""
        check_depth(self.count)
        if self.count == 1:
            raise PosebookError(
                "A volume with 1 depth bin is a 2D heat map and has no depth; decode the last stack, or use its x, y."
            )


def coarse_bin(zind: Tensor, depth_bins: int, fine: int = 64) -> Tensor:
    """The released code's rule, 1-based: bin = ceil(zind * d / 64) for zind in 1..64. Any shape, int64."""
    return torch.div(zind * depth_bins + fine - 1, fine, rounding_mode="floor").long()


def check_depth(bins: int) -> None:
    """Refuse volumes of 2 to 7 bins: they are supervision for coarse-to-fine, not an answer."""
    if 1 < bins < FEWEST_BINS:
        raise PosebookError(
            f"A volume with {bins} depth bins must not be decoded: relative depth 0 (the pelvis) lies on the edge of "
            "two bins of half a metre or so, and the result is worse than no depth at all (519 mm for 2 bins, 247 mm "
            "for 4, 147 mm for 1; specs/c2f.md section 5). Decode the last stack's volume, with at least 8 bins."
        )


def _checked(volume: Tensor) -> Tensor:
    """Refuse what cannot be decoded; half precision (autocast) becomes float32, it cannot hold sub-cell positions."""
    if volume.ndim != 5 or not volume.is_floating_point():
        raise PosebookError(f"Expected a volume (B, J, D, H, W), got {tuple(volume.shape)} {volume.dtype}.")
    check_depth(volume.shape[2])
    return volume if volume.dtype == torch.float64 else volume.float()


def _peaks(volume: Tensor) -> Tensor:
    """Indices (B, J, 3) x, y, z of the highest cell of each joint's whole block."""
    height, width = volume.shape[3:]
    best = volume.flatten(2).argmax(-1)  # (B, J)
    return torch.stack((best % width, best // width % height, best // (width * height)), dim=-1)


def argmax_cells(volume: Tensor) -> Tensor:
    """The paper's read-out: centre of the highest cell over the whole block, no sub-cell refinement.

    Args:
        volume: (B, J, D, H, W); D = 1 gives a 2D answer with z = 0.5, D = 2..7 is refused.

    Returns:
        (B, J, 3) continuous cells x, y, z.

    Raises:
        PosebookError: on a wrong shape or 2 to 7 depth bins.

    Source: specs/c2f.md section 5, points 1 and 2.
    """
    volume = _checked(volume)
    return index_to_cells(_peaks(volume).to(volume.dtype))


def _window(volume: Tensor, radius: int | tuple[int, int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Values (B, J, K), indices (B, J, K, 3) and inside mask (B, J, K) of the cells within `radius` of each peak."""
    peak = _peaks(volume)
    depth, height, width = volume.shape[2:]
    rx, ry, rz = (radius,) * 3 if isinstance(radius, int) else radius
    axes = [torch.arange(-r, r + 1, device=volume.device) for r in (rx, ry, rz)]
    offsets = torch.cartesian_prod(*axes)  # (K, 3)
    index = peak.unsqueeze(2) + offsets  # (B, J, K, 3)
    extent = torch.tensor([width, height, depth], device=volume.device)
    inside = ((index >= 0) & (index < extent)).all(-1)
    x, y, z = torch.minimum(index.clamp(min=0), extent - 1).unbind(-1)
    return volume.flatten(2).gather(2, (z * height + y) * width + x), index, inside


def soft_argmax_cells(volume: Tensor, radius: int | tuple[int, int, int] = 2) -> Tensor:
    """Sub-cell read-out of an MSE-trained volume: centre of mass of max(v, 0) in a window round the peak.

    A softmax would be wrong here: the values lie in 0..1, so it is almost uniform and every joint falls to the centre.

    Args:
        volume: (B, J, D, H, W), trained with `volume_mse`.
        radius: cells on either side of the peak, or (x, y, z).

    Returns:
        (B, J, 3) continuous cells; the peak's centre where nothing in the window is positive.

    Raises:
        PosebookError: on a wrong shape or 2 to 7 depth bins.
    """
    value, index, inside = _window(_checked(volume), radius)
    weight = value.clamp(min=0) * inside
    none = weight.sum(-1, keepdim=True) <= 0
    middle = index.shape[2] // 2  # the peak itself, offset (0, 0, 0)
    weight = weight + none * torch.eye(1, index.shape[2], device=weight.device, dtype=weight.dtype).roll(middle, 1)
    weight = weight / weight.sum(-1, keepdim=True)
    return torch.einsum("bjk,bjkc->bjc", weight, index_to_cells(index.to(weight.dtype)))


def softmax_cells(volume: Tensor, radius: int | tuple[int, int, int] | None = None) -> Tensor:
    """Sub-cell read-out of a cross-entropy volume: expectation of the cell centres under its softmax.

    Args:
        volume: (B, J, D, H, W) logits, trained with `volume_cross_entropy`.
        radius: None: over the whole volume (differentiable everywhere); else renormalised in a window round the peak.

    Returns:
        (B, J, 3) continuous cells.

    Raises:
        PosebookError: on a wrong shape or 2 to 7 depth bins.
    """
    volume = _checked(volume)
    if radius is not None:
        value, index, inside = _window(volume, radius)
        weight = value.masked_fill(~inside, float("-inf")).softmax(-1)
        return torch.einsum("bjk,bjkc->bjc", weight, index_to_cells(index.to(weight.dtype)))
    weight = volume.flatten(2).softmax(-1).view_as(volume)
    axes = (weight.sum((2, 3)), weight.sum((2, 4)), weight.sum((3, 4)))  # (B, J, W), (B, J, H), (B, J, D)
    return torch.stack([a @ index_to_cells(torch.arange(a.shape[-1]).to(a)) for a in axes], dim=-1)


def unflip_volume(volume: Tensor, flip: tuple[int, ...]) -> Tensor:
    """Turn the volume of a mirrored image back: mirror x, swap left and right joints, all bins.

    Args:
        volume: (B, J, D, H, W) predicted for the mirrored image.
        flip: joint permutation, e.g. H36M17.flip.
    """
    return volume.flip(-1)[:, list(flip)]


def back_project(pixels: Tensor, depth: Tensor, camera: Tensor) -> Tensor:
    """X = (u - cx) Z / fx, Y = (v - cy) Z / fy.

    Args:
        pixels: (B, J, 2) continuous pixels of the crop.
        depth: (B, J) Z, metres, camera frame.
        camera: (B, 3, 3) or (3, 3) K of the crop, without skew.

    Returns:
        (B, J, 3) metres, camera frame.
    """
    return camera_rays(pixels, camera) * depth.unsqueeze(-1)


def camera_rays(pixels: Tensor, camera: Tensor) -> Tensor:
    """Rays ((u - cx)/fx, (v - cy)/fy, 1), (B, J, 2) pixels and (B, 3, 3) or (3, 3) K -> (B, J, 3)."""
    if camera.shape[-2:] != (3, 3) or pixels.shape[-1] != 2:
        raise PosebookError(f"Expected pixels (B, J, 2) and K (B, 3, 3), got {pixels.shape} and {camera.shape}.")
    camera = camera.to(pixels)
    focal = torch.stack((camera[..., 0, 0], camera[..., 1, 1]), -1).unsqueeze(-2)
    plane = (pixels - camera[..., :2, 2].unsqueeze(-2)) / focal
    return torch.cat((plane, torch.ones_like(plane[..., :1])), dim=-1)


def volume_to_camera(cells: Tensor, bins: DepthBins, camera: Tensor, root_depth: Tensor, grid: Extent,
                     size: Extent) -> Tensor:  # fmt: skip
    """Cells to absolute camera coordinates: Z = z_rel + z_root, then back-projection.

    Args:
        cells: (B, J, 3) continuous cells x, y and depth bin z, as a decoder returns them.
        bins: the volume's depth bins.
        camera: (B, 3, 3) K of the crop.
        root_depth: (B,) metres; see posebook.models.root_depth for where it comes from.
        grid: cells across the map.
        size: pixels across the crop.

    Returns:
        (B, J, 3) metres, camera frame. Move the root to 0 before comparing: the decoded pelvis is not exactly at z = 0.

    Raises:
        PosebookError: if `bins` are too few to hold a depth.

    Source: specs/c2f.md section 5, points 2, 3 and 5.
    """
    bins.check_decodable()
    depth = bins.to_metres(cells[..., 2]) + root_depth.to(cells).unsqueeze(-1)
    return back_project(grid_to_pixels(cells[..., :2], grid, size), depth, camera)
