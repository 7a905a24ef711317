"""What Neural Body Fitting's regressor sees: RGB, a part map painted in colours, or joints as coloured discs.

Labels are 24-part labels (0 background, else SMPL joint + 1) unless `labelled` says that they are already grouped, as
a segmenter's output is. Pictures are in [-1, 1], background -1. Source: specs/nbf.md sections 2 and 3; the colours are
ours.
"""

import math

import numpy as np
import torch
from torch import Tensor

from posebook.body.parts import PALETTE, part_groups
from posebook.errors import PosebookError
from posebook.joints import SMPL24

PART_INPUTS = {"silhouette": 1, "parts3": 3, "parts6": 6, "parts12": 12, "parts24": 24}
INPUTS = ("rgb", *PART_INPUTS, "joints")
ENCODINGS = ("palette", "one-hot")
RADIUS, RADIUS_AT, SMALLEST_RADIUS = 3.0, 224, 1.5  # the paper's discs: 3 px on 224; below 1.5 px they crumble
FAR = -1e6  # pixels; where joints that are not numbers go

# The member of each group whose colour the group takes: of all choices these are the furthest apart.
_COLOUR_OF = {
    12: ("head", "spine3", "left_wrist", "right_shoulder", "left_hip", "right_hip", "neck", "spine1", "left_shoulder",
         "right_wrist", "left_knee", "right_knee"),
    6: ("head", "spine3", "left_wrist", "right_wrist", "left_hip", "right_hip"),
    3: ("spine3", "left_wrist", "right_knee"),
}  # fmt: skip


def group_palette(count: int) -> np.ndarray:
    """Colours of a grouping: 24 is `PALETTE`, 1 is white, else each group has the colour of one of its 24 parts.

    Args:
        count: 24, 12, 6, 3 or 1.

    Returns:
        (count + 1, 3) uint8 RGB; row 0, the background, is black.

    Raises:
        PosebookError: for another count.
    """
    part_groups(count)  # refuses unknown counts
    if count == 24:
        return PALETTE.copy()
    if count == 1:
        return np.array([(0, 0, 0), (255, 255, 255)], np.uint8)
    return PALETTE[[0, *(SMPL24.index(name) + 1 for name in _COLOUR_OF[count])]]


def as_labels(labels: Tensor | np.ndarray, parts: int = 24) -> Tensor:
    """Integer labels 0..parts as a (B, H, W) tensor.

    Args:
        labels: (B, H, W) or (H, W), an integer tensor or array.
        parts: largest label.

    Raises:
        PosebookError: for another dtype or shape, or a label outside 0..parts.
    """
    labels = torch.as_tensor(labels if isinstance(labels, Tensor) else np.array(labels))
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise PosebookError(f"Part labels must be integers 0..{parts}, not {labels.dtype}; convert them with .long().")
    if labels.dim() not in (2, 3) or labels.numel() == 0:
        hint = (
            " A colour picture has no labels: look each colour up in its palette." if labels.shape[-1:] == (3,) else ""
        )
        raise PosebookError(f"Part labels must be (B, H, W) or (H, W), not {tuple(labels.shape)}.{hint}")
    labels = labels if labels.dtype == torch.uint8 else labels.long()
    if labels.min() < 0 or labels.max() > parts:
        unknown = [int(n) for n in labels.unique() if n < 0 or n > parts]
        raise PosebookError(
            f"Unknown part label {', '.join(map(str, unknown[:5]))}: expected 0 (background) to {parts}. "
            "Are these the labels of another body model or grouping? posebook.data.part_maps renders ours."
        )
    return labels if labels.dim() == 3 else labels[None]


def check_labels(labels: Tensor | np.ndarray, size: int | None = None, parts: int = 24) -> Tensor:
    """Refuse label maps from which no body can be fitted.

    Args:
        labels: (B, H, W) or (H, W), an integer tensor or array.
        size: expected height and width in pixels; any if None.
        parts: largest label.

    Returns:
        (B, H, W) the same labels as a tensor.

    Raises:
        PosebookError: for another dtype, shape or size, an unknown label, or a map without a person.
    """
    labels = as_labels(labels, parts)
    if size is not None and labels.shape[1:] != (size, size):
        raise PosebookError(
            f"Expected part maps of {size} x {size} pixels, got {labels.shape[1]} x {labels.shape[2]}. Crop the person "
            "to a square and resize the labels with nearest neighbours."
        )
    empty = (labels == 0).flatten(1).all(1).nonzero().flatten().tolist()
    if empty:
        which = ", ".join(map(str, empty[:10])) + (", ..." if len(empty) > 10 else "")
        raise PosebookError(f"No person in part map {which}: every pixel is background. Leave such pictures out.")
    return labels


def parts_picture(labels: Tensor | np.ndarray, parts: int, encoding: str = "palette", labelled: int = 24) -> Tensor:
    """Paint part labels.

    Args:
        labels: (B, H, W) integer labels 0..labelled, on any device.
        parts: groups to show: 24, 12, 6, 3 or 1 (silhouette).
        encoding: "palette", the paper's colours as three channels, or "one-hot", one channel per part.
        labelled: parts that the labels tell apart, 24 or a grouping finer than or equal to `parts`.

    Returns:
        "palette": (B, 3, H, W) float32 in [-1, 1], background -1.
        "one-hot": (B, parts + 1, H, W) float32, 0 or 1, channel 0 background.

    Raises:
        PosebookError: for an unknown grouping, encoding or label.
    """
    groups = _regroup(labelled, parts)
    labels = as_labels(labels, labelled)
    if encoding == "palette":
        table = group_palette(parts)[groups] / 127.5 - 1
    elif encoding == "one-hot":
        table = np.eye(parts + 1)[groups]
    else:
        raise PosebookError(f"Unknown encoding {encoding!r}: expected one of {', '.join(ENCODINGS)}.")
    table = torch.from_numpy(table.astype(np.float32)).to(labels.device)  # (labelled + 1, C)
    return table[labels.long()].permute(0, 3, 1, 2).contiguous()


def _regroup(labelled: int, parts: int) -> np.ndarray:
    """(labelled + 1,) group of each label."""
    fine, coarse = part_groups(labelled), part_groups(parts)
    if parts > labelled:
        raise PosebookError(f"Labels of {labelled} parts cannot be split into {parts}; pass labels of {parts} or 24.")
    groups = np.zeros(labelled + 1, np.int64)
    groups[fine] = coarse
    return groups


@torch.no_grad()
def joints_picture(pixels: Tensor, size: int, radius: float | None = None) -> Tensor:
    """Paint joints as filled discs, joint j in `PALETTE[j + 1]`, later joints over earlier ones.

    A pixel whose centre is d pixels from the joint is covered by clip(radius + 1/2 - d, 0, 1).

    Args:
        pixels: (B, J, 2) continuous pixels, J <= 24; a joint that is not finite or outside draws nothing.
        size: H = W.
        radius: of the discs, pixels; default the paper's 3/224 of the size, but at least 1.5.

    Returns:
        (B, 3, H, W) float32 in [-1, 1], background -1.

    Raises:
        PosebookError: for another shape, a size below 1 or a radius that is not positive.
    """
    if pixels.dim() != 3 or pixels.shape[-1] != 2 or pixels.shape[1] >= len(PALETTE):
        raise PosebookError(f"Joints must be (B, J, 2) pixels with J <= 24, not {tuple(pixels.shape)}.")
    radius = max(RADIUS * size / RADIUS_AT, SMALLEST_RADIUS) if radius is None else radius
    if size < 1 or not radius > 0:
        raise PosebookError(f"Expected size >= 1 and radius > 0 in pixels, got {size} and {radius}.")
    count, device = len(pixels), pixels.device
    colours = torch.from_numpy(PALETTE[1:].astype(np.float32) / 127.5 - 1).to(device)
    corner, cover = _patches(pixels, size, radius)  # (B, J, 2) long, (B, J, p, p)
    patch = torch.arange(cover.shape[-1], device=device)
    wide = size + 2 * len(patch)
    rows = (corner[..., 1, None] + patch + len(patch))[..., :, None] * wide  # the canvas has a margin of one patch
    index = rows + (corner[..., 0, None] + patch + len(patch))[..., None, :]  # (B, J, p, p)
    index += (torch.arange(count, device=device) * wide * wide).view(-1, 1, 1, 1)
    canvas = -torch.ones(count * wide * wide, 3, device=device)
    for j in range(pixels.shape[1]):
        under = canvas[index[:, j]]  # (B, p, p, 3)
        canvas[index[:, j]] = under + cover[:, j, :, :, None] * (colours[j] - under)
    inner = slice(len(patch), len(patch) + size)
    return canvas.view(count, wide, wide, 3)[:, inner, inner].permute(0, 3, 1, 2).contiguous()


def _patches(pixels: Tensor, size: int, radius: float) -> tuple[Tensor, Tensor]:
    """First pixel (x, y) of the square that holds each disc, and the disc's coverage of its pixels."""
    width = math.ceil(2 * (radius + 0.5)) + 1
    pixels = torch.where(pixels.isfinite().all(-1, keepdim=True), pixels.float(), FAR)
    corner = (pixels - radius - 0.5).floor().clamp(-width, size)  # outside: into the margin
    centres = corner[..., None, :] + torch.arange(width, device=pixels.device)[:, None] + 0.5  # (B, J, p, 2)
    square = (centres - pixels[..., None, :]) ** 2
    distance = (square[..., :, None, 1] + square[..., None, :, 0]).sqrt()  # (B, J, p, p), rows are y
    return corner.long(), (radius + 0.5 - distance).clamp(0, 1)


def rgb_picture(image: Tensor) -> Tensor:
    """(B, 3, H, W) float in [0, 1] -> [-1, 1].

    Raises:
        PosebookError: for another shape or integers.
    """
    if image.dim() != 4 or image.shape[1] != 3 or not image.is_floating_point():
        raise PosebookError(f"Expected (B, 3, H, W) floats in [0, 1], got {tuple(image.shape)} {image.dtype}.")
    return 2 * image - 1


def network_input(
    name: str, image: Tensor, labels: Tensor, pixels: Tensor, encoding: str = "palette", labelled: int = 24
) -> Tensor:
    """The picture of one input kind; the arguments that it does not need may be None.

    Args:
        name: one of INPUTS.
        image: (B, 3, H, W) in [0, 1]; gives joints their size.
        labels: (B, H, W) part labels.
        pixels: (B, J, 2) joints in pixels of the image.
        encoding: of part maps, "palette" or "one-hot"; rgb and joints have three channels either way.
        labelled: parts that the labels tell apart.

    Returns:
        (B, channels(name, encoding), H, W) float32.

    Raises:
        PosebookError: for an unknown name or encoding, or an input that does not fit.
    """
    channels(name, encoding)  # refuses unknown names
    if name == "rgb":
        return rgb_picture(image)
    if name == "joints":
        return joints_picture(pixels, image.shape[-1])
    return parts_picture(labels, PART_INPUTS[name], encoding, labelled)


def channels(name: str, encoding: str = "palette") -> int:
    """Channels of an input kind.

    Raises:
        PosebookError: for an unknown name or encoding.
    """
    for value, allowed, what in ((name, INPUTS, "input"), (encoding, ENCODINGS, "encoding")):
        if value not in allowed:
            raise PosebookError(f"Unknown {what} {value!r}: expected one of {', '.join(allowed)}.")
    return PART_INPUTS[name] + 1 if name in PART_INPUTS and encoding == "one-hot" else 3
