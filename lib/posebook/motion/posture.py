"""How a person carries itself: stance, sway, trunk, head and arms, shared by all actions."""

import numpy as np

from posebook.motion.clip import FPS
from posebook.motion.curves import flow, min_jerk, wander
from posebook.motion.plan import SIDES, Plan

# shoulder flex, abduct, turn in | elbow flex | forearm in | wrist flex; degrees
ARMS: dict[str, tuple[float, ...]] = {
    "hang": (4, 9, 12, 18, 20, 5),
    "loose": (10, 14, 20, 48, 10, 0),
    "hips": (-16, 46, 62, 92, 10, 20),
    "carry": (32, 10, 22, 82, -10, 0),
    "chest": (42, 12, 62, 108, 10, 5),
    "side": (4, 86, 0, 10, 0, 0),
    "low_side": (8, 38, 5, 22, 5, 0),
    "surrender": (6, 84, -72, 88, 0, 0),
    "overhead": (158, 22, 10, 16, 0, 0),
    "high_diagonal": (110, 70, 0, 14, 0, 0),
    "head": (70, 95, -10, 122, 0, 10),
    "ahead": (86, 6, 10, 12, 10, 0),
    "ahead_bent": (58, 16, 18, 92, 0, -5),
    "across": (66, -22, 40, 48, 10, 0),
    "back": (-34, 14, 8, 16, 10, 0),
    "point": (72, 34, 0, 8, 20, 0),
}  # fmt: skip
ARM_JITTER = np.array([9, 6, 9, 12, 12, 10])  # degrees, standard deviation
WEIGHTY = ("hang", "loose", "low_side")  # what arms mostly do when they have nothing to do


def arm_pose(rng: np.random.Generator, names: tuple[str, ...] = tuple(ARMS)) -> np.ndarray:
    """Random arm pose: a named one with jitter. Returns (6,) degrees in the order of ARMS."""
    pose = np.array(ARMS[names[rng.integers(len(names))]]) + ARM_JITTER * rng.normal(size=6).clip(-2, 2)
    pose[1] = max(pose[1], 6 if pose[0] < 50 else -25)  # hanging arms keep clear of the body
    pose[2] = min(pose[2], 25) if pose[0] < -5 and pose[1] < 30 else pose[2]  # and hands behind it out of it
    pose[3] = max(pose[3], 4)
    return pose


def arm_course(rng: np.random.Generator, frames: int, names: tuple[str, ...] = tuple(ARMS)) -> np.ndarray:
    """One or two changes between random arm poses, with small movements on top. Returns (T, 6) degrees."""
    moves = int(rng.integers(1, 3))
    poses = [arm_pose(rng, names) for _ in range(moves + 1)]
    spans = rng.uniform(0.7, 1.2, moves)
    waits = rng.dirichlet(np.ones(moves + 1)) * (frames / FPS - spans.sum())
    at = np.cumsum(np.ravel(np.stack([waits[:-1], spans], 1)))  # begin, end of each move
    course = min_jerk(frames, np.r_[-1, at, frames / FPS + 1], np.repeat(poses, 2, axis=0))
    return course + fidget(rng, frames)


def fidget(rng: np.random.Generator, frames: int, scale: float = 1.0) -> np.ndarray:
    """Small arm movements. Returns (T, 6) degrees."""
    return scale * np.stack([wander(rng, frames, a, 0.15, 0.9) for a in (5, 3, 6, 8, 8, 8)], 1)


def arm_flow(rng: np.random.Generator, frames: int, at: np.ndarray, names: tuple[str, ...] = tuple(ARMS)) -> np.ndarray:
    """Go through random arm poses at the given times without stopping (dance). Returns (T, 6) degrees."""
    return flow(frames, at, np.stack([arm_pose(rng, names) for _ in at]))


def set_arm(plan: Plan, side: str, arm: np.ndarray) -> None:
    """Write an arm course into the plan; the collarbone takes its share of the elevation.

    Args:
        plan: written to.
        side: left or right.
        arm: (T, 6) or (6,) degrees in the order of ARMS.
    """
    flex, abd, turn, elbow, forearm, wrist = np.broadcast_to(arm, (plan.frames, 6)).T
    elevation = np.hypot(flex, abd)
    collar = 20 * np.minimum(elevation / 170, 1.1) ** 2  # scapulohumeral rhythm, to about 20 degrees overhead
    share = 1 - 0.8 * collar / np.maximum(elevation, 20)
    plan.add(**{
        f"{side}_collar_raise": collar, f"{side}_collar_ahead": 0.06 * flex,
        f"{side}_shoulder_flex": flex * share, f"{side}_shoulder_abd": abd * share, f"{side}_shoulder_in": turn,
        f"{side}_elbow_flex": elbow, f"{side}_elbow_in": 0.4 * forearm,
        f"{side}_wrist_in": 0.6 * forearm, f"{side}_wrist_flex": wrist,
    })  # fmt: skip


def carriage(rng: np.random.Generator, plan: Plan, lively: float = 1.0) -> None:
    """Habit of trunk, head and hands: a constant part that differs between clips and a slow part that moves."""
    t = plan.frames
    plan.bow(rng.normal(3, 5) + wander(rng, t, 4 * lively))
    plan.bow(rng.normal(0, 3) + wander(rng, t, 4 * lively), "side")
    plan.bow(rng.normal(0, 5) + wander(rng, t, 7 * lively), "twist")
    plan.look(rng.normal(2, 8) + wander(rng, t, 9))
    plan.look(rng.normal(0, 4) + wander(rng, t, 5), "side")
    plan.look(rng.normal(0, 14) + wander(rng, t, 22), "twist")
    for side in SIDES:
        plan.add(**{f"{side}_hand_flex": rng.uniform(5, 30), f"{side}_wrist_thumb": wander(rng, t, 6)})


def stance(rng: np.random.Generator, plan: Plan, wide: float = 0.04, stagger: float = 0.05) -> None:
    """Put both feet down: width, stagger, toes out; the weight wanders between them.

    Args:
        rng: random source.
        plan: written to.
        wide: mean outward shift of each foot from under the hip, metres.
        stagger: standard deviation of the fore-aft offset, metres.
    """
    t = plan.frames
    ahead = np.clip(rng.normal(0, stagger), -0.6, 0.6)
    for s, sign in enumerate((1, -1)):
        plan.ball[:, s, 0] += sign * np.clip(rng.normal(wide, 0.03), -0.03, 0.4)
        plan.ball[:, s, 2] += sign * ahead / 2
        plan.toe_out[:, s] += np.clip(rng.normal(12, 7), -5, 35)
    lean = wander(rng, t, 0.35, 0.1, 0.4) + rng.uniform(-0.2, 0.2)
    plan.support[:, 0] += lean / 2
    plan.support[:, 1] -= lean / 2
    plan.sway += np.stack([wander(rng, t, 0.012), wander(rng, t, 0.015)], 1)
    plan.pelvis += np.stack([wander(rng, t, 3), 5 * lean + wander(rng, t, 2), wander(rng, t, 8)], 1)
    plan.bow(-5 * lean, "side")
    plan.drop += 0.006 + 0.012 * rng.random()


def face(rng: np.random.Generator, plan: Plan) -> None:
    """Give the clip a heading, uniform over the circle."""
    plan.heading += rng.uniform(-180, 180)
