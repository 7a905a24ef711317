"""Drawn poses: within limits, free of collisions, of every kind, and decided by their generator."""

import numpy as np
import pytest

from posebook.hand import load_hand_assets
from posebook.hand.clearance import TOLERANCE, overlap
from posebook.hand.kinematics import pose_rotations, posed_points
from posebook.hand.limits import pose_to_angles, within_limits
from posebook.hand.poses import ACTIONS, GRASPS, draw_pose, grasp_angles


@pytest.fixture
def skeleton(hand_cache):
    return load_hand_assets().skeleton


def test_poses_are_natural(skeleton):
    rng = np.random.default_rng(0)
    drawn = [draw_pose(skeleton, rng) for _ in range(400)]
    poses = np.stack([d.hand_pose for d in drawn])
    angles = pose_to_angles(poses, skeleton.axes)
    assert within_limits(angles).all()
    deep = overlap(skeleton.spheres, *posed_points(skeleton.joints, skeleton.tips, pose_rotations(poses)))
    assert (deep <= TOLERANCE).all()
    assert {d.grasp for d in drawn} == set(ACTIONS)
    bend = angles[:, :, 0]
    assert bend[:, 1].max() > 85 and bend[:, 1].min() < 5  # from open to closed
    middle, last = bend[:, [1, 4, 7, 10]], bend[:, [2, 5, 8, 11]]
    assert np.corrcoef(middle.ravel(), last.ravel())[0, 1] > 0.8  # last joints follow the middle ones


def test_a_generator_decides(skeleton):
    one, two = (draw_pose(skeleton, np.random.default_rng(7)) for _ in range(2))
    assert one.grasp == two.grasp and np.array_equal(one.hand_pose, two.hand_pose)
    assert not np.array_equal(one.hand_pose, draw_pose(skeleton, np.random.default_rng(8)).hand_pose)
    assert draw_pose(skeleton, np.random.default_rng(7), "fist").grasp == "fist"


@pytest.mark.parametrize("name", GRASPS)
def test_prototypes_keep_the_limits(name):
    assert within_limits(grasp_angles(name)[None]).all()


def test_what_grasps_look_like(skeleton, posed):
    """Distances between fingertips that make a grasp what it is, on the mesh."""
    from posebook.hand.limits import angles_to_pose

    tips = list(load_hand_assets().tips.values())  # thumb, index, middle, ring, pinky
    names = ("pinch", "tripod", "fist", "point", "flat", "spread")
    vertices, joints = posed(angles_to_pose(np.stack([grasp_angles(n) for n in names]), skeleton.axes))
    at = dict(zip(names, vertices[:, tips], strict=True))
    wrist = joints[0, 0]
    reach = {n: np.linalg.norm(t - wrist, axis=1) for n, t in at.items()}
    assert np.linalg.norm(at["pinch"][0] - at["pinch"][1]) < 0.02
    assert max(np.linalg.norm(at["tripod"][0] - at["tripod"][k]) for k in (1, 2)) < 0.02
    assert (reach["fist"][1:] < 0.6 * reach["flat"][1:]).all()
    assert reach["point"][1] > 0.95 * reach["flat"][1] and (reach["point"][2:] < 0.6 * reach["flat"][2:]).all()
    fan = {n: np.linalg.norm(at[n][1] - at[n][4]) for n in ("flat", "spread")}
    assert fan["spread"] > fan["flat"] + 0.02


def test_overlap_against_loops(skeleton):
    rng = np.random.default_rng(2)
    poses = rng.normal(0, 0.6, (6, 45))
    joints, tips = posed_points(skeleton.joints, skeleton.tips, pose_rotations(poses))
    found = overlap(skeleton.spheres, joints, tips)
    s = skeleton.spheres
    for n in range(6):
        points, deepest = np.concatenate([joints[n], tips[n]]), -np.inf
        centre = [points[a] * (1 - t) + points[b] * t for a, b, t in zip(s.start, s.end, s.share, strict=True)]
        for i in range(len(centre)):
            for j in range(i):
                if s.apart[i, j]:
                    deepest = max(deepest, s.radius[i] + s.radius[j] - np.linalg.norm(centre[i] - centre[j]))
        assert found[n] == pytest.approx(deepest, abs=1e-12)
    assert found.max() > TOLERANCE  # wild poses do collide
    flat = overlap(s, skeleton.joints[None], skeleton.tips[None])
    assert flat < 0
