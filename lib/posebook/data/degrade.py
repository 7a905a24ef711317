"""Part maps made worse on purpose: how good must a segmentation be?

Six ways, each with a dial from 0 (the map as it is) to 1. What is drawn at random does not depend on the dial, so one
generator seed gives a row of ever worse versions of the same map. Labels: 0 background, else SMPL joint + 1.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from posebook.data.inputs import as_labels
from posebook.errors import PosebookError
from posebook.joints import SMPL24

DEGRADATIONS = ("swap", "erode", "shift", "resolution", "missing", "mixed")
ERODED = 0.04  # of the picture's size is eaten off the outline at 1
SHIFTED = 0.10  # of the size is the largest offset of a part along x or y at 1
COARSEST = 1 / 16  # of the size is left of the resolution at 1
MISSING = 0.6  # probability that a part is missing at 1
MIXED = 0.5  # dial of each degradation when all are mixed at 1
PARTS = 24


@torch.no_grad()
def degrade(labels: Tensor, kind: str, amount: float, generator: torch.Generator) -> Tensor:
    """Degrade part maps.

    * swap: each part takes, with probability `amount`, another part's label: its left/right counterpart's or that of a
      neighbour in the body tree, half of them each (parts in the middle: always a neighbour's);
    * erode: the person's outline is eaten, up to 4 % of the size; the picture's border eats nothing;
    * shift: each part moves by its own offset, up to 10 % of the size along x and y; where parts meet, chance decides;
    * resolution: sampled down to size / 16^amount and back up, nearest neighbours (nothing random);
    * missing: each part becomes background with probability 0.6 `amount`;
    * mixed: erode, swap, missing, shift and resolution one after the other, each at half the amount.

    A map that loses its last part keeps the largest part it had.

    Args:
        labels: (B, H, W) uint8, 24-part labels, on any device.
        kind: one of DEGRADATIONS.
        amount: 0 (identity) to 1.
        generator: source of chance, on the labels' device or the CPU.

    Returns:
        (B, H, W) uint8

    Raises:
        PosebookError: for an unknown kind, an amount outside [0, 1] or labels of another dtype, shape or range.
    """
    if kind not in DEGRADATIONS:
        raise PosebookError(f"Unknown degradation {kind!r}: expected one of {', '.join(DEGRADATIONS)}.")
    if not 0 <= amount <= 1:  # also NaN
        raise PosebookError(f"The amount of degradation must be in [0, 1], got {amount}.")
    if not isinstance(labels, Tensor) or labels.dtype != torch.uint8 or labels.dim() != 3:
        found = f"{tuple(labels.shape)} {labels.dtype}" if hasattr(labels, "shape") else type(labels).__name__
        raise PosebookError(f"Expected part labels as a (B, H, W) uint8 tensor, got {found}.")
    as_labels(labels, PARTS)
    steps = {"swap": _swap, "erode": _erode, "shift": _shift, "resolution": _resolution, "missing": _missing}
    chosen = ("erode", "swap", "missing", "shift", "resolution") if kind == "mixed" else (kind,)
    degraded = labels.clone()
    for step in chosen:
        degraded = steps[step](degraded, amount * (MIXED if kind == "mixed" else 1), generator)
    return _never_empty(degraded, labels)


def _random(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> Tensor:
    """U(0, 1), drawn where the generator lives."""
    return torch.rand(shape, generator=generator, device=generator.device).to(device)


def _relabel(labels: Tensor, table: Tensor) -> Tensor:
    """New label of every pixel by a table (B, 25) per map."""
    return table.gather(1, labels.flatten(1).long()).view_as(labels).to(torch.uint8)


def _swap(labels: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    chance = _random((3, len(labels), PARTS + 1), generator, labels.device)
    counterpart, neighbours, degree = (t.to(labels.device) for t in _relatives())
    pick = (chance[2] * degree).long()  # (B, 25)
    neighbour = neighbours.expand(len(labels), -1, -1).gather(2, pick[..., None])[..., 0]
    own = torch.arange(PARTS + 1, device=labels.device)
    other = torch.where((chance[1] < 0.5) & (counterpart != own), counterpart, neighbour)
    return _relabel(labels, torch.where((chance[0] < amount) & (own > 0), other, own))


def _relatives() -> tuple[Tensor, Tensor, Tensor]:
    """Per label 0..24: its counterpart (25,), its neighbours (25, 5) filled up with 0, and how many there are (25,)."""
    counterpart = torch.tensor([0, *(j + 1 for j in SMPL24.flip)])
    near = [[0]] + [[] for _ in range(PARTS)]
    for parent, child in SMPL24.bones:
        near[parent + 1].append(child + 1)
        near[child + 1].append(parent + 1)
    most = max(map(len, near))
    table = torch.tensor([n + [0] * (most - len(n)) for n in near])
    return counterpart, table, torch.tensor([len(n) for n in near])


def _erode(labels: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    depth = amount * ERODED * max(labels.shape[1:])  # pixels
    last = _random(tuple(labels.shape), generator, labels.device) < depth - math.floor(depth)
    nothing = (labels == 0).float()[:, None]  # (B, 1, H, W)
    for _ in range(math.floor(depth)):
        nothing = F.max_pool2d(nothing, 3, 1, 1)
    nothing = torch.where(last[:, None], F.max_pool2d(nothing, 3, 1, 1), nothing)
    return torch.where(nothing[:, 0] > 0, 0, labels)


def _shift(labels: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    count, height, width = labels.shape
    chance = _random((5, count, PARTS + 1), generator, labels.device)
    reach = amount * SHIFTED * max(height, width)  # pixels
    offset = (reach * (2 * chance[:2] - 1) + chance[2:4]).floor().long()  # (2, B, 25) whole pixels, unbiased
    rank = chance[4].argsort(1)  # who lies over whom
    b, y, x = labels.nonzero(as_tuple=True)  # pixels of persons only
    part = labels[b, y, x].long()
    x, y = x + offset[0][b, part], y + offset[1][b, part]
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    place = ((b * height + y) * width + x)[inside]
    moved = torch.zeros(labels.numel(), dtype=torch.long, device=labels.device)
    moved.scatter_reduce_(0, place, (rank[b, part] * 32 + part)[inside], "amax")
    return (moved % 32).view_as(labels).to(torch.uint8)


def _resolution(labels: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    for dim in (1, 2):
        size = labels.shape[dim]
        few = max(1, round(size * COARSEST**amount))
        cell = (torch.arange(size, device=labels.device) * few) // size  # cell of each pixel
        sample = ((2 * cell + 1) * size) // (2 * few)  # the pixel at that cell's centre
        labels = labels.index_select(dim, sample)
    return labels


def _missing(labels: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    gone = _random((len(labels), PARTS + 1), generator, labels.device) < MISSING * amount
    own = torch.arange(PARTS + 1, device=labels.device).expand(len(labels), -1)
    return _relabel(labels, own.masked_fill(gone, 0))


def _never_empty(degraded: Tensor, labels: Tensor) -> Tensor:
    """Put the largest part of the original back into maps that have become all background."""
    count = torch.zeros(len(labels), PARTS + 1, dtype=torch.long, device=labels.device)
    flat = labels.flatten(1).long()
    count.scatter_add_(1, flat, (flat > 0).long())
    largest = count.argmax(1).view(-1, 1, 1)
    empty = (degraded == 0).flatten(1).all(1).view(-1, 1, 1)
    return torch.where(empty & (labels == largest), labels, degraded)
