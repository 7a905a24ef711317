"""Forward kinematics of the mean body's SMPL skeleton and its soles, and how a motion is put on the floor."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import roma
import torch
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from posebook.joints import SMPL24

SOLE_POINTS = 24  # lowest vertices kept for each of heel and toes, per foot


class Skeleton(NamedTuple):
    """Rest pose of the mean free body (betas 0), metres, SMPL axes."""

    joints: torch.Tensor  # (24, 3) float64
    soles: torch.Tensor  # (S, 3) rest positions of vertices under the feet
    weights: torch.Tensor  # (S, 24) their skinning weights

    @property
    def leg_length(self) -> float:
        """Hip to knee to ankle, mean of both legs, metres."""
        j = self.joints
        return float(sum((j[a] - j[b]).norm() for a, b in ((1, 4), (4, 7), (2, 5), (5, 8))) / 2)


@lru_cache(maxsize=1)
def skeleton() -> Skeleton:
    """Rest joints and sole vertices of the mean free body, read once per process."""
    from posebook.body import load_body  # here, so that BVH files can be read without baking a body

    body = load_body("free", level="full")
    template = body.v_template.detach().double()
    weights = body.lbs_weights.detach().double()
    joints = body.J_regressor.detach().double() @ template
    chosen = []
    for ankle, foot in ((7, 10), (8, 11)):
        on_foot = weights[:, ankle] + weights[:, foot] > 0.5
        ball = joints[foot, 2]
        for part in (on_foot & (template[:, 2] < ball - 0.05), on_foot & (template[:, 2] >= ball - 0.05)):
            candidates = part.nonzero().flatten()
            chosen.append(candidates[template[candidates, 1].argsort()[:SOLE_POINTS]])
            chosen.append(candidates[template[candidates, 2].argsort()[[0, -1]]])  # rearmost and foremost
    rows = torch.cat(chosen)
    return Skeleton(joints, template[rows], weights[rows])


class Posed(NamedTuple):
    """Global rotations and joint positions."""

    rotations: torch.Tensor  # (T, 24, 3, 3)
    joints: torch.Tensor  # (T, 24, 3) metres


def forward(rest: torch.Tensor, rotations: torch.Tensor, transl: torch.Tensor | None = None) -> Posed:
    """SMPL forward kinematics: G_j = G_p R_j,  x_j = x_p + G_p (J_j - J_p),  x_0 = J_0 + transl.

    Args:
        rest: (24, 3) rest joints, metres.
        rotations: (T, 24, 3, 3) parent-relative; entry 0 is the global orientation.
        transl: (T, 3) metres, zero if None.

    Returns:
        Posed.
    """
    root = rest[0].expand(len(rotations), 3)
    turned, placed = [rotations[:, 0]], [root if transl is None else root + transl]
    for j, p in enumerate(SMPL24.parents[1:], start=1):
        turned.append(turned[p] @ rotations[:, j])
        placed.append(placed[p] + turned[p] @ (rest[j] - rest[p]))
    return Posed(torch.stack(turned, 1), torch.stack(placed, 1))


def sole_positions(body: Skeleton, posed: Posed) -> torch.Tensor:
    """Linear blend skinning of the sole vertices: v = sum_j w_j (G_j (v0 - J_j) + x_j). Returns (T, S, 3)."""
    used = body.weights.sum(0).nonzero().flatten()  # knees, ankles, feet
    weights = body.weights[:, used]  # (S, K)
    local = weights[..., None] * (body.soles[:, None] - body.joints[used])  # (S, K, 3)
    turned = posed.rotations[:, used].transpose(1, 2).flatten(2)  # (T, 3, 3 K)
    moved = torch.einsum("tac,sc->tsa", turned, local.flatten(1))
    return moved + weights @ posed.joints[:, used]


def lift_clear(lowest: np.ndarray, width: float = 2.0) -> np.ndarray:
    """Smallest smooth upward shift that keeps a foot above the floor.

    The dips below 0 are widened by a maximum filter and then blurred over the same width, so the result is smooth
    and nowhere less than the dip.

    Args:
        lowest: (T,) height of the lowest sole vertex, metres.
        width: standard deviation of the blur in frames.

    Returns:
        (T,) metres, non-negative.
    """
    reach = int(np.ceil(3 * width))
    dips = maximum_filter1d(np.maximum(-lowest, 0), 2 * reach + 1, mode="nearest")
    return gaussian_filter1d(dips, width, mode="nearest", radius=reach)


def axis_angle(rotations: torch.Tensor) -> np.ndarray:
    """(..., 3, 3) rotation matrices to float32 axis-angle (..., 3)."""
    return roma.rotmat_to_rotvec(rotations).numpy().astype(np.float32)
