"""Joint limits: every joint of every sampled clip, decomposed by geometry and not by the library's quaternions."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from posebook.errors import PosebookError
from posebook.joints import SMPL24
from posebook.motion.limits import LIMITS, base_name, dof_index, dofs_to_rotations, rotations_to_dofs, soft_limit


def decompose(rotation: np.ndarray, joint: str) -> np.ndarray:
    """Swing (2) and twist of R N^T about the neutral bone axis, degrees; by vectors. (T, 3, 3) -> (T, 3)."""
    mirror = np.array([1, -1, -1]) if joint.startswith("right_") else np.ones(3)
    axes = np.array([dof.axis for dof in LIMITS[base_name(joint)]]) * mirror
    hang = -90 * mirror[2] if "shoulder" in joint else 0.0
    neutral = Rotation.from_euler("z", hang, degrees=True).as_matrix()
    bone, across = neutral @ axes[2], axes[0]
    relative = rotation @ neutral.T
    moved = relative @ bone  # (T, 3)
    axis, cosine = np.cross(bone, moved), moved @ bone
    sine = np.linalg.norm(axis, axis=1)
    swing = axis / np.maximum(sine, 1e-12)[:, None] * np.arctan2(sine, cosine)[:, None]
    untwisted = Rotation.from_rotvec(swing).as_matrix()
    here = np.einsum("tji,tjk,k->ti", untwisted, relative, across)  # where twist alone takes `across`
    twist = np.arctan2(np.cross(across, here) @ bone, here @ across)
    return np.degrees(np.c_[swing @ axes[0], swing @ axes[1], twist])


def test_clips_stay_within_limits(clips):
    reached = {joint: [np.inf, -np.inf] for joint in SMPL24.names[1:]}
    for name, clip in clips.items():
        poses = Rotation.from_rotvec(clip.body_pose.reshape(-1, 3)).as_matrix().reshape(-1, 23, 3, 3)
        for j, joint in enumerate(SMPL24.names[1:]):
            angles = decompose(poses[:, j], joint)
            for d, dof in enumerate(LIMITS[base_name(joint)]):
                assert angles[:, d].min() > dof.low - 0.1, (name, joint, dof.name, angles[:, d].min())
                assert angles[:, d].max() < dof.high + 0.1, (name, joint, dof.name, angles[:, d].max())
            reached[joint] = [min(reached[joint][0], angles[:, 0].min()), max(reached[joint][1], angles[:, 0].max())]
    assert reached["left_knee"][1] > 100 and reached["right_shoulder"][1] > 140  # not trivially still


def test_decomposition_finds_a_violation():
    hyperextended = Rotation.from_euler("x", -40, degrees=True).as_matrix()[None]
    assert decompose(hyperextended, "left_knee")[0, 0] == pytest.approx(-40)


def test_names_mean_what_they_say():
    """Rest bones: left arm +x, leg -y, ahead +z. Signs checked by where a bone goes."""

    def turned(joint, dof, degrees, bone):
        angles = np.zeros((1, 23, 3))
        j, d = dof_index(f"{joint}.{dof}")
        angles[0, j, d] = degrees
        return dofs_to_rotations(angles)[0, j].numpy() @ np.array(bone)

    np.testing.assert_allclose(turned("left_shoulder", "flex", 0, [1, 0, 0]), [0, -1, 0], atol=1e-12)  # hangs
    np.testing.assert_allclose(turned("right_shoulder", "flex", 90, [-1, 0, 0]), [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(turned("right_shoulder", "abd", 90, [-1, 0, 0]), [-1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(turned("left_elbow", "flex", 90, [1, 0, 0]), [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(turned("right_elbow", "flex", 90, [-1, 0, 0]), [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(turned("left_hip", "flex", 90, [0, -1, 0]), [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(turned("left_knee", "flex", 90, [0, -1, 0]), [0, 0, -1], atol=1e-12)
    np.testing.assert_allclose(turned("right_hip", "abd", 90, [0, -1, 0]), [-1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(turned("spine1", "flex", 90, [0, 1, 0]), [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(turned("spine1", "side", 90, [0, 1, 0]), [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(turned("left_hip", "out", 90, [0, 0, 1]), [1, 0, 0], atol=1e-12)


@pytest.mark.parametrize("joint", ["left_hip", "right_shoulder", "left_shoulder", "head", "right_wrist"])
def test_angles_survive_the_round_trip(joint):
    rng = np.random.default_rng(0)
    angles = np.zeros((40, 23, 3))
    j = SMPL24.index(joint) - 1
    angles[:, j] = rng.uniform(-1, 1, (40, 3)) * [60, 50, 40]
    rotations = dofs_to_rotations(angles)[:, j]
    np.testing.assert_allclose(rotations_to_dofs(rotations, joint), angles[:, j], atol=1e-6)
    np.testing.assert_allclose(decompose(rotations.numpy(), joint), angles[:, j], atol=1e-6)


def test_soft_limit_is_identity_inside_and_bounded_outside():
    angles = np.zeros((3, 23, 3))
    j, d = dof_index("left_knee.flex")
    angles[:, j, d] = [60, 149, 400]
    knee = soft_limit(angles)[:, j, d]
    assert knee[0] == 60 and 140 < knee[1] < knee[2] <= 150


def test_unknown_degree_of_freedom():
    with pytest.raises(PosebookError, match=r"left_tail\.flex"):
        dof_index("left_tail.flex")
