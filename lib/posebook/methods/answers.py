"""What a method says of crops of a person, and where that stands in the whole picture and in space.

Camera frame: x right, y down, z forward, metres. Pixels are continuous, of the crop or of the whole picture.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from posebook.cameras import project
from posebook.models.decode import back_project
from posebook.models.i2l.crop import apply_affine

FOCAL = 1500.0  # pixels, I2L-MeshNet's official default for pictures of unknown cameras


class PictureAnswer(NamedTuple):
    """Points known in the crop, and in depth relative to the root: focal length and root depth decide their size."""

    vertices: Tensor | None  # (T, V, 3) pixels of the crop x and y, metres of depth behind the root
    joints: Tensor  # (T, J, 3) likewise


class BodyAnswer(NamedTuple):
    """A body in metres of its own: focal length and root depth decide where it stands, not how large it is."""

    vertices: Tensor | None  # (T, V, 3) metres, camera axes, root at the origin
    joints: Tensor  # (T, J, 3) likewise
    root: Tensor  # (T, 2) pixels of the crop
    scale: Tensor | None  # (T,) crop pixels per metre at the root; None: the method does not say how far it is


class View(NamedTuple):
    """What is assumed of the camera of the whole picture, and where the crop was cut."""

    to_crop: Tensor  # (2, 3) picture pixels to crop pixels
    focal: float  # pixels
    root_depth: float  # metres
    width: int  # of the picture, pixels
    height: int

    @property
    def K(self) -> Tensor:
        """(3, 3) with the principal point in the middle of the picture."""
        return torch.tensor([[self.focal, 0, self.width / 2], [0, self.focal, self.height / 2], [0, 0, 1.0]])


class Placed(NamedTuple):
    """One person in one picture."""

    vertices: Tensor | None  # (V, 3) metres, camera frame
    joints: Tensor  # (J, 3) metres, camera frame
    vertices_pixels: Tensor | None  # (V, 2) pixels of the whole picture
    joints_pixels: Tensor  # (J, 2)
    depth: float  # metres from the camera to the root

    @property
    def height(self) -> float:
        """Metres along the picture's vertical."""
        points = self.joints if self.vertices is None else self.vertices
        return float(points[:, 1].max() - points[:, 1].min())


def place(answer: PictureAnswer | BodyAnswer, row: int, view: View) -> Placed:
    """Put one row of an answer into the picture and into space.

    Points known in the crop: u = crop to picture; Z = z + root_depth; X = (u - cx) Z / f. A body in metres is moved to
    where its root is seen, at root_depth, or at f a / s if the method says s crop pixels per metre (a: crop pixels per
    picture pixel).
    """
    linear, offset = view.to_crop[:, :2].double(), view.to_crop[:, 2:].double()
    back = torch.linalg.inv(linear)
    to_picture = torch.cat((back, -back @ offset), 1).float()
    if isinstance(answer, PictureAnswer):
        parts = [None if p is None else _unproject(p[row], to_picture, view) for p in answer]
        return _placed(parts, view.root_depth)
    depth = view.root_depth if answer.scale is None else view.focal * float(linear[0, 0] / answer.scale[row])
    pixel = apply_affine(to_picture, answer.root[row][None].float())
    root = back_project(pixel[None], torch.tensor([[depth]]), view.K[None])[0]  # (1, 3)
    moved = [None if p is None else p[row].float() + root for p in (answer.vertices, answer.joints)]
    return _placed([None if p is None else (p, project(p, view.K)) for p in moved], depth)


def _unproject(points: Tensor, to_picture: Tensor, view: View) -> tuple[Tensor, Tensor]:
    """(P, 3) crop pixels and relative depth -> metres (P, 3) and picture pixels (P, 2)."""
    points = points.float()
    pixels = apply_affine(to_picture, points[:, :2])
    return back_project(pixels[None], points[None, :, 2] + view.root_depth, view.K[None])[0], pixels


def _placed(parts: list, depth: float) -> Placed:
    (vertices, vertices_pixels), (joints, joints_pixels) = ((None, None) if p is None else p for p in parts)
    return Placed(vertices, joints, vertices_pixels, joints_pixels, depth)


def default_root_depth(focal: float, box_side: float, extent: float = 2.0) -> float:
    """Metres at which the widened box is `extent` metres wide: I2L-MeshNet's bins are 2 m deep, so cubes stay cubes."""
    return focal * extent / box_side
