"""Our chain of joints against smplx's."""

import numpy as np

from posebook.hand import load_hand_assets
from posebook.hand.kinematics import pose_rotations, posed_points
from posebook.joints import MANO16


def test_joints_and_tips_agree_with_smplx(posed):
    assets = load_hand_assets()
    poses = np.random.default_rng(0).normal(0, 0.4, (20, 45))
    rest, joints = posed(np.zeros(45))
    vertices, turned = posed(poses)
    tips = [assets.tips[f] for f in ("thumb", "index", "middle", "ring", "pinky")]
    found, found_tips = posed_points(joints[0], rest[0][tips], pose_rotations(poses))
    np.testing.assert_allclose(found, turned, atol=1e-6)
    np.testing.assert_allclose(found_tips, vertices[:, tips], atol=2e-3)  # tips are moved by their last joint alone
    assert found.shape == (20, len(MANO16), 3)
