"""SPIN's camera (s, tx, ty), crops and whole pictures. Source: specs/vibe.md 1.1 and 3.6.

The three numbers are used as a real camera far away: focal length 5000 pixels on a 224-pixel crop, and the body moved
by t = (tx, ty, 2 f / (224 s)). Crop coordinates run from -1 to 1 over the crop's side; boxes are (cx, cy, w, h) in
pixels of the picture, and their side is w; y points down.
"""

import torch
from torch import Tensor

from posebook.errors import PosebookError

FOCAL, CROP = 5000.0, 224  # pixels


def camera_translation(camera: Tensor, focal: float = FOCAL, size: int = CROP) -> Tensor:
    """t = (tx, ty, 2 f / (size s + 1e-9)): (..., 3) -> (..., 3) metres."""
    _check_last(camera, 3, "camera")
    depth = 2 * focal / (size * camera[..., :1] + 1e-9)
    return torch.cat((camera[..., 1:], depth), -1)


def perspective(points: Tensor, translation: Tensor, focal: float = FOCAL) -> Tensor:
    """x = f (X + t)_xy / (X + t)_z, principal point 0.

    Args:
        points: (..., J, 3) metres.
        translation: (..., 3) metres.
        focal: pixels.

    Returns:
        (..., J, 2) pixels from the principal point.
    """
    _check_last(points, 3, "points")
    moved = points + translation.unsqueeze(-2)
    return focal * moved[..., :2] / moved[..., 2:]


def project_to_crop(points: Tensor, camera: Tensor, focal: float = FOCAL, size: int = CROP) -> Tensor:
    """Joints to crop coordinates.

    Args:
        points: (..., J, 3) metres.
        camera: (..., 3), (s, tx, ty).
        focal: pixels.
        size: side of the crop, pixels.

    Returns:
        (..., J, 2) in [-1, 1] inside the crop.
    """
    return perspective(points, camera_translation(camera, focal, size), focal) / (size / 2)


def fit_translation(points: Tensor, keypoints: Tensor, focal: float = FOCAL, size: int = CROP) -> Tensor:
    """Translation that brings 3D joints onto 2D keypoints in the least squares sense.

    f (X + tx) = (u - c)(Z + tz), likewise for y: two linear equations per joint, weighted by the confidence.

    Args:
        points: (B, J, 3) metres.
        keypoints: (B, J, 3), pixels of the crop and confidence; at least two joints must have one above zero.
        focal: pixels.
        size: side of the crop, pixels; c is its middle.

    Returns:
        (B, 3) metres, of the points' dtype.

    Raises:
        PosebookError: other shapes, or fewer than two joints with confidence.
    """
    if points.ndim != 3 or points.shape[-1] != 3 or keypoints.shape != points.shape:
        raise PosebookError(f"Expected two (B, J, 3), got {tuple(points.shape)} and {tuple(keypoints.shape)}.")
    if ((keypoints[..., 2] > 0).sum(1) < 2).any():
        raise PosebookError("A translation needs two joints with confidence; leave out the people with fewer.")
    dtype, points, keypoints = points.dtype, points.double(), keypoints.double()  # the depth is weakly determined
    image = (keypoints[..., :2] - size / 2) / focal  # (B, J, 2)
    axes = torch.eye(2, dtype=points.dtype, device=points.device).expand(*image.shape, 2)
    rows = torch.cat((axes, -image.unsqueeze(-1)), -1).flatten(1, 2)  # (B, 2J, 3)
    sides = (image * points[..., 2:] - points[..., :2]).flatten(1, 2)  # (B, 2J)
    root = keypoints[..., 2:].clamp(min=0).sqrt().expand_as(image).flatten(1, 2)
    rows, sides = rows * root.unsqueeze(-1), sides * root
    normal = rows.transpose(1, 2) @ rows
    return torch.linalg.solve(normal, (rows * sides.unsqueeze(-1)).sum(1)).to(dtype)


def camera_to_image(camera: Tensor, boxes: Tensor, width: int, height: int) -> Tensor:
    """Crop camera to one of the whole picture: sx = s h / W, sy = s h / H, tx' = tx + (cx - W/2) / (W/2) / sx.

    h is the side of the crop that the network saw. Official scripts enlarge the box by 1.1 first but convert with the
    box as it was, which puts the overlay 10 % off: give the enlarged box.

    Args:
        camera: (B, 3).
        boxes: (B, 4), pixels.
        width: of the picture, pixels.
        height: of the picture, pixels.

    Returns:
        (B, 4), (sx, sy, tx', ty'): a vertex lands at sx (X + tx'), sy (Y + ty') in [-1, 1] over the picture.
    """
    _check_last(camera, 3, "camera")
    _check_last(boxes, 4, "boxes")
    extent = boxes.new_tensor([width, height])
    scale = camera[:, :1] * boxes[:, 2:3] / extent  # (B, 2)
    offset = (boxes[:, :2] - extent / 2) / (extent / 2) / scale
    return torch.cat((scale, camera[:, 1:] + offset), 1)


def crop_to_image(points: Tensor, boxes: Tensor) -> Tensor:
    """Crop coordinates (B, J, 2) in [-1, 1] to pixels of the picture: centre + x side / 2."""
    _check_last(points, 2, "points")
    _check_last(boxes, 4, "boxes")
    return boxes[:, None, :2] + points * boxes[:, None, 2:3] / 2


def image_to_crop(points: Tensor, boxes: Tensor) -> Tensor:
    """Inverse of `crop_to_image`."""
    _check_last(points, 2, "points")
    _check_last(boxes, 4, "boxes")
    return (points - boxes[:, None, :2]) / (boxes[:, None, 2:3] / 2)


def pixels_to_crop(pixels: Tensor, size: int = CROP) -> Tensor:
    """Pixels of the crop, 0..size, to [-1, 1]: 2 x / size - 1."""
    return 2 * pixels / size - 1


def _check_last(values: Tensor, count: int, name: str) -> None:
    if values.ndim < 2 or values.shape[-1] != count:
        raise PosebookError(f"{name}: expected (..., {count}) with a leading dimension, got {tuple(values.shape)}.")
