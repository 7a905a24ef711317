"""Anatomical degrees of freedom of the SMPL joints, their limits, and the way to and from rotations.

Each joint has a swing (two angles) and a twist about its bone:  R = exp(a A + b B) N exp(c C),  degrees in, C the
bone's direction in the T-pose. N is the neutral rotation: identity, except at the shoulders, where it lets the arm
hang (the left arm: -90 degrees about z), because limits of an arm are stated from hanging. A, B are perpendicular to
N C.

Axes are those of the LEFT side (x to the subject's left, y up, z ahead); a right joint is its mirror image in x ->
-x, under which a rotation vector (x, y, z) becomes (x, -y, -z). So the same positive number always means the same
thing on both sides.

Limits: rounded textbook ranges of active motion in healthy adults (of the kind that AAOS tabulates), our choice and not
copied number by number; the spine's total (flexion 65 + neck 60, side bend 33 + 40, twist 36 + 75 degrees) is split
over SMPL's five joints.
"""

from typing import NamedTuple

import numpy as np
import roma
import torch

from posebook.errors import PosebookError
from posebook.joints import SMPL24


class Dof(NamedTuple):
    """One angle: its name, its axis on the left side, its limits in degrees."""

    name: str
    axis: tuple[int, int, int]
    low: float
    high: float


_Y, _X = (0, 1, 0), (1, 0, 0)
_BACK_X, _SIDE_Z, _Z = (-1, 0, 0), (0, 0, -1), (0, 0, 1)


def _spine(flex: tuple[float, float], side: float, twist: float) -> tuple[Dof, Dof, Dof]:
    return Dof("flex", _X, *flex), Dof("side", _SIDE_Z, -side, side), Dof("twist", _Y, -twist, twist)


LIMITS: dict[str, tuple[Dof, Dof, Dof]] = {  # joint without left_/right_ -> first swing, second swing, twist
    "hip": (Dof("flex", _BACK_X, -30, 125), Dof("abd", _Z, -30, 60), Dof("out", _Y, -40, 50)),
    "knee": (Dof("flex", _X, -2, 150), Dof("side", _Z, 0, 0), Dof("out", _Y, -10, 10)),
    "ankle": (Dof("up", _BACK_X, -50, 35), Dof("evert", _Z, -30, 25), Dof("out", _Y, -25, 25)),
    "foot": (Dof("up", _BACK_X, -20, 65), Dof("side", _Z, 0, 0), Dof("out", _Y, 0, 0)),
    "spine1": _spine((-10, 25), 11, 10),
    "spine2": _spine((-10, 22), 11, 12),
    "spine3": _spine((-8, 18), 11, 14),
    "neck": _spine((-30, 30), 20, 40),
    "head": _spine((-30, 30), 20, 35),
    "collar": (Dof("raise", _Z, -10, 35), Dof("ahead", (0, -1, 0), -20, 25), Dof("roll", _X, 0, 0)),
    "shoulder": (Dof("flex", _BACK_X, -60, 175), Dof("abd", _Z, -40, 175), Dof("in", _X, -90, 90)),
    "elbow": (Dof("flex", (0, -1, 0), -2, 150), Dof("side", _Z, 0, 0), Dof("in", _X, -45, 45)),
    "wrist": (Dof("flex", _SIDE_Z, -65, 75), Dof("thumb", (0, -1, 0), -30, 22), Dof("in", _X, -45, 45)),
    "hand": (Dof("flex", _SIDE_Z, -10, 70), Dof("thumb", (0, -1, 0), 0, 0), Dof("in", _X, 0, 0)),
}
SHOULDER_SWING = 178.0  # largest total swing of the arm from hanging, degrees
MARGIN = 6.0  # soft_limit bends within this many degrees of a limit


def base_name(joint: str) -> str:
    """`left_knee` -> `knee`."""
    return joint.removeprefix("left_").removeprefix("right_")


class DofTable(NamedTuple):
    """LIMITS as arrays over SMPL joints 1..23, mirrored for the right side."""

    axes: torch.Tensor  # (23, 3 dofs, 3) float64
    low: np.ndarray  # (23, 3) degrees
    high: np.ndarray  # (23, 3) degrees
    neutral: torch.Tensor  # (23, 3, 3)
    index: dict[str, tuple[int, int]]  # "left_knee.flex" -> (joint - 1, dof)


def _build_table() -> DofTable:
    axes, low, high, index = np.zeros((23, 3, 3)), np.zeros((23, 3)), np.zeros((23, 3)), {}
    neutral = np.zeros((23, 3))
    for j, joint in enumerate(SMPL24.names[1:]):
        mirror = np.array([1, -1, -1]) if joint.startswith("right_") else np.ones(3)
        for d, dof in enumerate(LIMITS[base_name(joint)]):
            axes[j, d], low[j, d], high[j, d] = np.array(dof.axis) * mirror, dof.low, dof.high
            index[f"{joint}.{dof.name}"] = (j, d)
        if base_name(joint) == "shoulder":
            neutral[j] = np.array([0, 0, -np.pi / 2]) * mirror
    return DofTable(torch.tensor(axes), low, high, roma.rotvec_to_rotmat(torch.tensor(neutral)), index)


TABLE = _build_table()


def dof_index(name: str) -> tuple[int, int]:
    """(joint - 1, dof) of a name such as "left_knee.flex"."""
    if name not in TABLE.index:
        raise PosebookError(f"Unknown degree of freedom {name!r}; known: {', '.join(TABLE.index)}.")
    return TABLE.index[name]


def soft_limit(angles: np.ndarray) -> np.ndarray:
    """Bring angles (T, 23, 3) degrees inside the limits without a kink: near hi, hi - m + m tanh((x - hi + m) / m)."""
    room = np.minimum(MARGIN, (TABLE.high - TABLE.low) / 2) + 1e-9
    over = np.maximum(angles - (TABLE.high - room), 0)
    under = np.maximum(TABLE.low + room - angles, 0)
    limited = np.clip(angles, TABLE.low + room, TABLE.high - room)
    limited = limited + room * (np.tanh(over / room) - np.tanh(under / room))
    shoulders = [SMPL24.index("left_shoulder") - 1, SMPL24.index("right_shoulder") - 1]
    swing = np.linalg.norm(limited[:, shoulders, :2], axis=-1, keepdims=True)  # (T, 2, 1)
    excess = np.maximum(swing - (SHOULDER_SWING - MARGIN), 0)
    limited[:, shoulders, :2] *= (swing - excess + MARGIN * np.tanh(excess / MARGIN)) / np.maximum(swing, 1e-9)
    return limited


def dofs_to_rotations(angles: np.ndarray) -> torch.Tensor:
    """R = exp(a A + b B) N exp(c C) for each joint.

    Args:
        angles: (T, 23, 3) degrees.

    Returns:
        (T, 23, 3, 3) float64 parent-relative rotations of SMPL joints 1..23.
    """
    radians = torch.deg2rad(torch.as_tensor(angles, dtype=torch.float64))
    swing = torch.einsum("tjd,jdx->tjx", radians[..., :2], TABLE.axes[:, :2])
    twist = radians[..., 2:] * TABLE.axes[:, 2]
    return roma.rotvec_to_rotmat(swing) @ TABLE.neutral @ roma.rotvec_to_rotmat(twist)


def joint_rotation(angles: np.ndarray, joint: str) -> torch.Tensor:
    """`dofs_to_rotations` of one joint: (T, 3) degrees to (T, 3, 3)."""
    j = SMPL24.index(joint) - 1
    radians = torch.deg2rad(torch.as_tensor(angles, dtype=torch.float64))
    swing = roma.rotvec_to_rotmat(radians[:, :2] @ TABLE.axes[j, :2])
    return swing @ TABLE.neutral[j] @ roma.rotvec_to_rotmat(radians[:, 2:] * TABLE.axes[j, 2])


def rotations_to_dofs(rotations: torch.Tensor, joint: str) -> np.ndarray:
    """Inverse of `dofs_to_rotations` for one joint.

    With C' = N C the twist axis seen before the neutral rotation, q(R N^T) = swing * twist and the twist is the part of
    the quaternion along C'.

    Args:
        rotations: (T, 3, 3) rotations of `joint`.
        joint: name in SMPL24.

    Returns:
        (T, 3) degrees.
    """
    j = SMPL24.index(joint) - 1
    axis = TABLE.neutral[j] @ TABLE.axes[j, 2]
    quaternion = roma.rotmat_to_unitquat(rotations @ TABLE.neutral[j].T)  # (T, 4) xyzw
    twist = torch.cat(((quaternion[:, :3] @ axis)[:, None] * axis, quaternion[:, 3:]), 1)
    twist = twist / twist.norm(dim=1, keepdim=True).clamp_min(1e-12)
    swing = roma.unitquat_to_rotvec(roma.quat_product(quaternion, roma.quat_conjugation(twist)))
    angle = roma.unitquat_to_rotvec(twist) @ axis
    dofs = torch.cat((swing @ TABLE.axes[j, :2].T, angle[:, None]), 1)
    return torch.rad2deg(dofs).numpy()
