"""What an action writes down before it becomes a motion: joint angles, pelvis attitude, foot paths or stride."""

from dataclasses import dataclass, field

import numpy as np
import roma
import torch

from posebook.motion.limits import TABLE, dof_index

SIDES = ("left", "right")


@dataclass
class Plan:
    """A motion in anatomical terms, in the frame of the subject's heading (x left, y up, z ahead), degrees and metres.

    `stride` False: the feet follow `ball`, `toe_out`, `heel_up`; the legs' angles come from inverse kinematics.
    `stride` True: the legs' angles are in `angles`, and the body moves so that the foot on the floor stays where it is.
    """

    frames: int
    stride: bool = False
    angles: np.ndarray = field(init=False)  # (T, 23, 3) degrees, see limits.TABLE
    pelvis: np.ndarray = field(init=False)  # (T, 3) pitch (bows ahead), roll (to the left), yaw (turns left), degrees
    heading: np.ndarray = field(init=False)  # (T,) degrees, turns left
    drop: np.ndarray = field(init=False)  # (T,) metres: how far the pelvis sinks below standing
    sway: np.ndarray = field(init=False)  # (T, 2) metres: x, z of the balance point from the middle of the support
    seat: np.ndarray = field(init=False)  # (T,) 0 balanced on the feet .. 1 pelvis at `seat_at` behind the feet
    seat_at: float = -0.35  # metres: pelvis ahead of the ankles when seated
    support: np.ndarray = field(init=False)  # (T, 2) share of weight on left, right foot
    ball: np.ndarray = field(init=False)  # (T, 2, 3) metres: ball of left, right foot from where it is in the rest pose
    toe_out: np.ndarray = field(init=False)  # (T, 2) degrees
    heel_up: np.ndarray = field(init=False)  # (T, 2) degrees
    airborne: list[tuple[int, int]] = field(default_factory=list)  # stride only: [first, last] frames of jumps
    hover: np.ndarray = field(init=False)  # (T,) metres above the floor (running), stride only

    def __post_init__(self) -> None:
        t = self.frames
        self.angles, self.pelvis = np.zeros((t, 23, 3)), np.zeros((t, 3))
        self.heading, self.drop, self.seat, self.hover = np.zeros(t), np.zeros(t), np.zeros(t), np.zeros(t)
        self.sway, self.support, self.ball = np.zeros((t, 2)), np.full((t, 2), 0.5), np.zeros((t, 2, 3))
        self.toe_out, self.heel_up = np.zeros((t, 2)), np.zeros((t, 2))

    def add(self, **curves: np.ndarray | float) -> None:
        """Add degrees to angles: `plan.add(left_knee_flex=curve)`; "both_" means either side."""
        for name, curve in curves.items():
            joint, dof = name.rsplit("_", 1)
            for side in SIDES if joint.startswith("both_") else ("",):
                j, d = dof_index(f"{joint.replace('both', side, 1) if side else joint}.{dof}")
                self.angles[:, j, d] += curve

    def bow(self, degrees: np.ndarray | float, dof: str = "flex") -> None:
        """Spread a bend or turn of the trunk over SMPL's three spine joints in proportion to their range."""
        names = [f"spine{k}.{dof}" for k in (1, 2, 3)]
        ranges = np.array([TABLE.high[dof_index(n)] for n in names])
        for name, share in zip(names, ranges / ranges.sum(), strict=True):
            self.angles[:, dof_index(name)[0], dof_index(name)[1]] += share * degrees

    def look(self, degrees: np.ndarray | float, dof: str = "twist") -> None:
        """Turn or nod the head: half at the neck, half at the head."""
        for name in ("neck", "head"):
            j, d = dof_index(f"{name}.{dof}")
            self.angles[:, j, d] += np.asarray(degrees) / 2

    def pelvis_rotations(self) -> torch.Tensor:
        """Ry(yaw) Rx(pitch) Rz(-roll) in the heading's frame. Returns (T, 3, 3) float64."""
        pitch, roll, yaw = torch.tensor(self.pelvis).deg2rad().T
        return about("y", yaw) @ about("x", pitch) @ about("z", -roll)


def about(axis: str, radians: torch.Tensor) -> torch.Tensor:
    """Rotations about a coordinate axis. Args: axis "x" "y" "z", radians (...,). Returns (..., 3, 3)."""
    unit = torch.eye(3, dtype=radians.dtype)["xyz".index(axis)]
    return roma.rotvec_to_rotmat(radians[..., None] * unit)
