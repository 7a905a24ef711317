"""Plotly's 3D camera in numpy, so that PNG twins show what the live figure shows."""

from typing import NamedTuple

import numpy as np

from posebook.plots.style import EYE, FIELD_OF_VIEW


class Projected(NamedTuple):
    """Points on the picture plane."""

    xy: np.ndarray  # (N, 2) x right, y up; -1..1 spans the picture's height
    distance: np.ndarray  # (N,) along the viewing direction, in sides of the scene's cube


class Perspective:
    """Camera of a plotly scene.

    Args:
        ranges: (3, 2) axis ranges; the box they span is the unit cube round the origin, as aspectmode "cube" has it.
        eye: camera position in sides of that cube; it looks at the origin, y up.
    """

    def __init__(self, ranges: np.ndarray, eye: tuple[float, float, float] = EYE):
        self.ranges = np.asarray(ranges, dtype=float)
        self.eye = np.asarray(eye, dtype=float)
        back = self.eye / np.linalg.norm(self.eye)
        right = np.cross([0.0, 1.0, 0.0], back)
        right /= np.linalg.norm(right)
        self.axes = np.stack((right, np.cross(back, right), -back))  # rows: right, up, forward

    @classmethod
    def of(cls, figure) -> "Perspective":
        """Camera of a figure of this package."""
        scene = figure.layout.scene
        ranges = [scene[f"{a}axis"].range for a in "xyz"]
        return cls(np.array(ranges), tuple(scene.camera.eye[a] for a in "xyz"))

    def __call__(self, points: np.ndarray) -> Projected:
        """Project points (N, 3) of the figure's frame."""
        middle, length = self.ranges.mean(1), np.ptp(self.ranges, axis=1)
        local = ((np.asarray(points, dtype=float) - middle) / length - self.eye) @ self.axes.T
        focal = 1 / np.tan(np.radians(FIELD_OF_VIEW) / 2)
        return Projected(focal * local[:, :2] / local[:, 2:], local[:, 2])

    def toward(self, normals: np.ndarray) -> np.ndarray:
        """Cosine between normals (N, 3) and the direction to the viewer."""
        length = np.linalg.norm(normals, axis=1)
        return normals @ -self.axes[2] / np.maximum(length, 1e-12)
