"""Cameras of datasets: from world to camera frame for points and for SMPL's parameters, and lenses.

X_camera = R X_world + t. SMPL turns about its pelvis J0 at rest, so rotating a posed body by R and moving it by t is
not the same as rotating its translation:

    global_orient' = R global_orient,    transl' = R transl + t - J0 + R J0

Source: specs/data.md sections 1.1 and 1.5.
"""

import numpy as np
from scipy.spatial.transform import Rotation

from posebook.errors import PosebookError


def rotate_orient(R: np.ndarray, global_orient: np.ndarray) -> np.ndarray:
    """Axis-angle of R exp(global_orient): (n or nothing, 3, 3) and (n, 3) -> (n, 3)."""
    return (Rotation.from_matrix(R) * Rotation.from_rotvec(global_orient)).as_rotvec()


def camera_transl(R: np.ndarray, t: np.ndarray, transl: np.ndarray, pelvis: np.ndarray) -> np.ndarray:
    """SMPL's translation in the camera frame.

    Args:
        R, t: world to camera, (n, 3, 3) or (3, 3) and (n, 3) or (3,), metres.
        transl: (n, 3) in the world.
        pelvis: (n, 3) or (3,) J0: SMPL's pelvis at rest, without translation.

    Returns:
        (n, 3).
    """
    return apply(R, transl + pelvis) + t - pelvis


def apply(R: np.ndarray, points: np.ndarray) -> np.ndarray:
    """R x of points (n, 3) or (n, J, 3) by (3, 3) or (n, 3, 3)."""
    return np.einsum("...rc,...c->...r", R if points.ndim == 2 or R.ndim == 2 else R[:, None], points)


def check_rotation(R: np.ndarray, where: str) -> None:
    """PosebookError unless every matrix is a rotation: R R^T = 1, determinant +1."""
    R = np.asarray(R, dtype=np.float64)
    error = np.abs(R @ np.swapaxes(R, -1, -2) - np.eye(3)).max()
    if error > 1e-3:
        raise PosebookError(f"{where}: the camera's 3 x 3 matrix is no rotation (R R^T differs from 1 by {error:.2g}).")
    if (np.linalg.det(R) < 0).any():
        raise PosebookError(f"{where}: the camera's rotation has determinant -1: a left-handed, mirrored frame.")


def intrinsics(focal, centre) -> np.ndarray:
    """(3, 3) of focal lengths and principal point in pixels."""
    (fx, fy), (cx, cy) = np.broadcast_to(focal, 2), centre
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]], dtype=np.float64)


def project_lens(points: np.ndarray, K: np.ndarray, distortion: np.ndarray, opencv: bool = False) -> np.ndarray:
    """Human3.6M's camera with its lens, or OpenCV's (HumanEva).

    With n = (x / z, y / z), r2 = |n|^2 and q = (p2, p1):
    uv = f (n (1 + k1 r2 + k2 r2^2 + k3 r2^3 + q . n) + q r2) + c. OpenCV's form has 2 q . n; taken
    for Human3.6M's it is 0.2 px off.

    Args:
        points: (..., 3) metres, camera frame.
        K: (3, 3) without skew.
        distortion: (5,) k1 k2 k3 p1 p2, in the order of metadata.xml.
        opencv: OpenCV's tangential form.

    Returns:
        (..., 2) pixels. Source: specs/data.md section 1.1.
    """
    k, q = np.asarray(distortion[:3], np.float64), np.asarray(distortion[[4, 3]], np.float64)
    n = points[..., :2] / points[..., 2:]
    r2 = (n**2).sum(-1, keepdims=True)
    radial = 1 + k[0] * r2 + k[1] * r2**2 + k[2] * r2**3 + (2 if opencv else 1) * (n * q).sum(-1, keepdims=True)
    return (n * radial + q * r2) * np.array([K[0, 0], K[1, 1]]) + K[:2, 2]
