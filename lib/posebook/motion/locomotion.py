"""Procedural walk, run and jump: joint angles over the gait cycle, the body carried by the foot on the floor.

Angle curves follow the shape of published gait data (Winter 2009, chapter 2; Novacheck 1998 for running): hip
flexion near 30 at contact and -10 at toe-off, knee peaks of about 18 in stance and 60 in swing, and so on;
amplitudes are random.
"""

import numpy as np

from posebook.motion.clip import FPS
from posebook.motion.curves import cycle, min_jerk, times, wander
from posebook.motion.plan import SIDES, Plan
from posebook.motion.posture import arm_course, carriage, face, fidget, set_arm


def turning(rng: np.random.Generator, plan: Plan, fastest: float) -> None:
    """Walk a curve: a steady and a wandering turning rate, degrees per second."""
    rate = rng.uniform(-fastest, fastest) * (rng.random() < 0.6) + wander(rng, plan.frames, 12, 0.1, 0.3)
    plan.heading += np.cumsum(rate) / FPS
    plan.pelvis[:, 1] += rate / 12  # lean into the curve


def swing_arms(rng: np.random.Generator, plan: Plan, phase: np.ndarray, swing: float, elbow: float) -> None:
    """Arms opposite to the legs, or busy with something else in about a third of the clips."""
    busy = rng.random(2) < 0.18
    for s, side in enumerate(SIDES):
        beat = np.cos(2 * np.pi * (phase + 0.5 * s + 0.5 + rng.normal(0, 0.02)))  # 1 when the other leg is ahead
        size = swing * rng.uniform(0.75, 1.25)
        base = np.array([rng.normal(2, 5), rng.uniform(8, 18), rng.normal(12, 8), elbow * rng.uniform(0.8, 1.2), 15, 0])
        arm = base + np.stack([size * beat, 0 * beat, 0 * beat, 0.45 * size * (beat + 0.4), 0 * beat, 0 * beat], 1)
        if busy[s]:
            arm = arm_course(rng, plan.frames) + 0.15 * (arm - base)
        set_arm(plan, side, arm + fidget(rng, plan.frames, 0.4))


def walk(rng: np.random.Generator, plan: Plan) -> None:
    """Walk: slow to brisk, straight or curved, one in eight backwards."""
    plan.stride = True
    t, size = times(plan.frames), rng.uniform(0.65, 1.2)
    tempo = rng.uniform(0.7, 1.05) * (0.75 + 0.25 * size) * (-1 if rng.random() < 0.12 else 1)
    phase = rng.random() + tempo * t + wander(rng, plan.frames, 0.02)
    crouch, lift = rng.uniform(0, 8), rng.uniform(0.85, 1.2)
    for s, side in enumerate(SIDES):
        p, odd = phase + 0.5 * s, rng.normal(1, 0.04)
        knee = cycle(p, [0, 0.14, 0.40, 0.60, 0.73, 0.86, 0.97], [5, 17, 7, 36, 60, 36, 4])
        ankle = cycle(p, [0, 0.07, 0.25, 0.46, 0.62, 0.76, 0.9], [1, -6, 4, 10, -17, 1, 2])
        hip = cycle(p, [0, 0.1, 0.3, 0.5, 0.63, 0.8, 0.92], [30, 26, 8, -11, -2, 29, 34])
        plan.add(**{
            f"{side}_hip_flex": 8 + (hip - 8) * size * odd + crouch,
            f"{side}_knee_flex": knee * lift * odd + 1.8 * crouch,
            f"{side}_ankle_up": ankle * size + 0.8 * crouch, f"{side}_hip_out": rng.normal(6, 4),
            f"{side}_hip_abd": rng.normal(0, 1.5) + 3 * np.cos(2 * np.pi * (p - 0.25)) * (-1),
            f"{side}_foot_up": np.maximum(cycle(p, [0, 0.3, 0.5, 0.6, 0.72], [8, 0, 14, 28, 0]), 0) * size,
        })  # fmt: skip
    beat = 2 * np.pi * phase
    plan.pelvis += np.stack(
        [rng.normal(4, 2) + 1.5 * np.cos(2 * beat), 3 * size * np.sin(beat), -6 * size * np.cos(beat)], 1
    )
    plan.bow(12 * size * np.cos(beat), "twist")
    plan.bow(-3 * size * np.sin(beat), "side")
    swing_arms(rng, plan, phase, rng.uniform(8, 34) * size, rng.uniform(14, 40))
    carriage(rng, plan, 0.5)
    face(rng, plan)
    turning(rng, plan, 35)


def run(rng: np.random.Generator, plan: Plan) -> None:
    """Run: jog to sprint, both feet off the floor between steps."""
    plan.stride = True
    t, size = times(plan.frames), rng.uniform(0.7, 1.2)
    tempo = rng.uniform(1.2, 1.5)
    phase = rng.random() + tempo * t
    for s, side in enumerate(SIDES):
        p, odd = phase + 0.5 * s, rng.normal(1, 0.04)
        hip = cycle(p, [0, 0.12, 0.36, 0.5, 0.75, 0.9], [38, 30, -14, -4, 50, 46])
        knee = cycle(p, [0, 0.14, 0.36, 0.5, 0.66, 0.82, 0.94], [20, 40, 18, 62, 100, 62, 18])
        ankle = cycle(p, [0, 0.16, 0.38, 0.55, 0.8], [4, 20, -22, -8, 4])
        plan.add(**{
            f"{side}_hip_flex": 16 + (hip - 16) * size * odd, f"{side}_knee_flex": knee * (0.55 + 0.45 * size) * odd,
            f"{side}_ankle_up": ankle, f"{side}_hip_out": rng.normal(3, 3), f"{side}_hip_abd": rng.normal(-1, 1.5),
            f"{side}_foot_up": np.maximum(cycle(p, [0, 0.2, 0.36, 0.55], [4, 0, 24, 0]), 0),
        })  # fmt: skip
    beat = 2 * np.pi * phase
    plan.hover += rng.uniform(0.02, 0.06) * size * (0.5 - 0.5 * np.cos(2 * beat + 0.6))  # highest between two contacts
    plan.pelvis += np.stack([rng.uniform(4, 12) + 0 * t, 3 * np.sin(beat), -8 * size * np.cos(beat)], 1)
    plan.bow(16 * size * np.cos(beat), "twist")
    plan.bow(rng.uniform(0, 8))
    swing_arms(rng, plan, phase, rng.uniform(22, 45) * size, rng.uniform(65, 105))
    carriage(rng, plan, 0.5)
    face(rng, plan)
    turning(rng, plan, 45)


JUMPS = ("up", "ahead", "tuck", "star", "pike")


def jump(rng: np.random.Generator, plan: Plan) -> None:
    """One to three jumps: crouch, launch, a shape in the air, landing with bent knees."""
    plan.stride = True
    kind, end = JUMPS[rng.integers(len(JUMPS))], plan.frames / FPS
    crouch, quick, begin = rng.uniform(0.5, 1.0), rng.uniform(0.75, 1.1), rng.uniform(-0.25, 0.5)
    body = np.zeros((plan.frames, 4))  # crouch, air shape, push (toes), arms up
    while begin + 1.1 * quick + 0.4 < end:
        low, go, air = begin + 0.42 * quick, begin + 0.68 * quick, rng.uniform(0.34, 0.5)
        land, soft, up = go + air, go + air + 0.18, go + air + 0.6 * quick
        body[:, 0] += min_jerk(plan.frames, [begin - 1, begin, low, go, land, soft, up, up + 1], np.array(
            [0, 0, 1, 0, 0.12, 0.75, 0, 0]) * crouch)  # fmt: skip
        body[:, 1] += min_jerk(plan.frames, [begin - 1, go - 0.04, go + air / 2, land, up], [0, 0, 1, 0, 0])
        body[:, 2] += min_jerk(plan.frames, [begin - 1, low + 0.1, go, land, land + 0.1, up], [0, 0, 1, 0.5, 0, 0])
        body[:, 3] += min_jerk(plan.frames, [begin - 1, begin, low, go + 0.7 * air, up, up + 1], [0, 0, -1, 1, 0, 0])
        if go > 0:
            plan.airborne.append((round(go * FPS), min(round(land * FPS), plan.frames - 1)))
        begin = up + rng.uniform(0, 0.3)
    shape_jump(rng, plan, kind, body)
    carriage(rng, plan, 0.5)
    face(rng, plan)


def shape_jump(rng: np.random.Generator, plan: Plan, kind: str, body: np.ndarray) -> None:
    """Angles of a jump from its four course curves (T, 4): crouch, air, push, arms."""
    low, air, push, arms = body.T
    tuck = {"up": 12, "ahead": 35, "tuck": 95, "star": 0, "pike": 80}[kind] * rng.uniform(0.7, 1.1)
    knee = {"up": 20, "ahead": 40, "tuck": 110, "star": 4, "pike": 8}[kind] * rng.uniform(0.8, 1.1)
    split = (rng.uniform(25, 45) if kind in ("star", "pike") else rng.uniform(0, 5)) * air
    plan.pelvis[:, 0] += 30 * low + (10 * push if kind == "ahead" else 0)
    plan.add(
        both_hip_flex=95 * low + tuck * air + 4, both_knee_flex=98 * low + knee * air + 8 + 4 * push,
        both_ankle_up=33 * low + 4 - 32 * push * (1 - low), both_hip_abd=3 + split + 8 * low,
        both_hip_out=6 + 8 * low, both_foot_up=22 * push * (1 - air),
    )  # fmt: skip
    plan.bow(18 * low + (15 * air if kind in ("tuck", "pike") else -4 * air))
    rest = [np.array([4, 10, 10, 20, 10, 0]) + rng.normal(0, 4, 6) for _ in SIDES]
    reach = np.array([150, 25, 0, 15, 0, 0]) if kind != "star" else np.array([20, 135, 0, 10, 0, 0])
    reach = reach * rng.uniform(0.4, 0.8) if kind != "star" else reach
    behind = np.array([-30, 14, 5, 25, 10, 0])
    for side, base in zip(SIDES, rest, strict=True):
        arm = base + np.maximum(arms, 0)[:, None] * (reach - base) + np.maximum(-arms, 0)[:, None] * (behind - base)
        set_arm(plan, side, arm + fidget(rng, plan.frames, 0.4))
