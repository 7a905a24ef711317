"""Angles of finger joints: what each does, and the way there and back."""

import numpy as np
import pytest

from posebook.errors import PosebookError
from posebook.hand import load_hand_assets
from posebook.hand.limits import LIMITS, RANGES, angle_index, angles_to_pose, pose_to_angles, within_limits
from posebook.joints import MANO16


@pytest.fixture
def skeleton(hand_cache):
    return load_hand_assets().skeleton


@pytest.fixture
def tips_after(posed, hand_cache):
    assets = load_hand_assets()

    def bend(**degrees):
        angles = np.zeros((1, 15, 3))
        for name, value in degrees.items():
            angles[0][angle_index(name.replace("_", "."))] = value
        vertices, _ = posed(angles_to_pose(angles, assets.skeleton.axes))
        return {finger: vertices[0][v] for finger, v in assets.tips.items()}

    return bend


def test_there_and_back(skeleton):
    rng = np.random.default_rng(0)
    angles = rng.uniform(RANGES.low, RANGES.high, (200, 15, 3))
    pose = angles_to_pose(angles, skeleton.axes)
    np.testing.assert_allclose(pose_to_angles(pose, skeleton.axes), angles, atol=1e-6)
    assert within_limits(angles).all() and not within_limits(angles + 200).any()


def test_axes_are_orthonormal_and_right_handed_or_mirrored(skeleton):
    products = skeleton.axes @ skeleton.axes.swapaxes(1, 2)
    np.testing.assert_allclose(products, np.tile(np.eye(3), (15, 1, 1)), atol=1e-9)


def test_a_knuckle_bent_by_90_degrees_points_at_the_palm(tips_after, skeleton):
    knuckle = skeleton.joints[MANO16.index("index1")]
    flat, bent = tips_after()["index"], tips_after(index1_flex=90)["index"]
    assert bent[1] - knuckle[1] == pytest.approx(-np.linalg.norm(flat - knuckle), abs=4e-3)
    assert abs(bent[0] - knuckle[0]) < 6e-3


def test_spread_opens_the_fan_and_flexion_closes_it(tips_after):
    flat = tips_after()
    wide = tips_after(index1_spread=15, ring1_spread=12, pinky1_spread=20)
    assert wide["index"][2] > flat["index"][2] + 0.01
    assert wide["ring"][2] < flat["ring"][2] - 0.01 and wide["pinky"][2] < flat["pinky"][2] - 0.01
    for finger in ("index", "middle", "ring", "pinky"):
        bent = tips_after(**{f"{finger}{k}_flex": 40 for k in (1, 2, 3)})
        assert bent[finger][1] < flat[finger][1] - 0.04
    thumb = tips_after(thumb1_flex=30, thumb2_flex=30, thumb3_flex=30)["thumb"]
    assert thumb[2] < flat["thumb"][2] - 0.03  # across the palm, towards the little finger
    assert tips_after(thumb1_spread=30)["thumb"][1] < flat["thumb"][1] - 0.02  # away from the palm's plane


def test_limits_cover_every_joint_and_hold_zero():
    assert set(LIMITS) == set(MANO16.names[1:])
    assert (RANGES.low <= 0).all() and (RANGES.high >= 0).all()
    with pytest.raises(PosebookError, match="Unknown angle"):
        angle_index("index4.flex")
    with pytest.raises(PosebookError, match="Unknown angle"):
        angle_index("index1.bend")
