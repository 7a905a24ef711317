"""Pinhole cameras: look-at in a y-up world, crops that point at the person, projection.

X_camera = R X_world + t, u = fx x / z + cx, v = fy y / z + cy, in continuous pixels.
"""

from typing import NamedTuple

import numpy as np

FULL_SIZE = 1000.0  # pixels of the imagined full picture a crop is taken from
FULL_FOCAL = 1150.0  # its focal length, pixels: the field of view of Human3.6M's cameras


class Camera(NamedTuple):
    """World to camera."""

    R: np.ndarray  # (3, 3)
    t: np.ndarray  # (3,) metres


def look_at(position: np.ndarray, target: np.ndarray) -> Camera:
    """Camera at `position` whose z axis passes through `target`; the picture's vertical is the world's.

    Args:
        position: (3,) camera centre, metres, world frame (y up).
        target: (3,) point on the optical axis, metres, world frame.

    Returns:
        Camera with rows of R the camera's x (right), y (down) and z (forward) axes in the world.
    """
    forward = target - position
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, np.array([0.0, 1.0, 0.0]))
    right = right / np.linalg.norm(right)
    R = np.stack([right, np.cross(forward, right), forward])
    return Camera(R, -R @ position)


def orbit(target: np.ndarray, heading: float, azimuth: float, elevation: float, distance: float) -> np.ndarray:
    """Camera centre on a sphere round a person.

    Args:
        target: (3,) metres, world frame.
        heading: radians about y, 0 when the person faces world +z.
        azimuth: radians from the heading; 0 sees the person's front, pi the back.
        elevation: radians above the horizontal.
        distance: metres.

    Returns:
        (3,) metres, world frame.
    """
    angle = heading + azimuth
    flat = np.cos(elevation)
    return target + distance * np.array([np.sin(angle) * flat, np.sin(elevation), np.cos(angle) * flat])


def project(points: np.ndarray, K: np.ndarray) -> np.ndarray:
    """Pinhole projection.

    Args:
        points: (..., J, 3) metres, camera frame, z > 0.
        K: (..., 3, 3) pixels.

    Returns:
        (..., J, 2) continuous pixels.
    """
    image = points @ np.swapaxes(K, -1, -2)
    return image[..., :2] / image[..., 2:]


def unproject(pixels: np.ndarray, depth: np.ndarray, K: np.ndarray) -> np.ndarray:
    """Inverse of `project`: (..., J, 2) pixels and (..., J) depths in metres to (..., J, 3) metres."""
    rays = np.concatenate([pixels, np.ones_like(pixels[..., :1])], -1) @ np.swapaxes(np.linalg.inv(K), -1, -2)
    return rays * depth[..., None]


def crop_box(pixels: np.ndarray, margin: float) -> np.ndarray:
    """Square box round 2D points, sides (1 + 2 margin) times the larger extent.

    Args:
        pixels: (V, 2) full-picture pixels.
        margin: share of the extent added on each side.

    Returns:
        (4,) x, y, width, height.
    """
    low, high = pixels.min(0), pixels.max(0)
    side = (high - low).max() * (1 + 2 * margin)
    corner = (low + high) / 2 - side / 2
    return np.array([*corner, side, side])


def full_K() -> np.ndarray:
    """(3, 3) pinhole matrix of the imagined full picture, centred."""
    return np.array([[FULL_FOCAL, 0, FULL_SIZE / 2], [0, FULL_FOCAL, FULL_SIZE / 2], [0, 0, 1]])


def crop_K(K: np.ndarray, box: np.ndarray, size: int) -> np.ndarray:
    """Pinhole matrix after cutting `box` out of the picture and scaling it to size x size pixels."""
    scale = size / box[2]
    return np.diag([scale, scale, 1.0]) @ (K - np.array([[0, 0, box[0]], [0, 0, box[1]], [0, 0, 0]]))
