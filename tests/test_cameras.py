"""Projection against the pinhole formula, and the fixed camera's published numbers."""

import numpy as np
import pytest
import torch

from posebook.cameras import NEAREST, nbf_camera, project
from posebook.errors import PosebookError

K = torch.tensor([[100.0, 3, 30], [0, 120, 40], [0, 0, 1]])


def test_projection_by_hand():
    points = torch.tensor([[[0.0, 0, 2], [0.5, -0.25, 2], [1, 1, 4]]])
    expected = torch.tensor([[[30.0, 40], [100 * 0.25 - 3 * 0.125 + 30, -120 * 0.125 + 40],
                              [25 + 0.75 + 30, 30 + 40]]])  # fmt: skip
    torch.testing.assert_close(project(points, K[None]), expected)


def test_projection_is_that_of_homogeneous_coordinates():
    rng = np.random.default_rng(0)
    points = torch.from_numpy(rng.normal(size=(4, 7, 3)) + [0, 0, 6])
    cameras = K.double() * torch.from_numpy(rng.uniform(0.5, 2, (4, 1, 1))).expand(4, 3, 3).clone()
    cameras[:, 2] = K[2].double()
    homogeneous = points @ cameras.mT
    torch.testing.assert_close(project(points, cameras), homogeneous[..., :2] / homogeneous[..., 2:])
    torch.testing.assert_close(project(points, K.double()), project(points, K.double().expand(4, 3, 3)))  # broadcast
    frames = points.view(2, 2, 7, 3)
    torch.testing.assert_close(project(frames, cameras.view(2, 2, 3, 3)).view(4, 7, 2), project(points, cameras))
    assert torch.autograd.gradcheck(lambda p: project(p, cameras), points.requires_grad_())


def test_behind_the_camera_it_stays_finite():
    points = torch.tensor([[[0.1, 0.2, 0.0], [0.1, 0.2, -3], [0.1, 0.2, NEAREST]]], requires_grad=True)
    pixels = project(points, K[None])
    pixels.sum().backward()
    assert points.grad.isfinite().all()
    torch.testing.assert_close(pixels[:, :2], pixels[:, 2:].expand(-1, 2, -1))  # as if at the nearest depth


@pytest.mark.parametrize(("size", "focal"), [(512, 5000.0), (224, 2187.5), (64, 625.0)])
def test_nbf_camera_has_the_papers_numbers(size, focal):
    camera = nbf_camera(size)
    assert camera.distance == 20.3
    expected = torch.tensor([[focal, 0, size / 2], [0, focal, size / 2], [0, 0, 1]])
    torch.testing.assert_close(camera.K, expected)  # specs/nbf.md section 4
    stick = torch.tensor([[[0.0, -0.5, 20.3], [0, 0.5, 20.3], [0, 0, 20.3]]])
    top, bottom, middle = project(stick, camera.K)[0]
    assert (bottom - top).norm().item() == pytest.approx(camera.pixels_per_metre, rel=1e-5)
    assert middle.tolist() == [size / 2, size / 2]


def test_nbf_camera_is_nearly_weak_perspective():
    camera = nbf_camera(512)
    assert round(camera.pixels_per_metre) == 246
    assert nbf_camera(224).pixels_per_metre == pytest.approx(246.3 * 224 / 512, rel=1e-4)
    hands = torch.tensor([[[0.5, 0, 20.3], [0.5, 0, 19.8]]])  # half a metre nearer
    far, near = project(hands, camera.K)[0, :, 0] - 256
    assert 1.0 < near / far < 1.03


@pytest.mark.parametrize(("points", "camera"), [((4, 7, 2), (4, 3, 3)), ((4, 7, 3), (4, 3, 4)), ((7, 3), (9,))])
def test_other_shapes_are_refused(points, camera):
    with pytest.raises(PosebookError, match=r"Expected points \(..., J, 3\)"):
        project(torch.zeros(points), torch.zeros(camera))
