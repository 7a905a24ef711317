"""Absolute depth of the root for a skeleton known as pixels and root-relative depths.

Three modes (specs/c2f.md section 5, point 4): 1 the ground truth (oracle), 2 fitted to the person's own bone lengths
(oracle), 3 fitted to the mean bone lengths of the training subjects (default, the only one that uses no test label).
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.models.decode import camera_rays

Bones = tuple[tuple[int, int], ...]

# C2F's own joint order (left leg first) and numbers, specs/c2f.md section 5; 0-based here.
C2F_BONES: Bones = (
    (0, 1), (0, 4), (0, 7), (1, 2), (2, 3), (4, 5), (5, 6), (7, 8), (8, 9), (8, 11), (8, 14), (9, 10), (11, 12),
    (12, 13), (14, 15), (15, 16),
)  # fmt: skip
C2F_MEAN_LENGTHS = (  # metres, Human3.6M training subjects, in the order of C2F_BONES
    0.13405, 0.13405, 0.23838, 0.44920, 0.44558, 0.44921, 0.44558, 0.25534, 0.11608, 0.14884, 0.14883, 0.11500,
    0.27976, 0.24952, 0.27976, 0.24952,
)  # fmt: skip
C2F_TO_H36M17 = (0, 4, 5, 6, 1, 2, 3, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)  # joints_h36m17 = joints_c2f[:, this]


class RootDepth(NamedTuple):
    """Result of a fit."""

    depth: Tensor  # (B,) metres
    residual: Tensor  # (B,) metres, norm of the bone length differences that remain


def bone_lengths(joints: Tensor, bones: Bones) -> Tensor:
    """Lengths (..., number of bones) of joints (..., J, 3), in the joints' unit."""
    first, second = (list(side) for side in zip(*bones, strict=True))
    return (joints[..., second, :] - joints[..., first, :]).norm(dim=-1)


def _length_squares(pixels: Tensor, relative_depth: Tensor, camera: Tensor, bones: Bones) -> tuple[Tensor, ...]:
    """Coefficients (B, bones) of |P_c - P_p|^2 = a z^2 + 2 b z + c, because P_j = ray_j z + ray_j z_j."""
    rays = camera_rays(pixels.double(), camera)  # (B, J, 3)
    offsets = rays * relative_depth.double().unsqueeze(-1)
    first, second = (list(side) for side in zip(*bones, strict=True))
    slope, start = rays[:, second] - rays[:, first], offsets[:, second] - offsets[:, first]
    return slope.square().sum(-1), (slope * start).sum(-1), start.square().sum(-1)


def fit_root_depth(pixels: Tensor, relative_depth: Tensor, camera: Tensor, lengths: Tensor, bones: Bones,
                   low: float = 0.5, high: float = 30.0, tolerance: float = 1e-6) -> RootDepth:  # fmt: skip
    """Bracketed search for z = argmin || bone lengths(skeleton(z)) - L ||_2, with Z_j = z_j + z.

    A logarithmic scan brackets the global minimum, a golden-section search refines it; the official code runs
    Nelder-Mead from 2 m on the same function. All persons of the batch at once, in float64.

    Args:
        pixels: (B, J, 2) of the crop.
        relative_depth: (B, J) metres, relative to the pelvis.
        camera: (B, 3, 3) K of the crop.
        lengths: (bones,) or (B, bones) metres, in the order of `bones`.
        bones: pairs of joints, e.g. H36M17.bones or C2F_BONES.
        low: nearest root considered, metres.
        high: farthest root considered, metres.
        tolerance: width of the final bracket, metres.

    Returns:
        RootDepth, dtype of `pixels`.

    Raises:
        PosebookError: if `lengths` does not match `bones`.

    Source: specs/c2f.md section 5, point 4.
    """
    if lengths.shape[-1] != len(bones):
        raise PosebookError(f"Expected {len(bones)} bone lengths in the order of `bones`, got {tuple(lengths.shape)}.")
    a, b, c = _length_squares(pixels, relative_depth, camera, bones)  # (B, bones)
    target = lengths.to(a)

    def cost(z: Tensor) -> Tensor:  # (B, K) -> (B, K)
        z = z.unsqueeze(-1)
        square = a.unsqueeze(1) * z.square() + 2 * b.unsqueeze(1) * z + c.unsqueeze(1)
        return (square.clamp(min=0).sqrt() - target.unsqueeze(-2)).norm(dim=-1)

    scan = torch.logspace(math.log10(low), math.log10(high), 128, dtype=a.dtype, device=a.device)
    best = cost(scan.expand(len(a), -1)).argmin(-1)
    left, right = scan[(best - 1).clamp(min=0)], scan[(best + 1).clamp(max=len(scan) - 1)]
    depth = _golden_section(cost, left, right, tolerance)
    return RootDepth(depth.to(pixels.dtype), cost(depth.unsqueeze(-1)).squeeze(-1).to(pixels.dtype))


def _golden_section(cost, left: Tensor, right: Tensor, tolerance: float) -> Tensor:
    """Minimum of `cost` in each bracket [left, right], all (B,)."""
    ratio = (math.sqrt(5) - 1) / 2
    widest = float((right - left).max()) if len(left) else 0.0
    for _ in range(math.ceil(math.log(max(widest / tolerance, 1)) / -math.log(ratio))):
        inner = torch.stack((right - ratio * (right - left), left + ratio * (right - left)), dim=-1)  # (B, 2)
        values = cost(inner)
        lower = values[:, 0] < values[:, 1]
        left, right = torch.where(lower, left, inner[:, 0]), torch.where(lower, inner[:, 1], right)
    return (left + right) / 2


def root_depth(mode: int, pixels: Tensor, relative_depth: Tensor, camera: Tensor, bones: Bones,
               mean_lengths: Tensor | None = None, truth: Tensor | None = None) -> Tensor:  # fmt: skip
    """Root depth by the protocol's mode.

    Args:
        mode: 1 true depth (oracle), 2 fit to the person's own bones (oracle), 3 fit to the mean training bones.
        pixels: (B, J, 2) of the crop.
        relative_depth: (B, J) metres.
        camera: (B, 3, 3) K of the crop.
        bones: pairs of joints.
        mean_lengths: (bones,) metres, mode 3.
        truth: (B, J, 3) true joints, metres, camera frame, modes 1 and 2; joint 0 is the root.

    Returns:
        (B,) metres.

    Raises:
        PosebookError: on an unknown mode or when what the mode needs is missing.
    """
    needed = {1: truth, 2: truth, 3: mean_lengths}
    if mode not in needed or needed[mode] is None:
        raise PosebookError(
            f"Root depth mode {mode!r}: expected 1 or 2 with `truth`, or 3 with `mean_lengths` of the training people."
        )
    if mode == 1:
        return truth[:, 0, 2].to(pixels)
    lengths = mean_lengths if mode == 3 else bone_lengths(truth, bones)
    return fit_root_depth(pixels, relative_depth, camera, lengths, bones).depth
