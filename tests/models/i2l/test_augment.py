"""Augmentation: what is drawn, and that picture, points and pose stay in step."""

import math

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.i2l import augment
from posebook.models.i2l.augment import Augmentation
from posebook.models.i2l.crop import crop_affine
from posebook.models.i2l.param_regressor import pose_to_rotations


def test_draws_have_the_stated_spread():
    g = torch.Generator().manual_seed(0)
    drawn = [augment.draw_augmentation(g) for _ in range(4000)]
    scale = torch.tensor([a.scale for a in drawn])
    turn = torch.tensor([math.degrees(a.rotation) for a in drawn])
    colour = torch.stack([a.colour for a in drawn])
    assert scale.min() == pytest.approx(0.75) and scale.max() == pytest.approx(1.25)
    assert (scale == scale.max()).float().mean().item() == pytest.approx(0.159, abs=0.02)  # clipped at one sigma
    assert turn.abs().max().item() == pytest.approx(60, abs=1e-3)
    assert (turn != 0).float().mean().item() == pytest.approx(0.6, abs=0.03)
    assert turn[turn != 0].std().item() == pytest.approx(30 * 0.94, rel=0.05)  # sigma of a normal clipped at two
    assert colour.min() >= 0.8 and colour.max() <= 1.2 and colour.mean().item() == pytest.approx(1, abs=0.01)
    assert sum(a.flip for a in drawn) / 4000 == pytest.approx(0.5, abs=0.03)
    assert not any(augment.draw_augmentation(g, flip_chance=0).flip for _ in range(100))


def test_nothing_cuts_the_plain_crop():
    image, box = torch.rand(3, 40, 50), torch.tensor([5.0, 4, 30, 30])
    crop, affine = augment.augmented_crop(image, box, augment.NOTHING, 32)
    plain = crop_affine(box, 32)
    assert torch.equal(affine.to_crop, plain.to_crop) and crop.shape == (3, 32, 32)


def test_turned_points_project_where_the_turned_crop_shows_them():
    """Points turned about the optical axis, in the plain crop, are the original points in the turned crop."""
    g = torch.Generator().manual_seed(1)
    points = torch.rand(20, 3, generator=g, dtype=torch.float64) + torch.tensor([-0.5, -0.5, 4.0])
    focal, centre, rotation = 500.0, torch.tensor([160.0, 120.0]).double(), 0.4
    box = torch.tensor([60.0, 20, 200, 200])  # about the principal point

    def project(p, affine):
        pixels = focal * p[:, :2] / p[:, 2:] + centre
        return pixels @ affine[:, :2].T + affine[:, 2]

    turned = augment.turn_points(points, rotation)
    torch.testing.assert_close(
        project(turned, crop_affine(box).to_crop), project(points, crop_affine(box, rotation=rotation).to_crop)
    )
    torch.testing.assert_close(turned[:, 2], points[:, 2])


def test_turned_root_turns_the_body(recorded_body):
    pose = 0.4 * torch.randn(1, 72, generator=torch.Generator().manual_seed(2))
    turned = augment.turn_root(pose, 0.7)
    body = lambda p: recorded_body(global_orient=p[:, :3], body_pose=p[:, 3:]).vertices[0].detach()  # noqa: E731
    pelvis = recorded_body(global_orient=pose[:, :3], body_pose=pose[:, 3:]).joints[0, 0].detach()  # does not move
    torch.testing.assert_close(body(turned) - pelvis, augment.turn_points(body(pose) - pelvis, 0.7), atol=1e-5, rtol=0)


def test_flipped_pose_is_the_mirrored_rotation():
    partner = (0, 2, 1)
    pose = torch.randn(4, 9, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    mirror = torch.diag(torch.tensor([-1.0, 1, 1], dtype=torch.float64))
    wanted = (mirror @ pose_to_rotations(pose) @ mirror)[:, list(partner)]
    flipped = augment.flip_pose(pose, partner)
    torch.testing.assert_close(pose_to_rotations(flipped), wanted)
    torch.testing.assert_close(augment.flip_pose(flipped, partner), pose)
    with pytest.raises(PosebookError, match="partners"):
        augment.flip_pose(pose, (0, 1))


def test_flipped_points_mirror_the_roots_projection():
    points = torch.tensor([[0.3, 0.1, 5.0], [0.5, -0.2, 5.2], [0.1, -0.2, 4.9]])
    fx, cx, width = 1000.0, 300.0, 640
    flipped = augment.flip_points(points, (0, 2, 1), 0, fx, cx, width)
    before, after = (fx * p[0, 0] / p[0, 2] + cx for p in (points, flipped))
    assert after.item() == pytest.approx(width - 1 - before.item(), abs=1e-3)
    torch.testing.assert_close(flipped[1] - flipped[0], (points[2] - points[0]) * torch.tensor([-1.0, 1, 1]))
    twice = augment.flip_points(flipped, (0, 2, 1), 0, fx, cx, width)
    torch.testing.assert_close(twice, points)


def test_flipped_crop_is_the_mirrored_picture():
    """Index convention: the mirrored picture in the mirrored box, so a box symmetric about (W - 1) / 2 just mirrors."""
    image = torch.rand(3, 41, 41)
    box = torch.tensor([4.0, 4, 32, 32])  # centre 20 = (W - 1) / 2
    plain, _ = augment.augmented_crop(image, box, augment.NOTHING, 32)
    flip = Augmentation(1.0, 0.0, True, torch.ones(3))
    mirrored, _ = augment.augmented_crop(image, box, flip, 32)
    torch.testing.assert_close(mirrored[..., 1:], plain.flip(-1)[..., :-1], atol=1e-5, rtol=0)


def test_colours_are_clipped():
    image = torch.full((3, 2, 2), 0.9)
    out = augment.recolour(image, torch.tensor([0.8, 1.0, 1.2]))
    torch.testing.assert_close(out[:, 0, 0], torch.tensor([0.72, 0.9, 1.0]))
