"""Targets and losses for per-joint likelihood volumes.

Grid coordinates are continuous cells (see posebook.pixels): cell i spans [i, i + 1). Volumes are (B, J, D, H, W).
Source: specs/c2f.md section 4.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from posebook.errors import PosebookError

REFERENCE_GRID = 64  # the papers' map; every width below is given for it
SIGMA = 2.0  # cells, paper
TORCH7_REACH = 6  # cells on either side, so the kernel has 13
TORCH7_RELATIVE_SIGMA = 0.25  # of the kernel length: 3.25 cells at 13


def _kernel(sigma: str, scale: float) -> tuple[float, float]:
    """(standard deviation, reach) in cells along one axis whose widths are `scale` times the reference's."""
    if sigma == "paper":
        return SIGMA * scale, float("inf")
    if sigma == "torch7":
        reach = int((2 * TORCH7_REACH * scale + 1) / 2)  # kernel 2 reach + 1: 1,1,1,3,5,7,13,25 at d = 1..128
        return TORCH7_RELATIVE_SIGMA * (2 * reach + 1), float(reach)
    raise PosebookError(f"sigma must be 'paper' (2 cells, full support) or 'torch7' (13-cell kernel), got {sigma!r}.")


def _profile(position: Tensor, size: int, kernel: tuple[float, float], centre: str) -> Tensor:
    """(B, J) continuous cells -> (B, J, size) values of exp(-(i - c)^2 / 2 s^2) at the cells, cut at the reach."""
    deviation, reach = kernel
    cell = position.floor()
    # Below half a cell a sub-cell centre would let the peak vanish between cells (d = 1, 2, 4 are one-hot in depth).
    peak = position - 0.5 if centre == "continuous" and deviation >= 0.5 else cell
    index = torch.arange(size, device=position.device, dtype=position.dtype)
    value = torch.exp(-0.5 * ((index - peak.unsqueeze(-1)) / deviation).square())
    if reach == float("inf"):
        return value
    return torch.where((index - cell.unsqueeze(-1)).abs() <= reach, value, 0.0)


def gaussian_volume(cells: Tensor, grid: int | tuple[int, int], depth_bins: int, sigma: str = "paper",
                    centre: str = "floor", scale: float | None = None,
                    valid: Tensor | None = None) -> Tensor:  # fmt: skip
    """Draw one Gaussian per joint: exp(-(x-cx)^2/2s^2) exp(-(y-cy)^2/2s^2) exp(-(z-cz)^2/2s_z^2), peak 1.

    Args:
        cells: (B, J, 3) continuous cells x, y and continuous depth bin z on a scale of `depth_bins` bins. z outside
            the bins is moved to the nearest; joints outside the map are drawn as far as they reach into it.
        grid: cells across the map, or (width, height).
        depth_bins: D.
        sigma: "paper": sigma 2 cells, full support; "torch7": 13-cell kernel, sigma 3.25, cut at +-6 cells, and the
            released code's depth kernel lengths 1,1,1,3,5,7,13,25 for D = 1..128.
        centre: "floor": the cell that holds the joint (code); "continuous": its true place (named deviation), used
            along an axis only where sigma is at least half a cell.
        scale: widths relative to a 64-cell map; None is grid/64, which keeps the Gaussian's size on the person. In
            depth the same physical proportion is kept, scale * D / grid.
        valid: (B, J) bool; joints without annotation stay zero.

    Returns:
        (B, J, D, H, W), dtype and device of `cells`.

    Raises:
        PosebookError: on a wrong shape or an unknown sigma or centre.

    Source: specs/c2f.md section 4. Code and paper differ in sigma; the paper's factor 1/(2 pi sigma^2) is in neither.
    """
    if cells.ndim != 3 or cells.shape[-1] != 3 or not cells.is_floating_point():
        raise PosebookError(f"Expected floating-point cells (B, J, 3), got {tuple(cells.shape)} {cells.dtype}.")
    if centre not in ("floor", "continuous"):
        raise PosebookError(f"centre must be 'floor' or 'continuous', got {centre!r}.")
    width, height = (grid, grid) if isinstance(grid, int) else grid
    scale = width / REFERENCE_GRID if scale is None else scale
    good = torch.isfinite(cells).all(dim=-1)
    if valid is not None:
        good = good & valid.bool()
    x, y, z = torch.where(good.unsqueeze(-1), cells, 0.0).unbind(-1)
    z = z.clamp(0, depth_bins * (1 - 1e-6))
    plane = _kernel(sigma, scale)
    gx = _profile(x, width, plane, centre) * good.unsqueeze(-1)  # (B, J, W)
    gy = _profile(y, height, plane, centre)  # (B, J, H)
    gz = _profile(z, depth_bins, _kernel(sigma, scale * depth_bins / width), centre)  # (B, J, D)
    flat = gy.unsqueeze(-1) * gx.unsqueeze(-2)  # (B, J, H, W)
    return gz[..., None, None] * flat.unsqueeze(2)  # (B, J, D, H, W)


def stack_targets(cells: Tensor, grid: int | tuple[int, int], depths: tuple[int, ...],
                  depth_bins: int | None = None, **options) -> list[Tensor]:  # fmt: skip
    """Targets of all stacks: bin at resolution d = floor(z d / D), the code's ceil(zind d / 64) for 1-based zind.

    Args:
        cells: (B, J, 3), z on a scale of `depth_bins` bins.
        grid: cells across the map, or (width, height).
        depths: bins of each stack, e.g. (1, 2, 4, 64).
        depth_bins: scale of z; None is the last stack's.
        options: sigma, centre, scale, valid of `gaussian_volume`.

    Returns:
        One (B, J, d, H, W) per stack.
    """
    unit = torch.ones(3, dtype=cells.dtype, device=cells.device)
    targets = []
    for d in depths:
        factor = unit.clone()
        factor[2] = d / (depth_bins or depths[-1])
        targets.append(gaussian_volume(cells * factor, grid, d, **options))
    return targets


def _paired(volumes: list[Tensor], targets: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
    if len(volumes) != len(targets) or any(v.shape != t.shape for v, t in zip(volumes, targets, strict=False)):
        raise PosebookError(
            f"Expected one target per stack with the volume's shape, got volumes {[tuple(v.shape) for v in volumes]} "
            f"and targets {[tuple(t.shape) for t in targets]}."
        )
    # Under autocast volumes are half precision; losses are taken in the targets' precision.
    return [(v.to(t.dtype), t) for v, t in zip(volumes, targets, strict=True)]


def volume_mse(volumes: list[Tensor], targets: list[Tensor]) -> Tensor:
    """The paper's loss: sum over stacks of mean((volume - target)^2), equal weights.

    The mean makes the finest volume weigh least; compare with `zero_answer_cost`.

    Args:
        volumes: one (B, J, D_i, H, W) per stack.
        targets: the same shapes, from `stack_targets`.

    Returns:
        Scalar.
    """
    return sum(F.mse_loss(v, t) for v, t in _paired(volumes, targets))


def volume_cross_entropy(volumes: list[Tensor], targets: list[Tensor]) -> Tensor:
    """Named deviation: sum over stacks of the cross-entropy of a softmax over the whole volume with a soft target.

        loss = mean over joints of  logsumexp(v) - sum_i p_i v_i,   p = target / sum(target)

    Args:
        volumes: one (B, J, D_i, H, W) of logits per stack.
        targets: Gaussians of the same shapes; joints whose target is all zero (not valid, off the map) do not count.

    Returns:
        Scalar, nats.
    """
    return sum(_cross_entropy(v.flatten(2), t.flatten(2)) for v, t in _paired(volumes, targets))


def _cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    mass = target.sum(-1)  # (B, J)
    seen = mass > 0
    expected = torch.einsum("bjn,bjn->bj", logits, target) / mass.clamp(min=torch.finfo(mass.dtype).tiny)
    cost = torch.logsumexp(logits, -1) - expected
    return torch.where(seen, cost, 0.0).sum() / seen.sum().clamp(min=1)


def zero_answer_cost(grid: int, depth_bins: int, sigma: str = "torch7", scale: float | None = None) -> float:
    """MSE of the all-zero answer, mean(target^2) of a joint amid the volume: the line where training has collapsed.

    Args:
        grid: cells across the map.
        depth_bins: D.
        sigma: as in `gaussian_volume`.
        scale: as in `gaussian_volume`.

    Returns:
        0.0080 / 0.0040 / 0.0020 / 0.00072 at D = 1 / 2 / 4 / 64 with torch7 targets on 64 cells (specs/c2f.md 4).
    """
    middle = torch.tensor([[[grid / 2, grid / 2, depth_bins / 2]]], dtype=torch.float64)
    return gaussian_volume(middle, grid, depth_bins, sigma=sigma, scale=scale).square().mean().item()
