"""Predictions that any trained model must beat. They take arrays only and know nothing of data sets.

All joints are (N, J, 3) metres in the camera frame (x right, y down, z forward); results are root-relative.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.metrics.checks import as_metres
from posebook.metrics.positions import root_relative

CHUNK = 1024  # test poses compared with all training poses at a time


def train_mean(train: Tensor, count: int, root: Sequence[int] = (0,)) -> Tensor:
    """Predict the training mean of the root-relative camera-frame joints for everyone. An honest row.

    Args:
        train: (M, J, 3) metres.
        count: number of predictions N.
        root: joints whose mean is the root.

    Returns:
        (N, J, 3) metres, root at 0.
    """
    return root_relative(_poses(train), root).mean(0).expand(count, -1, -1).clone()


def turned_mean(train: Tensor, train_orient: Tensor, test_orient: Tensor, root: Sequence[int] = (0,)) -> Tensor:
    """Predict the mean pose in the body's own frame, turned by each test person's true global_orient. An oracle row.

    x_n = R_n mean_m(R_m^T x_m), R from the axis-angle global_orient in the camera frame.

    Args:
        train: (M, J, 3) metres.
        train_orient: (M, 3) axis-angle, radians, body to camera.
        test_orient: (N, 3) axis-angle, radians, body to camera.
        root: joints whose mean is the root.

    Returns:
        (N, J, 3) metres, root at 0.
    """
    joints = root_relative(_poses(train), root)
    if len(train_orient) != len(joints):
        raise PosebookError(f"expected one train_orient per training pose: {len(train_orient)} for {len(joints)}.")
    upright = torch.einsum("mba,mjb->mja", _rotations(train_orient, joints), joints)  # R^T x
    return torch.einsum("nab,jb->nja", _rotations(test_orient, joints), upright.mean(0))


def nearest_by_2d(
    train: Tensor, train_2d: Tensor, train_box: Tensor, test_2d: Tensor, test_box: Tensor, root: Sequence[int] = (0,)
) -> Tensor:
    """Predict the 3D of the training pose whose true 2D is nearest. An oracle row: it uses the test set's true 2D.

    2D is measured from the box's centre in units of its longer side; distance is Euclidean over all joints.

    Args:
        train: (M, J, 3) metres.
        train_2d, test_2d: (M, K, 2), (N, K, 2) pixels; any joint set, the same in both.
        train_box, test_box: (M, 4), (N, 4) x, y of the top-left corner, width, height; pixels.
        root: joints whose mean is the root.

    Returns:
        (N, J, 3) metres, root at 0.
    """
    joints = root_relative(_poses(train), root)
    known, wanted = _in_box(train_2d, train_box, joints), _in_box(test_2d, test_box, joints)  # (M, 2K), (N, 2K)
    if len(known) != len(joints) or known.shape[1] != wanted.shape[1]:
        raise PosebookError(
            f"expected {len(joints)} training 2D poses over the same joints as the test's; "
            f"got {tuple(train_2d.shape)} and {tuple(test_2d.shape)}."
        )
    nearest = torch.cat([torch.cdist(part, known).argmin(1) for part in wanted.split(CHUNK)])  # (N,)
    return joints[nearest]


def _poses(train) -> Tensor:
    train = as_metres(train, "train", least_dims=3)
    if train.dim() != 3:
        raise PosebookError(f"train: expected (M, J, 3), got {tuple(train.shape)}.")
    return train


def _rotations(axis_angle, like: Tensor) -> Tensor:
    """Axis-angle (N, 3) -> matrices (N, 3, 3), as the exponential of the cross-product matrix."""
    v = torch.as_tensor(axis_angle).to(like)
    zero = torch.zeros_like(v[:, 0])
    x, y, z = v.unbind(-1)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(-1, 3, 3)
    return torch.linalg.matrix_exp(cross)


def _in_box(points, box, like: Tensor) -> Tensor:
    points, box = torch.as_tensor(points).to(like), torch.as_tensor(box).to(like)
    if points.dim() != 3 or points.shape[-1] != 2 or box.shape != (len(points), 4):
        raise PosebookError(f"expected 2D (N, K, 2), boxes (N, 4); got {tuple(points.shape)}, {tuple(box.shape)}.")
    centre, side = box[:, :2] + box[:, 2:] / 2, box[:, 2:].amax(-1)
    return ((points - centre[:, None]) / side[:, None, None]).flatten(1)
