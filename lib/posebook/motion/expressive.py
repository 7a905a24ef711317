"""Procedural actions of arms and single steps: wave, gesture, punch, kick, dance."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from posebook.motion.clip import FPS
from posebook.motion.curves import cycle, hold, min_jerk, pulse, times, wander
from posebook.motion.plan import SIDES, Plan
from posebook.motion.posture import (
    WEIGHTY,
    arm_course,
    arm_flow,
    arm_pose,
    carriage,
    face,
    fidget,
    set_arm,
    stance,
)
from posebook.motion.standing import blend


def wave(rng: np.random.Generator, plan: Plan) -> None:
    """Wave with one hand or both, from the elbow or the whole arm."""
    end = plan.frames / FPS
    stance(rng, plan, rng.uniform(0.0, 0.08), 0.06)
    start = rng.uniform(-0.6, 0.6)
    share = hold(plan.frames, start, start + rng.uniform(0.5, 0.9), end - rng.uniform(0.1, 0.8), end + 0.3)
    both, hand, whole = rng.random() < 0.25, int(rng.random() < 0.5), rng.random() < 0.35
    beat = np.sin(2 * np.pi * (times(plan.frames) * rng.uniform(1.0, 2.2) + rng.random()))
    for s, side in enumerate(SIDES):
        if not both and s != hand:
            set_arm(plan, side, arm_course(rng, plan.frames, (*WEIGHTY, "hips", "carry", "loose", "back")))
            continue
        if whole:
            goal = np.array([rng.uniform(40, 110), rng.uniform(70, 120), 0, rng.uniform(8, 25), 0, 0])
            stroke = np.array([0, rng.uniform(14, 26), 0, 10, 0, 14])
        else:
            goal = np.array([rng.uniform(5, 50), rng.uniform(40, 95), -rng.uniform(45, 80), rng.uniform(75, 115), 0, 0])
            stroke = np.array([0, 5, rng.uniform(8, 22), rng.uniform(8, 22), 0, 18])
        course = blend(arm_pose(rng, WEIGHTY), goal + (beat[:, None] * stroke), share)
        set_arm(plan, side, course + fidget(rng, plan.frames, 0.5))
    plan.bow(share * rng.normal(0, 5) * (1 - both), "side")
    carriage(rng, plan)
    face(rng, plan)


def gesture(rng: np.random.Generator, plan: Plan) -> None:
    """Talk with the hands: strokes of both arms about a place in front, nods, changes of weight."""
    stance(rng, plan, rng.uniform(0.0, 0.08), 0.08)
    end = plan.frames / FPS
    for side in SIDES:
        home = arm_pose(rng, ("carry", "ahead_bent", "chest", "loose", "point", "surrender"))
        count = int(rng.integers(4, 8))
        at = np.linspace(-0.3, end + 0.3, count) + rng.uniform(-0.1, 0.1, count)
        strokes = np.array([rng.normal(0, [20, 16, 16, 24, 18, 14]) for _ in at]).clip(-38, 38)
        if rng.random() < 0.3:
            set_arm(plan, side, arm_course(rng, plan.frames))
            continue
        course = home + min_jerk(plan.frames, at, strokes)
        course[:, 1] = np.maximum(course[:, 1], 4) if home[0] < 30 else course[:, 1]
        set_arm(plan, side, course + fidget(rng, plan.frames, 0.5))
    plan.look(7 * np.sin(2 * np.pi * times(plan.frames) * rng.uniform(0.5, 1.2)))
    carriage(rng, plan, 1.4)
    face(rng, plan)


def punch(rng: np.random.Generator, plan: Plan) -> None:
    """Box from a guard: straight punches, hooks and uppercuts in turn."""
    end, lead = plan.frames / FPS, int(rng.random() < 0.5)
    stance(rng, plan, 0.06, 0.02)
    sign = 1 if lead == 0 else -1
    plan.ball[:, lead, 2] += rng.uniform(0.1, 0.22)
    plan.ball[:, 1 - lead, 2] -= rng.uniform(0.1, 0.2)
    plan.heel_up[:, 1 - lead] += rng.uniform(8, 22)
    plan.drop += rng.uniform(0.02, 0.09) + 0.012 * np.sin(2 * np.pi * 1.6 * times(plan.frames))
    plan.pelvis[:, 2] -= sign * rng.uniform(12, 28)  # the rear shoulder is back
    guard = [np.array([48, 12, 32, 118, 0, 0]) + rng.normal(0, 6, 6) for _ in SIDES]
    course = [np.tile(g, (plan.frames, 1)) for g in guard]
    blows = [np.array([88, 2, 35, 8, 25, 0]), np.array([62, 62, 45, 84, 10, 0]), np.array([66, 4, -5, 84, -20, 0])]
    start = rng.uniform(0.1, 0.5)
    while start < end - 0.3:
        s, kind, fast = int(rng.random() < 0.5), int(rng.choice(3, p=[0.6, 0.25, 0.15])), rng.uniform(0.2, 0.3)
        hit = pulse(plan.frames, start, start + fast, start + 2.3 * fast)
        course[s] = course[s] + hit[:, None] * (blows[kind] + rng.normal(0, 5, 6) - guard[s])
        turn = -1 if s == 0 else 1
        plan.bow(turn * 20 * hit, "twist")
        plan.pelvis[:, 2] += turn * 14 * hit
        plan.look(-turn * 24 * hit, "twist")
        plan.sway[:, 1] += 0.03 * hit
        start += 2.3 * fast + rng.uniform(0.0, 0.4)
    for s, side in enumerate(SIDES):
        set_arm(plan, side, course[s] + fidget(rng, plan.frames, 0.6))
    plan.bow(rng.uniform(2, 12))
    plan.look(sign * 18, "twist")
    carriage(rng, plan, 0.5)
    face(rng, plan)


def kick(rng: np.random.Generator, plan: Plan) -> None:
    """One or two kicks, ahead or to a side, standing on the other leg."""
    end, leg, aside = plan.frames / FPS, int(rng.random() < 0.5), rng.random() < 0.35
    stance(rng, plan, 0.03, 0.05)
    count = int(rng.integers(1, 3))
    for begin in np.linspace(0.15, end - (1.7 if count == 1 else 1.5), count) + rng.uniform(0, 0.3):
        swing_leg(rng, plan, leg, begin, aside)
    raised = np.clip(plan.ball[:, leg, 1] / 0.3, 0, 1)
    for s, side in enumerate(SIDES):
        goal = arm_pose(rng, ("low_side", "side", "chest", "ahead_bent", "back" if s == leg else "ahead"))
        set_arm(
            plan, side, blend(arm_pose(rng, (*WEIGHTY, "carry", "ahead_bent")), goal, raised) + fidget(rng, plan.frames)
        )
    carriage(rng, plan, 0.6)
    face(rng, plan)


def swing_leg(rng: np.random.Generator, plan: Plan, leg: int, begin: float, aside: bool) -> None:
    """One kick: shift the weight, wind up, strike, come back. Times in seconds from `begin`."""
    sign, high = (1, -1)[leg], rng.uniform(0.25, 0.85)
    keys = begin + np.array([-1, 0.15, 0.5, 0.78, 1.0, 1.5, 2.5])
    back = np.array([0.06, 0.12, -0.1]) if aside else np.array([0, 0.22, -0.38])
    far = 0.75 - 0.45 * high**2  # a high kick reaches less far
    strike = np.array([0.8 * far + 0.15, high, 0.1]) if aside else np.array([rng.normal(0, 0.06), high, far])
    path = np.stack([0 * back, 0 * back, back, strike, strike * [1, 0.7, 0.8], 0 * back, 0 * back])
    path[:, 0] *= sign if aside else 1
    plan.ball[:, leg] += flowing(plan.frames, keys, path)
    tilt = np.array([0, 0, 10 if aside else 48, -10 if aside else -70 * high + 10, -40 * high, 0, 0])
    plan.heel_up[:, leg] += min_jerk(plan.frames, keys, tilt)
    weight = min_jerk(plan.frames, begin + np.array([-1, -0.25, 0.2, 1.3, 1.75, 2.6]), [0, 0, 1, 1, 0, 0])
    own, other = plan.support[:, leg].copy(), plan.support[:, 1 - leg].copy()
    plan.support[:, leg], plan.support[:, 1 - leg] = own * (1 - weight), other + own * weight
    up = min_jerk(plan.frames, keys, [0, 0, 0.1, 1, 0.7, 0, 0]) * high
    plan.pelvis[:, 0] -= (0 if aside else 22) * up
    plan.pelvis[:, 1] -= sign * (26 if aside else 4) * up
    plan.bow((4 if aside else 26) * up)
    plan.bow(-sign * (8 if aside else 0) * up, "side")


def flowing(frames: int, keys: np.ndarray, path: np.ndarray) -> np.ndarray:
    """Minimum-jerk through the keys, blurred a little so that the foot does not stop at each. Returns (T, 3)."""
    return gaussian_filter1d(min_jerk(frames, keys, path), 1.2, axis=0, mode="nearest")


def dance(rng: np.random.Generator, plan: Plan) -> None:
    """Dance on the beat: hips, knees, steps to the sides, arms that flow through poses."""
    end, tempo = plan.frames / FPS, rng.uniform(0.75, 1.1)
    stance(rng, plan, rng.uniform(0.02, 0.12), 0.05)
    phase = times(plan.frames) * tempo + rng.random()
    beat, size = 2 * np.pi * phase, rng.uniform(0.5, 1.0)
    plan.pelvis += size * np.stack(
        [6 * np.sin(2 * beat), 10 * np.sin(beat), 16 * np.sin(beat + rng.uniform(0, 6.3))], 1
    )
    plan.bow(-12 * size * np.sin(beat), "side")
    plan.bow(18 * size * np.sin(beat + rng.uniform(0, 6.3)), "twist")
    plan.bow(8 * size * np.sin(2 * beat + rng.uniform(0, 6.3)))
    plan.look(10 * np.sin(2 * beat))
    plan.drop += size * (0.035 + 0.03 * np.cos(2 * beat))
    turn = np.sin(beat) * 0.42
    plan.support = 0.5 + np.stack([turn, -turn], 1)
    height, aside = rng.uniform(0.05, 0.28), rng.uniform(-0.05, 0.22)
    for s, sign in enumerate((1, -1)):
        lift = np.maximum(cycle(phase + 0.5 * s, [0, 0.5, 0.62, 0.75, 0.88], [0, 0, 0.5, 1, 0.5]), 0)  # while unloaded
        plan.ball[:, s, 1] += height * lift**2
        plan.ball[:, s, 0] += sign * aside * lift
        plan.ball[:, s, 2] += rng.normal(0, 0.08) * lift
        plan.heel_up[:, s] += rng.uniform(10, 35) * lift
    names = tuple(rng.permutation(list(("high_diagonal", "side", "surrender", "overhead", "ahead_bent", "chest", "hips",
                                        "low_side", "carry", "head", "across", "ahead"))))[:6]  # fmt: skip
    at = np.arange(-0.5, end + 1.5, rng.uniform(0.7, 1.1))
    shared = arm_flow(rng, plan.frames, at, names)
    for side in SIDES:
        set_arm(plan, side, shared if rng.random() < 0.35 else arm_flow(rng, plan.frames, at, names))
    plan.sway[:, 0] += wander(rng, plan.frames, 0.02)
    carriage(rng, plan, 0.8)
    face(rng, plan)
