"""Standing on planted feet: where the pelvis must be for balance and reach, and the leg angles that hold the feet.

Two-bone inverse kinematics in closed form. With u = hip to knee and v = knee to ankle at rest and a knee that turns
by f about x, |u + Rx(f) v|^2 = |u|^2 + |v|^2 + 2 (a + b cos f + c sin f) is solved for f; the hip then turns that
vector onto the target, the knee pointing where the toes point.
"""

from typing import NamedTuple

import numpy as np
import torch

from posebook.joints import SMPL24
from posebook.motion.limits import dofs_to_rotations, rotations_to_dofs
from posebook.motion.plan import SIDES, Plan, about
from posebook.motion.skeleton import Skeleton, forward

# Shares of body mass at the joints' bones above the legs (Winter 2009, table 4.1), the legs making up the rest.
MASS = {"pelvis": 0.142, "spine1": 0.10, "spine2": 0.10, "spine3": 0.155, "head": 0.081, "left_elbow": 0.028,
        "right_elbow": 0.028, "left_wrist": 0.022, "right_wrist": 0.022}  # fmt: skip
UPPER = sum(MASS.values())
STRAIGHT = 0.997  # a standing leg is at most this share of its full reach: nobody locks the knees
SOFT = 0.012  # metres over which limits on the pelvis' height blend


class Feet(NamedTuple):
    """Where both ankles must be, in the heading's frame with the floor at y = 0."""

    ankles: torch.Tensor  # (T, 2, 3) metres
    rotations: torch.Tensor  # (T, 2, 3, 3)


def standing_rest(body: Skeleton) -> torch.Tensor:
    """Rest joints raised so that the lowest sole vertex is at y = 0. Returns (24, 3) metres."""
    return body.joints - torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64) * body.soles[:, 1].min()


def place_feet(rest: torch.Tensor, plan: Plan) -> Feet:
    """Turn each foot about its ball: out by toe_out, heel up by heel_up."""
    ankles, rotations = [], []
    for s, (side, sign) in enumerate(zip(SIDES, (1, -1), strict=True)):
        ankle, ball = rest[SMPL24.index(f"{side}_ankle")], rest[SMPL24.index(f"{side}_foot")]
        turn = about("y", sign * torch.tensor(plan.toe_out[:, s]).deg2rad())
        turn = turn @ about("x", torch.tensor(plan.heel_up[:, s]).deg2rad())
        rotations.append(turn)
        ankles.append(ball + torch.tensor(plan.ball[:, s]) + turn @ (ankle - ball))
    return Feet(torch.stack(ankles, 1), torch.stack(rotations, 1))


def place_pelvis(rest: torch.Tensor, plan: Plan, turned: torch.Tensor, feet: Feet) -> torch.Tensor:
    """Pelvis position that keeps the centre of mass over the feet, or on the seat, and within the legs' reach.

    Args:
        rest: (24, 3) from `standing_rest`.
        plan: the motion.
        turned: (T, 24, 3, 3) parent-relative rotations with the upper body in place.
        feet: targets.

    Returns:
        (T, 3) metres.
    """
    upper = forward(rest, turned, -rest[0].expand(plan.frames, 3)).joints  # pelvis at the origin
    mass = sum(share * upper[:, SMPL24.index(name)] for name, share in MASS.items())  # (T, 3)
    support = torch.tensor(plan.support)[..., None]
    target = (support * feet.ankles).sum(1) + torch.tensor(np.c_[plan.sway[:, :1], 0 * plan.drop, plan.sway[:, 1:]])
    target[:, 2] += 0.04  # the weight rests a little ahead of the ankles
    middle = feet.ankles.mean(1)
    legs = 1 - UPPER  # their mass is half-way between pelvis and ankles
    balanced = (target - mass - legs / 2 * middle) / (UPPER + legs / 2)
    seated = middle + torch.tensor([0.0, 0.0, plan.seat_at], dtype=torch.float64)
    share = torch.tensor(plan.seat)[:, None]
    pelvis = (1 - share) * balanced + share * seated
    pelvis[:, 1] = rest[0, 1] - torch.tensor(plan.drop)
    return limit_height(rest, plan, turned[:, 0], feet, pelvis)


def limit_height(rest: torch.Tensor, plan: Plan, root: torch.Tensor, feet: Feet, pelvis: torch.Tensor) -> torch.Tensor:
    """Sink the pelvis where a leg that carries weight would not reach its foot (a soft minimum over the two legs)."""
    heights = [pelvis[:, 1]]
    for s, side in enumerate(SIDES):
        hip, knee, ankle = (rest[SMPL24.index(f"{side}_{n}")] for n in ("hip", "knee", "ankle"))
        reach = STRAIGHT * ((knee - hip).norm() + (ankle - knee).norm())
        offset = root @ (hip - rest[0])
        flat = (feet.ankles[:, s] - pelvis - offset)[:, [0, 2]].square().sum(1)
        up = (reach**2 - flat).clamp_min(1e-4).sqrt() + feet.ankles[:, s, 1] - offset[:, 1]
        heights.append(up + 2 * (1 - torch.tensor(plan.support[:, s]) * 2).clamp_min(0))  # a free leg does not bind
    stacked = torch.stack(heights)
    pelvis[:, 1] = -SOFT * torch.logsumexp(-stacked / SOFT, 0)
    return pelvis


def bend_knee(u: torch.Tensor, v: torch.Tensor, distance: torch.Tensor) -> torch.Tensor:
    """Knee angle (T,) radians about x at which hip and ankle are `distance` (T,) metres apart."""
    a, b, c = u[0] * v[0], u[1] * v[1] + u[2] * v[2], u[2] * v[1] - u[1] * v[2]
    size = torch.hypot(b, c)
    cosine = ((distance**2 - u.square().sum() - v.square().sum()) / 2 - a) / size
    return torch.atan2(c, b) + torch.arccos(soft_top(cosine).clamp_min(-1))


def soft_top(x: torch.Tensor, top: float = 0.9995, width: float = 0.002) -> torch.Tensor:
    """Smooth minimum of x and `top` < 1: near 1 arccos is infinitely steep and a leg at full stretch would snap."""
    return -width * torch.logaddexp(-x / width, torch.full_like(x, -top / width))


def frame_of(along: torch.Tensor, lateral: torch.Tensor) -> torch.Tensor:
    """Right-handed frames (T, 3, 3) whose first column is `along`, second the part of `lateral` across it."""
    first = along / along.norm(dim=-1, keepdim=True)
    second = lateral - (lateral * first).sum(-1, keepdim=True) * first
    second = second / second.norm(dim=-1, keepdim=True)
    return torch.stack((first, second, torch.linalg.cross(first, second)), -1)


def solve_legs(rest: torch.Tensor, plan: Plan, turned: torch.Tensor, feet: Feet, pelvis: torch.Tensor) -> None:
    """Write hip, knee, ankle and toe angles into `plan.angles` so that the feet are where `feet` says."""
    root = turned[:, 0]
    for s, side in enumerate(SIDES):
        hip, knee, ankle, toe = (SMPL24.index(f"{side}_{n}") for n in ("hip", "knee", "ankle", "foot"))
        u, v = rest[knee] - rest[hip], rest[ankle] - rest[knee]
        gap = feet.ankles[:, s] - pelvis - root @ (rest[hip] - rest[0])  # (T, 3)
        flex = bend_knee(u, v, gap.norm(dim=-1))
        knee_turn = about("x", flex)
        lateral = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64).expand_as(gap)
        goal = frame_of(gap, feet.rotations[:, s] @ lateral[0])
        hip_turn = root.mT @ goal @ frame_of(u + knee_turn @ v, lateral).mT
        ankle_turn = (root @ hip_turn @ knee_turn).mT @ feet.rotations[:, s]
        plan.angles[:, hip - 1] = rotations_to_dofs(hip_turn, f"{side}_hip")
        plan.angles[:, knee - 1, 0] = torch.rad2deg(flex).numpy()
        plan.angles[:, ankle - 1] = rotations_to_dofs(ankle_turn, f"{side}_ankle")
        on_floor = np.exp(-np.maximum(plan.ball[:, s, 1], 0) / 0.03)  # toes stay flat under a raised heel
        plan.angles[:, toe - 1, 0] += on_floor * plan.heel_up[:, s]


def stand(body: Skeleton, plan: Plan) -> torch.Tensor:
    """Solve balance and legs of a planted plan in place. Returns the pelvis' path (T, 3) in the heading's frame."""
    rest = standing_rest(body)
    turned = torch.cat((plan.pelvis_rotations()[:, None], dofs_to_rotations(plan.angles)), 1)
    feet = place_feet(rest, plan)
    pelvis = place_pelvis(rest, plan, turned, feet)
    solve_legs(rest, plan, turned, feet, pelvis)
    return pelvis
