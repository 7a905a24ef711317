"""Pictures of hands against smplx, the camera rules and the split."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from scipy.stats import ks_2samp

from posebook.data.camera import project
from posebook.hand import hand_profile, load_hand, load_hand_assets, open_hand_dataset
from posebook.hand.limits import pose_to_angles, within_limits
from posebook.hand.poses import ACTIONS
from posebook.hand.synthetic import HandPainter, draw_view, hand_pool, random_turn
from posebook.splits import membership


@pytest.fixture(scope="module")
def train_set(hand_cache):
    return open_hand_dataset("train", hand_profile("smoke"))


@pytest.fixture(scope="module")
def test_set(hand_cache):
    return open_hand_dataset("test", hand_profile("smoke"))


def vertices_of(sample):
    inputs = {k: torch.tensor(getattr(sample, k))[None] for k in ("global_orient", "hand_pose", "betas", "transl")}
    with torch.no_grad():
        return load_hand()(**inputs).vertices[0].numpy()


def test_smplx_with_the_sample_parameters_lands_in_the_camera_frame(test_set):
    for i in (0, 13, len(test_set) - 1):
        s = test_set[i]
        np.testing.assert_allclose(load_hand_assets().regressor @ vertices_of(s), s.joints3d, atol=1e-5)
        np.testing.assert_allclose(project(s.joints3d, s.K), s.joints2d, atol=1e-2)
        assert 0.39 < np.linalg.norm(s.joints3d[0]) < 0.91


def test_mask_parts_and_depth_agree_with_the_mesh(test_set):
    for i in (3, 20):
        s, vertices = test_set[i], vertices_of(test_set[i])
        assert np.array_equal(s.mask, s.parts > 0) and np.array_equal(s.mask, s.depth > 0)
        assert set(np.unique(s.parts)) <= set(range(17))
        assert vertices[:, 2].min() - 1e-4 < s.depth[s.mask].min() and s.depth.max() < vertices[:, 2].max() + 1e-4
        pixels = project(vertices, s.K)
        columns = np.flatnonzero(s.mask.any(0))
        assert abs(columns.min() - pixels[:, 0].min()) < 2 and abs(columns.max() + 1 - pixels[:, 0].max()) < 2
        assert pixels.min() > 0 and pixels.max() < 64


def test_labels_sit_on_their_joints(test_set):
    """Where a fingertip is not hidden, its pixel carries its own part's label."""
    tips, agree = load_hand_assets().tips, []
    for i in range(len(test_set)):
        s, vertices = test_set[i], vertices_of(test_set[i])
        for vertex in tips.values():
            u, v = project(vertices[vertex][None], s.K)[0].astype(int)
            part = s.parts[max(v - 1, 0) : v + 2, max(u - 1, 0) : u + 2]
            depth = s.depth[max(v - 1, 0) : v + 2, max(u - 1, 0) : u + 2]
            if abs(depth[depth > 0] - vertices[vertex, 2]).min(initial=1) < 0.004:
                agree.append((part == load_hand_assets().part_of_vertex[vertex]).any())
    assert len(agree) > 50 and np.mean(agree) > 0.95


def test_poses_keep_their_limits(train_set):
    angles = pose_to_angles(np.asarray(train_set.arrays["hand_pose"], float), load_hand_assets().skeleton.axes)
    assert within_limits(angles, 0.01).all()
    assert set(train_set.texts["action"]) <= set(ACTIONS)


def test_splits_share_nothing(train_set, test_set):
    for field, prefix, kind in (("subject", "person-", "subject"), ("clip", "pose-", "hand_pose")):
        ids = {name: {int(t.removeprefix(prefix)) for t in d.texts[field]}
               for name, d in (("train", train_set), ("test", test_set))}  # fmt: skip
        assert not ids["train"] & ids["test"]
        for name, members in ids.items():
            assert {membership(kind, i) for i in members} == {name}
    assert not set(train_set.manifest["backgrounds"]) & set(test_set.manifest["backgrounds"])
    assert len(hand_pool("val").poses) == pytest.approx(5000, rel=0.1)


def test_turns_are_evenly_spread():
    rng = np.random.default_rng(0)
    angles = [random_turn(60, rng).magnitude() for _ in range(800)]
    uniform = Rotation.random(20000, rng=1).magnitude()
    assert max(angles) <= np.radians(60) + 1e-9
    assert ks_2samp(angles, uniform[uniform < np.radians(60)]).pvalue > 0.01
    assert ks_2samp([random_turn(180, rng).magnitude() for _ in range(800)], uniform).pvalue > 0.01


def test_fingers_point_up_and_both_sides_are_seen(train_set):
    """No turn: fingers up, the palm's normal to or from the camera; a right hand's thumb is left on a seen back."""
    views = [draw_view(f"x-{i}", "train", hand_profile("smoke")) for i in range(200)]
    turned = Rotation.from_rotvec(np.stack([v.orient for v in views]))
    up = -turned.apply([-1, 0, 0])[:, 1]
    assert up.min() > np.cos(np.radians(60)) - 1e-9
    back = turned.apply([0, 1, 0])[:, 2] < 0
    assert 60 < back.sum() < 140
    assert (turned.apply([0, 0, 1])[back, 0].mean() < -0.5) and (turned.apply([0, 0, 1])[~back, 0].mean() > 0.5)


def test_skin_is_lighter_on_the_palm(hand_cache):
    painter = HandPainter(hand_profile("smoke"))
    for seed in range(5):
        colours = painter.colours(np.random.default_rng(seed))
        assert colours.shape == (1552, 3) and 0 <= colours.min() and colours.max() <= 1
        inner, outer = (colours[mask & ~painter.stump].mean() for mask in (painter.palm == 1, painter.palm == 0))
        assert inner >= outer
