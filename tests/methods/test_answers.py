"""Placing answers: the pinhole law written out, and SPIN's own weak perspective."""

import numpy as np
import pytest
import torch

from posebook.methods import BodyAnswer, PictureAnswer, View, default_root_depth, place
from posebook.methods.bodies import single_frames
from posebook.methods.meshes import in_the_box
from posebook.models.weak_perspective import camera_translation

VIEW = View(torch.tensor([[0.5, 0, -10.0], [0, 0.5, -20.0]]), 800.0, 4.0, 640, 480)


def test_points_in_the_picture_follow_the_pinhole_law():
    answer = PictureAnswer(None, torch.tensor([[[30.0, 40.0, 0.25], [32.0, 32.0, -0.5]]]))
    found = place(answer, 0, VIEW)
    for point, placed, pixel in zip(answer.joints[0].numpy(), found.joints, found.joints_pixels, strict=True):
        u, v = (point[0] + 10) / 0.5, (point[1] + 20) / 0.5
        z = point[2] + 4.0
        np.testing.assert_allclose(placed, [(u - 320) * z / 800, (v - 240) * z / 800, z], rtol=1e-5)
        np.testing.assert_allclose(pixel, [u, v], rtol=1e-5)
    assert found.vertices is None and found.depth == 4.0


@pytest.mark.parametrize("scale", [None, 40.0])
def test_bodies_keep_their_size_and_stand_where_their_root_is_seen(scale):
    body = torch.tensor([[[0.0, 0, 0], [0.2, -0.8, 0.1]]])
    answer = BodyAnswer(body, body, torch.tensor([[32.0, 36.0]]), None if scale is None else torch.tensor([scale]))
    found = place(answer, 0, VIEW)
    depth = 4.0 if scale is None else 800 * 0.5 / 40
    assert found.depth == pytest.approx(depth)
    root = [(84 - 320) * depth / 800, (112 - 240) * depth / 800, depth]
    np.testing.assert_allclose(found.joints[0], root, rtol=1e-5)
    np.testing.assert_allclose(found.joints[1] - found.joints[0], [0.2, -0.8, 0.1], atol=1e-5)
    np.testing.assert_allclose(found.joints_pixels[0], [84, 112], rtol=1e-5)
    assert found.height == pytest.approx(0.8, abs=1e-5)


def test_focal_length_changes_the_size_of_points_and_the_place_of_bodies():
    points = PictureAnswer(None, torch.tensor([[[20.0, 20.0, 0], [44.0, 50.0, 0]]]))
    body = BodyAnswer(None, torch.tensor([[[0.0, 0, 0], [0, 1.6, 0]]]), torch.tensor([[32.0, 32.0]]),
                      torch.tensor([30.0]))  # fmt: skip
    one, two = VIEW, VIEW._replace(focal=1600.0)
    assert place(points, 0, two).height == pytest.approx(place(points, 0, one).height / 2)
    assert place(body, 0, two).height == pytest.approx(place(body, 0, one).height)
    assert place(body, 0, two).depth == pytest.approx(2 * place(body, 0, one).depth)


def test_default_depth_makes_the_box_two_metres_wide():
    depth = default_root_depth(1500.0, 300.0)
    assert 300.0 * depth / 1500.0 == pytest.approx(2.0)


def test_a_body_without_camera_fills_its_box():
    torch.manual_seed(0)
    vertices = torch.randn(3, 50, 3)
    answer = in_the_box(vertices, vertices[:, :4], 60, 1.2)
    pixels = vertices[..., :2] * answer.scale[:, None, None] + answer.root[:, None]
    sides = pixels.amax(1) - pixels.amin(1)
    torch.testing.assert_close(sides.amax(1), torch.full((3,), 50.0))
    torch.testing.assert_close((pixels.amax(1) + pixels.amin(1)) / 2, torch.full((3, 2), 30.0))


class Posed(torch.nn.Module):
    """Answers like HMR, with a fixed body."""

    def __init__(self, theta, joints):
        super().__init__()
        self.theta, self.joints = theta, joints

    def feature_extractor(self, image):
        return image.flatten(1)[:, :4]

    def regress(self, features):
        from posebook.models.hmr import BodyOutput

        n = len(features)
        joints = self.joints.expand(n, -1, -1)
        return BodyOutput(self.theta.expand(n, -1), joints, joints[..., :2], joints, torch.eye(3).expand(n, 24, 3, 3))


def test_weak_perspective_lands_where_spins_camera_does():
    """s, tx, ty at focal length 5000 on a crop of 224 pixels: the body's distance and pixels are SPIN's."""
    torch.manual_seed(1)
    theta, joints = torch.zeros(1, 85), torch.randn(1, 49, 3) * 0.4
    theta[0, :3] = torch.tensor([0.8, 0.1, -0.2])
    answer = single_frames(Posed(theta, joints), 224, True)(torch.rand(2, 3, 224, 224))
    view = View(torch.eye(2, 3), 5000.0, 1.0, 224, 224)
    found = place(answer, 1, view)
    shift = camera_translation(theta[:, :3])[0]
    assert found.depth == pytest.approx(float(shift[2] + joints[0, 8, 2]), rel=1e-4)
    moved = joints[0] + shift
    pixels = 5000 * moved[:, :2] / moved[:, 2:] + 112
    torch.testing.assert_close(found.joints_pixels, pixels, atol=1e-2, rtol=0)
