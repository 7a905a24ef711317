"""Cameras against their definitions."""

import numpy as np

from posebook.data import camera


def test_look_at_is_a_rotation_that_puts_the_target_on_the_axis():
    rng = np.random.default_rng(0)
    for _ in range(20):
        position, target = rng.normal(0, 3, 3), rng.normal(0, 1, 3)
        c = camera.look_at(position, target)
        np.testing.assert_allclose(c.R @ c.R.T, np.eye(3), atol=1e-12)
        assert np.isclose(np.linalg.det(c.R), 1)
        seen = c.R @ target + c.t
        np.testing.assert_allclose(seen, [0, 0, np.linalg.norm(target - position)], atol=1e-9)
        up = c.R @ np.array([0.0, 1.0, 0.0])
        assert up[1] < 0 and abs(up[0]) < 1e-9  # world up is picture up, never tilted to a side


def test_azimuth_zero_sees_the_front_and_a_quarter_turn_the_left_side():
    facing_z = camera.orbit(np.zeros(3), heading=0.0, azimuth=0.0, elevation=0.0, distance=4.0)
    np.testing.assert_allclose(facing_z, [0, 0, 4], atol=1e-12)  # a person who faces +z looks at the camera
    side = camera.orbit(np.zeros(3), 0.0, np.pi / 2, 0.0, 4.0)
    np.testing.assert_allclose(side, [4, 0, 0], atol=1e-12)  # +x is the left of a person who faces +z
    high = camera.orbit(np.zeros(3), 0.3, 0.2, np.radians(30), 4.0)
    assert np.isclose(high[1], 2.0) and np.isclose(np.linalg.norm(high), 4.0)


def test_projection_and_back():
    rng = np.random.default_rng(1)
    points = rng.normal(0, 1, (5, 17, 3)) + [0, 0, 5]
    K = np.array([[900.0, 0, 480], [0, 950, 510], [0, 0, 1]])
    pixels = camera.project(points, K)
    np.testing.assert_allclose(pixels[..., 0], 900 * points[..., 0] / points[..., 2] + 480)
    np.testing.assert_allclose(pixels[..., 1], 950 * points[..., 1] / points[..., 2] + 510)
    np.testing.assert_allclose(camera.unproject(pixels, points[..., 2], K), points, atol=1e-12)


def test_crop_matrix_agrees_with_cutting_and_scaling_the_picture():
    rng = np.random.default_rng(2)
    points = rng.normal(0, 0.5, (40, 3)) + [0, 0, 4]
    full = camera.project(points, camera.full_K())
    box = camera.crop_box(full, margin=0.1)
    low, high = full.min(0), full.max(0)
    assert np.isclose(box[2], box[3]) and np.isclose(box[2], 1.2 * (high - low).max())
    cropped = camera.project(points, camera.crop_K(camera.full_K(), box, 64))
    np.testing.assert_allclose(cropped, (full - box[:2]) * 64 / box[2], atol=1e-9)
    assert cropped.min() >= 0 and cropped.max() <= 64
