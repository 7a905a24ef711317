"""Procedural actions of the whole body on planted feet: squat, sit, bend, reach, stretch."""

import numpy as np

from posebook.motion.clip import FPS
from posebook.motion.curves import hold, min_jerk, wander
from posebook.motion.plan import SIDES, Plan
from posebook.motion.posture import WEIGHTY, arm_course, arm_pose, carriage, face, fidget, set_arm, stance


def blend(rest: np.ndarray, goal: np.ndarray, share: np.ndarray) -> np.ndarray:
    """rest + share (goal - rest). Args: rest, goal (6,) or (T, 6), share (T,). Returns (T, 6)."""
    return rest + share[:, None] * (goal - rest)


def squat(rng: np.random.Generator, plan: Plan) -> None:
    """One to three squats or lunges, shallow to deep."""
    end, lunge = plan.frames / FPS, rng.random() < 0.3
    stance(rng, plan, rng.uniform(0.03, 0.16), 0.5 if lunge else 0.03)
    count = int(rng.integers(1, 3))
    at = np.sort(rng.uniform(0, end, 2 * count + 1))
    at = 0.3 * at + 0.7 * np.linspace(0, end, 2 * count + 1)
    first = int(rng.random() < 0.5)  # begin up or down
    deep = np.array([rng.uniform(0.55, 1.0) if (k + first) % 2 else rng.uniform(0, 0.15) for k in range(len(at) + 2)])
    low = min_jerk(plan.frames, np.r_[-1, at, end + 1], deep)
    plan.drop += low * (0.3 if lunge else rng.uniform(0.3, 0.5))
    plan.pelvis[:, 0] += (5 + 14 * low) if lunge else low * rng.uniform(18, 38)
    plan.toe_out += 8 * low[:, None] * (not lunge)
    behind = int(plan.ball[0, 1, 2] < plan.ball[0, 0, 2])  # the rear foot
    plan.heel_up[:, behind] += 42 * (0.4 + 0.6 * low) * lunge
    plan.heel_up += (rng.uniform(8, 30) * low * (low > 0))[:, None] * (not lunge and rng.random() < 0.4)
    plan.bow(low * rng.uniform(0, 22))
    plan.look(-low * rng.uniform(5, 25))
    up, down = (
        arm_pose(rng, (*WEIGHTY, "hips", "chest")),
        arm_pose(rng, ("ahead", "chest", "hips", "carry", "head", "side")),
    )
    for side in SIDES:
        goal = down + rng.normal(0, 4, 6)
        arm = arm_course(rng, plan.frames) if rng.random() < 0.2 else blend(up, goal, low) + fidget(rng, plan.frames)
        set_arm(plan, side, arm)
    carriage(rng, plan, 0.6)
    face(rng, plan)


def sit(rng: np.random.Generator, plan: Plan) -> None:
    """Sit on a chair that is not drawn: getting down, up, or seated throughout."""
    end, kind = plan.frames / FPS, rng.choice(["down", "up", "stay"], p=[0.3, 0.2, 0.5])
    stance(rng, plan, rng.uniform(-0.01, 0.12), 0.06)
    go, last = rng.uniform(0.3, 1.0), rng.uniform(1.2, 1.7)
    keys = {"down": (0, 1), "up": (1, 0), "stay": (1, 1)}[str(kind)]
    seated = min_jerk(plan.frames, [-1, go, go + last, end + last + 1], [keys[0], keys[0], keys[1], keys[1]])
    effort = 4 * seated * (1 - seated)  # bowing ahead on the way
    plan.seat, plan.seat_at = seated, -rng.uniform(0.28, 0.46)
    plan.drop = plan.drop * (1 - seated) + seated * rng.uniform(0.38, 0.5)
    lean = rng.uniform(-18, 22)
    plan.pelvis[:, 0] += 32 * effort + seated * (0.5 * lean + wander(rng, plan.frames, 3))
    plan.bow(12 * effort + seated * (0.7 * lean + rng.uniform(-2, 14) + wander(rng, plan.frames, 6)))
    plan.bow(seated * (rng.normal(0, 10) + wander(rng, plan.frames, 8)), "twist")
    if kind == "stay":
        seat_feet(rng, plan)
    for side in SIDES:
        lap = np.array(
            [rng.uniform(18, 42) + 0.5 * lean, rng.uniform(4, 20), rng.uniform(15, 45), rng.uniform(45, 85), 20, 0]
        )
        busy = arm_course(rng, plan.frames, ("ahead_bent", "chest", "head", "point", "loose", "carry", "surrender"))
        up = arm_pose(rng, WEIGHTY)
        set_arm(plan, side, blend(up, busy if rng.random() < 0.5 else lap + fidget(rng, plan.frames), seated))
    carriage(rng, plan, 0.6)
    face(rng, plan)


def seat_feet(rng: np.random.Generator, plan: Plan) -> None:
    """Seated only: each foot forward, drawn back on its ball, or off the floor for a while."""
    for s in range(2):
        ahead = rng.uniform(-0.12, 0.28)
        plan.ball[:, s, 2] += ahead
        plan.heel_up[:, s] += 35 * max(0, -ahead / 0.12) - 18 * max(0, ahead - 0.2) / 0.08
        if rng.random() < 0.3:
            start = rng.uniform(0, plan.frames / FPS - 1.6)
            raised = hold(plan.frames, start, start + 0.6, start + 1.0, start + 1.6)
            plan.ball[:, s, 1] += raised * rng.uniform(0.08, 0.35)
            plan.ball[:, s, 2] += raised * rng.uniform(0.05, 0.25)
            plan.heel_up[:, s] -= raised * rng.uniform(0, 30)


def bend(rng: np.random.Generator, plan: Plan) -> None:
    """Bend ahead, to a side or back, as far as picking something up from the floor."""
    end, kind = plan.frames / FPS, rng.choice(["ahead", "pick", "side", "back"], p=[0.35, 0.35, 0.2, 0.1])
    stance(rng, plan, rng.uniform(0.02, 0.14), 0.08)
    down = rng.uniform(-0.5, 0.6)
    low = down + rng.uniform(0.8, 1.2)
    rise = max(low + 0.1, end - rng.uniform(0.6, 1.5))
    share = hold(plan.frames, down, low, rise, rise + rng.uniform(0.9, 1.3))
    share = share * (1 + wander(rng, plan.frames, 0.12))
    far = rng.uniform(0.5, 1.0)
    pitch = {"ahead": 75, "pick": 62, "side": 4, "back": -10}[str(kind)] * far
    spine = {"ahead": 55, "pick": 48, "side": 6, "back": -24}[str(kind)] * far
    plan.pelvis[:, 0] += pitch * share
    plan.bow(spine * share)
    plan.bow(share * (rng.choice([-1, 1]) * 32 * far if kind == "side" else rng.normal(0, 7)), "side")
    plan.bow(share * rng.normal(0, 12), "twist")
    plan.drop += share * (rng.uniform(0.12, 0.38) if kind == "pick" else rng.uniform(0, 0.06))
    plan.look(-share * rng.uniform(-10, 25))
    fall = pitch + spine  # arms hang to the floor however the trunk is turned
    for side in SIDES:
        rest = arm_pose(rng, WEIGHTY)
        goal = np.array(
            [np.clip(fall + rng.uniform(-20, 25), -30, 150), rng.uniform(2, 16), 10, rng.uniform(5, 35), 10, 0]
        )
        if kind == "side" or rng.random() < 0.2:
            goal = arm_pose(rng)
        set_arm(plan, side, blend(rest, goal, share) + fidget(rng, plan.frames))
    carriage(rng, plan, 0.5)
    face(rng, plan)


def reach(rng: np.random.Generator, plan: Plan) -> None:
    """Reach for two or three places, high to low, ahead to the side, with one hand or both; the trunk follows."""
    end, both = plan.frames / FPS, rng.random() < 0.35
    stance(rng, plan, rng.uniform(0.02, 0.1), 0.12)
    count = int(rng.integers(2, 4))
    spans = rng.uniform(0.6, 0.9, count)
    waits = rng.dirichlet(np.ones(count + 1) * 2) * (end - spans.sum())
    at = np.cumsum(np.ravel(np.stack([waits[:-1], spans], 1)))  # begin, end of each move
    hand = int(rng.random() < 0.5)
    high, wide = rng.uniform(-0.9, 1, count), rng.uniform(-0.6, 1, count)  # -1 floor .. 1 overhead; -1 across .. 1 out
    arms = np.stack([88 + 75 * high, 10 + 60 * wide, 5 + 20 * rng.random(count), 8 + 30 * rng.random(count),
                     15 * rng.normal(size=count), 10 * rng.normal(size=count)], 1)  # fmt: skip
    arms[:, 1] = np.where(arms[:, 0] < 50, np.maximum(arms[:, 1], 5), arms[:, 1])
    keys = np.r_[-1, at, end + 1]
    course = min_jerk(plan.frames, keys, path_values(arm_pose(rng, WEIGHTY), arms))
    trunk = min_jerk(plan.frames, keys, path_values(np.zeros(2), np.stack([high, wide], 1)))
    low, out = np.maximum(-trunk[:, 0], 0), trunk[:, 1] * (1 if hand == 0 else -1)
    plan.pelvis[:, 0] += 40 * low * rng.uniform(0.5, 1.2)
    plan.drop += low * rng.uniform(0.02, 0.35)
    plan.bow(30 * low - 8 * np.maximum(trunk[:, 0], 0))
    plan.bow(18 * out * (not both), "twist")
    plan.bow(9 * out, "side")
    plan.look(25 * trunk[:, 0] * -1)
    plan.look(22 * out * (not both), "twist")
    plan.heel_up += (rng.uniform(0, 32) * (rng.random() < 0.5) * np.maximum(trunk[:, 0], 0))[:, None]
    for s, side in enumerate(SIDES):
        idle = arm_course(rng, plan.frames, (*WEIGHTY, "hips", "loose"))
        set_arm(plan, side, course + fidget(rng, plan.frames, 0.6) if both or s == hand else idle)
    carriage(rng, plan, 0.6)
    face(rng, plan)


def path_values(rest: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """Key values for `np.r_[-1, at, end + 1]` with len(at) = 2 K: start at rest, go to each goal and stay there a
    while.

    Args:
        rest: (D,).
        goals: (K, D).

    Returns:
        (2 K + 2, D): rest, rest, goal 1, goal 1, ..., goal K, goal K.
    """
    return np.repeat(np.vstack([rest, goals]), 2, axis=0)


def stretch(rng: np.random.Generator, plan: Plan) -> None:
    """Warm-up exercises: arms up, side bend, trunk twist, wide lunge to a side, toe stand."""
    end, kind = plan.frames / FPS, rng.choice(["up", "side", "twist", "lunge", "toes"])
    stance(rng, plan, 0.45 if kind == "lunge" else rng.uniform(0.03, 0.2), 0.03)
    beat = np.sin(2 * np.pi * (np.arange(plan.frames) / FPS * rng.uniform(0.25, 0.5) + rng.random()))
    share = hold(plan.frames, -0.6, rng.uniform(0.2, 0.8), end - rng.uniform(0.2, 0.6), end + 0.7)
    size = share * rng.uniform(0.6, 1.0)
    if kind == "side":
        plan.bow(30 * beat * size, "side")
        plan.pelvis[:, 1] += 6 * beat * size
    elif kind == "twist":
        plan.bow(32 * beat * size, "twist")
        plan.pelvis[:, 2] += 20 * beat * size
        plan.look(25 * beat * size, "twist")
    elif kind == "lunge":
        plan.drop += 0.16 * size + 0.1 * size * np.abs(beat) ** 2
        plan.support = 0.5 + 0.42 * np.stack([beat, -beat], 1) * size[:, None]
        plan.pelvis[:, 0] += 20 * size
        plan.toe_out += 15
    plan.heel_up += (rng.uniform(20, 38) * size * (0.5 + 0.5 * beat))[:, None] * (kind == "toes")
    plan.look(-12 * size * (kind in ("up", "toes")))
    plan.bow(-10 * size * (kind in ("up", "toes")))
    goals = {
        "up": ("overhead", "high_diagonal"), "toes": ("overhead", "side", "hips"), "lunge": ("ahead", "hips", "side"),
        "side": ("overhead", "hips", "head"), "twist": ("side", "surrender", "chest"),
    }[str(kind)]  # fmt: skip
    shared, rest = arm_pose(rng, goals), arm_pose(rng, WEIGHTY)
    for side in SIDES:
        goal = arm_pose(rng, goals) if rng.random() < 0.3 else shared + rng.normal(0, 4, 6)
        set_arm(plan, side, blend(rest, goal, share) + fidget(rng, plan.frames))
    carriage(rng, plan, 0.6)
    face(rng, plan)
