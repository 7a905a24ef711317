"""HumanEva-I as VideoPose3D's scripts make it: npz with pickled dictionaries, and the dataset's .cal files."""

from pathlib import Path

import numpy as np
import people

FRAMES = 5
FOCAL, CENTRE = (765.3, 763.1), (321.2, 252.6)
K1, K2, P1, P2, K3 = -0.31, 0.19, 0.0012, -0.0007, -0.05  # OpenCV's lens
HUMANEVA = [0, 12, 16, 18, 20, 17, 19, 21, 1, 4, 7, 2, 5, 8, 15]


def lens(points: np.ndarray) -> np.ndarray:
    """OpenCV's projection, written out."""
    x, y = points[..., 0] / points[..., 2], points[..., 1] / points[..., 2]
    r2 = x * x + y * y
    radial = 1 + K1 * r2 + K2 * r2**2 + K3 * r2**3
    u = x * radial + 2 * P1 * x * y + P2 * (r2 + 2 * x * x)
    v = y * radial + P1 * (r2 + 2 * y * y) + 2 * P2 * x * y
    return np.stack([FOCAL[0] * u + CENTRE[0], FOCAL[1] * v + CENTRE[1]], -1)


def write(root: Path, attack=None) -> np.ndarray:
    """Chunk `Walking 1 chunk0` of Train/S1; returns world joints (N, 15, 3), metres."""
    world = (people.person(FRAMES).joints @ people.Z_TO_Y)[:, HUMANEVA]
    seen = []
    for k in range(3):
        R, t = people.camera_z_up(angle=0.3 * k)
        seen.append(lens(world @ R.T + t).astype(np.float32))
        numbers = [*FOCAL, *CENTRE, 0.0, K1, K2, P1, P2, K3, *R.ravel(), *(1000 * t)]
        for s in ("S1", "S2", "S3"):
            path = root / s / "Calibration_Data" / f"C{k + 1}.cal"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(map(str, numbers)))
    three = {"Train/S1": {"Walking 1 chunk0": world.astype(np.float32)}}
    if attack is not None:
        three["Train/S2"] = attack
    np.savez(root / "data_3d_humaneva15.npz", positions_3d=np.array(three, dtype=object))
    two = {"Train/S1": {"Walking 1 chunk0": seen}}
    np.savez(root / "data_2d_humaneva15_gt.npz", positions_2d=np.array(two, dtype=object),
             metadata=np.array({"num_joints": 15}, dtype=object))  # fmt: skip
    return world
