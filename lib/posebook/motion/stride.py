"""Moving by the legs' own angles: the foot that carries the body stays where it is, so the body moves."""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from posebook.motion.clip import FPS
from posebook.motion.plan import Plan
from posebook.motion.skeleton import Posed, Skeleton, sole_positions

GRAVITY = 9.81  # m/s^2
CONTACT = 0.012  # metres: sole points this close to the lowest share the weight


def travel(body: Skeleton, plan: Plan, posed: Posed) -> np.ndarray:
    """Path of the pelvis over the floor.

    Each sole point carries a share softmin(height / CONTACT) of the weight; the pelvis moves against their mean
    velocity, and stands at minus their mean height.

    Args:
        body: skeleton with soles.
        plan: a stride plan.
        posed: forward kinematics with the heading in the root rotation and transl 0.

    Returns:
        (T, 3) transl in metres.
    """
    soles = sole_positions(body, posed)  # (T, S, 3)
    share = torch.softmax(-soles[..., 1] / CONTACT, 1)[..., None]
    height = -soles[..., 1].min(1).values.numpy()
    step = (soles[1:] - soles[:-1])[..., [0, 2]]
    flat = -((share[1:] + share[:-1]) / 2 * step).sum(1).numpy()  # (T-1, 2)
    flat = gaussian_filter1d(flat, 2.0, axis=0, mode="nearest")
    path = np.zeros((plan.frames, 3))
    for first, last in plan.airborne:  # momentum: constant velocity in the air
        flat[first:last] = flat[max(first - 3, 0) : first].mean(0) if first else 0
    path[1:, [0, 2]] = np.cumsum(gaussian_filter1d(flat, 1.5, axis=0, mode="nearest"), 0)
    path[:, 1] = fly(gaussian_filter1d(height, 1.0, mode="nearest"), plan.airborne) + plan.hover
    return path


def fly(height: np.ndarray, airborne: list[tuple[int, int]]) -> np.ndarray:
    """Replace the height (T,) of the pelvis in each jump by a ballistic arc h(t) = line + g t (t_land - t) / 2."""
    height = height.copy()
    for first, last in airborne:
        t = np.arange(last - first + 1) / FPS
        line = np.linspace(height[first], height[last], len(t))
        height[first : last + 1] = line + GRAVITY / 2 * t * (t[-1] - t)
    return gaussian_filter1d(height, 1.0, mode="nearest") if airborne else height
