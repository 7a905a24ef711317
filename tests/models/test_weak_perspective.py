"""The camera of SPIN, VIBE and TCMR against recorded outputs."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.weak_perspective import (
    camera_to_image,
    camera_translation,
    crop_to_image,
    fit_translation,
    image_to_crop,
    perspective,
    pixels_to_crop,
    project_to_crop,
)


@pytest.fixture
def geometry(vibe_recorded):
    return vibe_recorded["geometry"]


@pytest.mark.parity
def test_projection(geometry):
    found = project_to_crop(geometry["points"], geometry["cam"])
    torch.testing.assert_close(found, geometry["projected"], atol=1e-5, rtol=0)


@pytest.mark.parity
def test_perspective_in_pixels(geometry):
    found = perspective(geometry["points"], torch.tensor([0.0, 0.0, 40.0]).expand(3, 3))
    torch.testing.assert_close(found, geometry["persp"], atol=1e-3, rtol=0)


@pytest.mark.parity
def test_translation_from_keypoints(geometry):
    found = fit_translation(geometry["points"], geometry["keypoints_px"])
    torch.testing.assert_close(found[:, :2], geometry["translation"][:, :2], atol=1e-5, rtol=0)
    torch.testing.assert_close(found[:, 2], geometry["translation"][:, 2], atol=1e-3, rtol=0)  # 40 to 90 m away


@pytest.mark.parity
def test_camera_and_keypoints_of_the_whole_picture(vibe_recorded):
    data = vibe_recorded["data"]
    found = camera_to_image(data["cam"], data["bbox"], 1920, 1080)
    torch.testing.assert_close(found, data["orig_cam"], atol=1e-5, rtol=1e-6)
    torch.testing.assert_close(crop_to_image(data["crop_kp"], data["bbox"]), data["orig_kp"], atol=1e-3, rtol=0)
    torch.testing.assert_close(image_to_crop(data["orig_kp"], data["bbox"]), data["crop_kp"], atol=1e-5, rtol=0)


@pytest.mark.parity
def test_crop_pixels(vibe_recorded):
    found = pixels_to_crop(torch.tensor([[0.0, 112.0, 224.0]], dtype=torch.float64))
    torch.testing.assert_close(found, vibe_recorded["data"]["norm"])


def test_scale_is_that_of_a_weak_perspective_camera():
    """Far away f / (112 t_z) is s, so that crop coordinates are s (X + tx)."""
    camera = torch.tensor([[0.9, 0.1, -0.2]])
    points = torch.tensor([[[0.3, -0.4, 0.0], [-0.8, 0.9, 0.0]]])
    found = project_to_crop(points, camera)
    torch.testing.assert_close(found, 0.9 * (points[..., :2] + camera[:, 1:]), atol=1e-5, rtol=0)
    assert camera_translation(camera)[0, 2].item() == pytest.approx(5000 / (112 * 0.9))


def test_noise_is_weighed_by_confidence(geometry):
    """A joint without confidence counts for nothing; the fit is the minimum of the weighted squares."""
    points, keypoints = geometry["points"].double(), geometry["keypoints_px"].double().clone()
    keypoints[..., 2] = torch.linspace(0.1, 1, 49, dtype=torch.float64)
    keypoints[:, 3] = torch.tensor([1e4, -1e4, 0.0])
    keypoints[:, 5:9, :2] += 3
    found = fit_translation(points, keypoints)
    moved = found.clone().requires_grad_()
    image = (keypoints[..., :2] - 112) / 5000
    residual = points[..., :2] + moved[:, None, :2] - image * (points[..., 2:] + moved[:, None, 2:])
    (keypoints[..., 2:] * residual.square()).sum().backward()
    torch.testing.assert_close(moved.grad, torch.zeros_like(found), atol=1e-9, rtol=0)


def test_too_few_keypoints_and_wrong_shapes_are_refused(geometry):
    keypoints = geometry["keypoints_px"].clone()
    keypoints[1, 1:, 2] = 0
    with pytest.raises(PosebookError, match="two joints with confidence"):
        fit_translation(geometry["points"], keypoints)
    with pytest.raises(PosebookError, match="Expected two"):
        fit_translation(geometry["points"], keypoints[..., :2])
    with pytest.raises(PosebookError, match=r"boxes: expected \(..., 4\)"):
        crop_to_image(torch.zeros(1, 2, 2), torch.zeros(1, 3))
    with pytest.raises(PosebookError, match="camera"):
        project_to_crop(geometry["points"], geometry["cam"][0, 0])
