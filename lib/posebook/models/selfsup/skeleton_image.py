"""A differentiable picture of a 2D skeleton: bright lines on dark ground. Source: specs/selfsup.md 1.3.

Pixel centres lie at linspace(-1, 1, size) in x (right) and y (down), corners included, as joints do.
"""

import torch
from torch import Tensor

from posebook.errors import PosebookError

SIGMA = 0.2  # KeypointGAN's configuration; a line is half as bright 0.028 from its middle
TINY = 1e-6  # keeps gradients finite on the line and for links of no length
FALLOFFS = ("distance", "squared")


def draw_skeleton(points: Tensor, links, size: int, sigma: float = SIGMA, falloff: str = "distance") -> Tensor:
    """Draw every link as a line that fades with the distance to it; where lines overlap the brighter counts.

    For pixel e and link (i, j): t = clamp((e - u_i).(u_j - u_i) / max(|u_j - u_i|^2, 1e-6), 0, 1), the nearest point
    q = u_i + t (u_j - u_i), and value = max over links of exp(-sqrt(|e - q|^2 + 1e-6) / sigma^2), or with "squared"
    exp(-|e - q|^2 / sigma^2). Values fall with distance, so only the nearest link of a pixel is kept for the gradient.

    Args:
        points: (B, J, 2) in [-1, 1], x right, y down; outside is allowed.
        links: pairs of joints.
        size: H = W, pixels.
        sigma: see above.
        falloff: "distance" (KeypointGAN's code) or "squared" (its paper).

    Returns:
        (B, 1, H, W) in (0, 1].

    Raises:
        PosebookError: wrong shapes, links of no joint, an unknown falloff.
    """
    _check(points, links, size, falloff)
    axis = torch.linspace(-1, 1, size, dtype=points.dtype, device=points.device)
    pixels = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1).view(1, -1, 2)  # (1, H W, 2)
    ends = torch.tensor(links, device=points.device).T
    start, end = points[:, ends[0]], points[:, ends[1]]  # (B, L, 2)
    with torch.no_grad():
        nearest = torch.stack([_squared(pixels, a, b) for a, b in _each_link(start, end)], 1).argmin(1)  # (B, H W)
    rows = nearest.unsqueeze(-1).expand(-1, -1, 2)
    squared = _squared(pixels, start.gather(1, rows), end.gather(1, rows))  # (B, H W)
    distance = (squared + TINY).sqrt() if falloff == "distance" else squared
    return (-distance / sigma**2).exp().view(-1, 1, size, size)


def as_picture(drawing: Tensor) -> Tensor:
    """[0, 1] -> [-1, 1], the range of the networks' skeleton pictures."""
    return 2 * drawing - 1


def _each_link(start: Tensor, end: Tensor):
    """Ends of one link at a time, (B, 1, 2) twice: as little memory as one picture."""
    return zip(start.split(1, 1), end.split(1, 1), strict=True)


def _squared(pixels: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Squared distance of pixels (1, N, 2) to segments (B, 1 or N, 2): (B, N)."""
    along = end - start
    share = ((pixels - start) * along).sum(-1) / along.square().sum(-1).clamp(min=TINY)
    return (pixels - start - share.clamp(0, 1).unsqueeze(-1) * along).square().sum(-1)


def _check(points: Tensor, links, size: int, falloff: str) -> None:
    if points.ndim != 3 or points.shape[2] != 2 or not points.is_floating_point():
        raise PosebookError(f"Expected floating-point points (B, J, 2), got {points.dtype} {tuple(points.shape)}.")
    joints = {j for link in links for j in link}
    if not joints or min(joints) < 0 or max(joints) >= points.shape[1] or size < 2:
        raise PosebookError(
            f"Expected links between joints 0..{points.shape[1] - 1} and a size of at least 2 pixels; "
            f"got {links} and {size}."
        )
    if falloff not in FALLOFFS:
        raise PosebookError(f"falloff must be 'distance' or 'squared', got {falloff!r}.")
