"""Cameras inside a loss: pinhole projection with a given K, and Neural Body Fitting's fixed camera."""

from typing import NamedTuple

import torch
from torch import Tensor

from posebook.errors import PosebookError

NEAREST = 1e-3  # metres; what lies nearer or behind is projected as if there, so that a loss stays finite
NBF_FOCAL = 5000.0  # pixels of a 512 px crop; specs/nbf.md section 4
NBF_CROP = 512
NBF_DISTANCE = 20.3  # metres


class FixedCamera(NamedTuple):
    """A camera that is the same for every picture: what scale and place a person has is up to how crops are cut."""

    K: Tensor  # (3, 3) pixels
    distance: float  # metres along z at which the body stands

    @property
    def pixels_per_metre(self) -> float:
        """Scale of what stands at `distance`."""
        return float(self.K[0, 0]) / self.distance


def project(points: Tensor, K: Tensor) -> Tensor:
    """Pinhole: u = fx x / z + skew y / z + cx, v = fy y / z + cy.

    Args:
        points: (..., J, 3) metres, camera frame.
        K: (..., 3, 3) pixels; leading dimensions broadcast.

    Returns:
        (..., J, 2) continuous pixels. Depths under a millimetre count as one.

    Raises:
        PosebookError: other shapes.
    """
    if points.shape[-1] != 3 or tuple(K.shape[-2:]) != (3, 3):
        raise PosebookError(f"Expected points (..., J, 3), K (..., 3, 3); got {tuple(points.shape)}, {tuple(K.shape)}.")
    depth = points[..., 2:].clamp(min=NEAREST)
    rays = torch.cat((points[..., :2] / depth, torch.ones_like(depth)), -1)  # (..., J, 3)
    return rays @ K[..., :2, :].transpose(-1, -2).to(rays)


def nbf_camera(size: int) -> FixedCamera:
    """Neural Body Fitting's camera for crops of size x size: nearly weak perspective, 246 px a metre on 512 px.

    Source: specs/nbf.md section 4: focal 5000 px on 512 (2187.5 on 224), principal point in the centre, 20.3 m away.
    """
    focal, centre = NBF_FOCAL * size / NBF_CROP, size / 2
    return FixedCamera(torch.tensor([[focal, 0, centre], [0, focal, centre], [0, 0, 1.0]]), NBF_DISTANCE)
