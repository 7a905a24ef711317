"""CMU motion capture on the SMPL skeleton.

Both skeletons stand in a T-pose: SMPL at rest, CMU in its added frame 0, but their bones do not point the same way
there (the CMU arms droop by 8 degrees, the hips of the two are different). With B_j(t) the global BVH rotation,

    G_j(t) = B_j(t) B_j(0)^T A_j,    A_j the smallest rotation from SMPL's rest bone direction to the CMU bone's in
    frame 0,

so each limb bone of the body points exactly where the BVH's own forward kinematics says. Trunk, head and feet have A
= 1: upright is upright and a flat sole is a flat sole, whatever the shapes of spine and foot. Toes, fingers and
thumbs were not captured. The conversion's zero-length thorax and hand bones change positions, not rotations, so they
do not matter here.
"""

from typing import NamedTuple

import numpy as np
import roma
import torch

from posebook.errors import PosebookError
from posebook.joints import SMPL24
from posebook.motion.bvh import Bvh, Motion, forward_kinematics
from posebook.motion.clip import FPS
from posebook.motion.plan import about
from posebook.motion.skeleton import Skeleton

METRES = 0.0254 / 0.45  # CMU file unit in metres (ASF length 0.45, inches)

# SMPL joint -> BVH joint whose rotation it takes, and the BVH child that gives the bone's direction (None: A = 1)
SOURCES: dict[str, tuple[str, str | None]] = {
    "pelvis": ("Hips", None), "spine1": ("LowerBack", None), "spine2": ("Spine", None), "spine3": ("Spine1", None),
    "neck": ("Neck", None), "head": ("Head", None),
    "left_hip": ("LeftUpLeg", "LeftLeg"), "left_knee": ("LeftLeg", "LeftFoot"), "left_ankle": ("LeftFoot", None),
    "right_hip": ("RightUpLeg", "RightLeg"), "right_knee": ("RightLeg", "RightFoot"),
    "right_ankle": ("RightFoot", None), "left_collar": ("LeftShoulder", None), "right_collar": ("RightShoulder", None),
    "left_shoulder": ("LeftArm", "LeftForeArm"), "left_elbow": ("LeftForeArm", "LeftHand"),
    "left_wrist": ("LeftHand", "LeftHandIndex1"), "right_shoulder": ("RightArm", "RightForeArm"),
    "right_elbow": ("RightForeArm", "RightHand"), "right_wrist": ("RightHand", "RightHandIndex1"),
}  # fmt: skip
CHILD = {"hip": "knee", "knee": "ankle", "shoulder": "elbow", "elbow": "wrist", "wrist": "hand"}
TOE_BEND = 0.9  # radians, the most that toes bend up
ANKLE_ROOM = 0.12  # metres above its lowest place within which an ankle belongs to a foot on the floor
HALF_TURN_SLACK = 0.35  # radians from an exact half turn
FINGER_NAMES = {"LeftHandIndex1": "LeftHandFinger1", "RightHandIndex1": "RightHandFinger1"}  # anny's spelling


class Retargeted(NamedTuple):
    """SMPL pose at the BVH's own frame rate, before floor and resampling."""

    rotations: torch.Tensor  # (T, 24, 3, 3) parent-relative, entry 0 global
    transl: torch.Tensor  # (T, 3) metres


def joint_indices(bvh: Bvh, source: str) -> dict[str, int]:
    """Index of each BVH joint that is needed; PosebookError if the skeleton is another one."""
    needed = {n for pair in SOURCES.values() for n in pair if n} | {"Neck1"}
    index = {name: bvh.names.index(name) for name in needed if name in bvh.names}
    for name, other in FINGER_NAMES.items():
        if name not in index and other in bvh.names:
            index[name] = bvh.names.index(other)
    if missing := sorted(needed - set(index)):
        raise PosebookError(
            f"{source}: not the CMU skeleton; joints {', '.join(missing[:6])}{' …' if len(missing) > 6 else ''} are "
            f"missing, the file has {', '.join(bvh.names[:6])} … Only BVH files of the CMU database can be retargeted."
        )
    if len(bvh.values) < 3:
        raise PosebookError(f"{source}: {len(bvh.values)} frames; expected the T-pose in frame 0 and motion after it.")
    return index


def smallest_rotation(start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    """Rotation (3, 3) of the smallest angle that takes direction `start` to direction `end` (not opposite)."""
    a, b = start / start.norm(), end / end.norm()
    axis = torch.linalg.cross(a, b)
    angle = torch.atan2(axis.norm(), a @ b)
    return roma.rotvec_to_rotmat(axis / axis.norm().clamp_min(1e-12) * angle)


def present_frames(bvh: Bvh) -> np.ndarray:
    """Indices of captured frames: without the T-pose in front and without frames whose root is at exactly zero."""
    captured = np.flatnonzero(np.any(bvh.values[:, :3] != 0, axis=1))
    return captured[captured > 0]


def retarget(bvh: Bvh, body: Skeleton, source: str = "BVH") -> Retargeted:
    """Put a CMU motion on the SMPL skeleton.

    Args:
        bvh: a CMU file, T-pose in frame 0.
        body: target skeleton.
        source: what to call the file in errors.

    Returns:
        Retargeted with one entry for each frame of the file, the T-pose included (see `present_frames`).

    Raises:
        PosebookError: another skeleton or no motion.
    """
    index = joint_indices(bvh, source)
    motion = without_half_turns(forward_kinematics(bvh), index["Hips"], present_frames(bvh))
    turned = {}  # SMPL joint -> (T, 3, 3) global
    for joint, (name, child) in SOURCES.items():
        moved = motion.rotations[:, index[name]] @ motion.rotations[0, index[name]].T
        if joint == "neck":  # CMU has two neck bones where SMPL has one: the rotation half-way between them
            upper = motion.rotations[:, index["Neck1"]] @ motion.rotations[0, index["Neck1"]].T
            moved = halfway(moved, upper)
        turned[joint] = moved
        if child:
            side, base = joint.split("_")
            bone = rest_bone(motion.positions[0], index[name], index[child])
            rest = body.joints[SMPL24.index(f"{side}_{CHILD[base]}")] - body.joints[SMPL24.index(joint)]
            turned[joint] = moved @ smallest_rotation(rest, bone)
    for side, name in (("left", "LeftFoot"), ("right", "RightFoot")):  # not captured: fingers follow the wrist
        turned[f"{side}_hand"] = turned[f"{side}_wrist"]
        turned[f"{side}_foot"] = rolled_toes(turned[f"{side}_ankle"], motion.positions[:, index[name], 1] * METRES)
    world = torch.stack([turned[n] for n in SMPL24.names], 1)  # (T, 24, 3, 3)
    local = world.clone()
    for j, p in enumerate(SMPL24.parents):
        local[:, j] = world[:, j] if p < 0 else world[:, p].mT @ world[:, j]
    return Retargeted(local, hip_path(motion.positions, index, world[:, 0], body))


def rolled_toes(foot: torch.Tensor, height: torch.Tensor) -> torch.Tensor:
    """Toes that stay flat on the floor under a raised heel, which CMU did not capture.

    A foot pitched down by p bends its toes up by p (at most TOE_BEND) where the ankle is low, and not at all in the
    air; without it the tip of a stiff foot would dig into the floor at every push-off.

    Args:
        foot: (T, 3, 3) global rotations.
        height: (T,) height of the ankle, metres.

    Returns:
        (T, 3, 3) global rotations of the toes.
    """
    pitch = torch.asin((-foot[:, 1, 2]).clamp(-1, 1)).clamp_min(0)  # how far the foot's z axis points down
    low = torch.exp(-(height - height.min() - ANKLE_ROOM).clamp_min(0) / 0.08)
    bend = low * TOE_BEND * torch.tanh(pitch / TOE_BEND)
    return foot @ roma.rotvec_to_rotmat(-bend[:, None] * torch.tensor([1.0, 0.0, 0.0], dtype=foot.dtype))


def rest_bone(positions: torch.Tensor, joint: int, child: int) -> torch.Tensor:
    """Direction of a bone in frame 0 (3,)."""
    return positions[child] - positions[joint]


def without_half_turns(motion: Motion, root: int, captured: np.ndarray) -> Motion:
    """Undo spurious half turns of the whole body about the vertical from one frame to the next (nine in our copy of
    13_26).

    Nobody turns by 180 degrees in 1/60 s; the stretch after such a jump is turned back about the root, up to the
    next one.
    """
    turn = motion.rotations[1:, root] @ motion.rotations[:-1, root].mT  # (T-1, 3, 3)
    back = about("y", torch.tensor(np.pi, dtype=torch.float64))
    jumps = roma.rotmat_geodesic_distance(turn, back.expand_as(turn)) < HALF_TURN_SLACK
    real = torch.zeros(len(turn) + 1, dtype=torch.bool)
    real[captured] = True  # from the T-pose to a subject who faces backwards is no jump
    jumps &= real[1:] & real[:-1]
    flipped = torch.cat((torch.zeros(1, dtype=torch.int64), jumps.cumsum(0))) % 2 == 1
    if not flipped.any():
        return motion
    rotations, positions = motion.rotations.clone(), motion.positions.clone()
    centre = positions[flipped, root, None]
    rotations[flipped] = back @ rotations[flipped]
    positions[flipped] = centre + (positions[flipped] - centre) @ back.T
    return Motion(rotations, positions)


def halfway(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Rotation in the middle between two (T, 3, 3): a exp(log(a^T b) / 2)."""
    return a @ roma.rotvec_to_rotmat(roma.rotmat_to_rotvec(a.mT @ b) / 2)


def hip_path(positions: torch.Tensor, index: dict[str, int], pelvis: torch.Tensor, body: Skeleton) -> torch.Tensor:
    """transl that puts the middle of the body's hips on the middle of the CMU hips, the path scaled by leg length.

    scale = leg(body) / leg(CMU);  J_0 + transl + G_0 (m - J_0) = scale * metres * hips, m the middle of the rest hips.

    Returns:
        (T, 3) metres.
    """
    chain = [("LeftUpLeg", "LeftLeg"), ("LeftLeg", "LeftFoot"), ("RightUpLeg", "RightLeg"), ("RightLeg", "RightFoot")]
    leg = sum((positions[0, index[a]] - positions[0, index[b]]).norm() for a, b in chain) / 2 * METRES
    hips = (positions[:, index["LeftUpLeg"]] + positions[:, index["RightUpLeg"]]) / 2 * METRES
    middle = (body.joints[1] + body.joints[2]) / 2 - body.joints[0]
    return hips * (body.leg_length / leg) - pelvis @ middle - body.joints[0]


def resample(motion: Retargeted, at: np.ndarray, fps: float) -> Retargeted:
    """Bring frames taken at irregular indices to 30 fps: slerp for rotations, linear for the path.

    Args:
        motion: T frames that are present.
        at: (T,) their indices in the file, increasing.
        fps: capture rate of the file.

    Returns:
        Retargeted at FPS, from the first to the last frame.
    """
    seconds = (at - at[0]) / fps
    wanted = np.arange(int(np.floor(seconds[-1] * FPS + 1e-6)) + 1) / FPS
    left = np.clip(np.searchsorted(seconds, wanted + 1e-9, side="right") - 1, 0, len(at) - 2)
    share = torch.tensor((wanted - seconds[left]) / (seconds[left + 1] - seconds[left])).clamp(0, 1)
    a, b = motion.rotations[left], motion.rotations[left + 1]
    turn = roma.rotmat_to_rotvec(a.mT @ b) * share[:, None, None]
    path = motion.transl[left] * (1 - share[:, None]) + motion.transl[left + 1] * share[:, None]
    return Retargeted(a @ roma.rotvec_to_rotmat(turn), path)
