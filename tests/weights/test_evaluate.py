"""Scores of methods whose answers are known, on any object with the dataset's interface."""

import numpy as np
import pytest
import torch

from posebook.data import open_dataset
from posebook.errors import PosebookError
from posebook.methods import BodyAnswer, Method, PictureAnswer
from posebook.metrics.video import SPIN_PROTOCOL, TCMR_PROTOCOL
from posebook.profile import smoke
from posebook.weights import I2L_PROTOCOL, evaluate_weights

N, SIZE = 12, 16


class Interface:
    """Not a Dataset: only its interface. Picture i carries its number in every pixel."""

    def __init__(self, joints=17, field="joints3d_h36m17", **extra):
        rng = np.random.default_rng(0)
        points = rng.normal(0, 0.3, (N, joints, 3)).astype(np.float32) + np.float32([0.1, -0.2, 4])
        image = np.zeros((N, SIZE, SIZE, 3), np.uint8)
        image[:] = np.arange(N)[:, None, None, None]
        K = np.tile(np.float32([[40, 0, 8], [0, 44, 7], [0, 0, 1]]), (N, 1, 1))
        self.arrays = {"image": image, "K": K, field: points, **extra}
        self.texts = {"sequence": np.array(["a"] * 6 + ["b"] * 6)}
        self.manifest = {"missing_fields": []}

    def __len__(self):
        return N


def worst(found):
    """Largest error; ACCEL is no error."""
    return max(value for name, value in found.values.items() if name != "ACCEL")


def numbers(crops):
    return (crops[:, 0, 0, 0] * 255).round().long()


def body_method(data, change=lambda x: x, size=SIZE, field="joints3d_h36m17", **options):
    truth = torch.from_numpy(data.arrays[field])

    def model(crops):
        assert crops.shape[1:] == (3, size, size)
        points = change(truth[numbers(crops)])
        rooted = points - points[:, :1]
        return BodyAnswer(rooted, rooted, torch.zeros(len(crops), 2), None)

    eye = torch.eye(truth.shape[1])
    return Method("known", "", BodyAnswer, model, size, 1.2, ((0, 1),), np.zeros((1, 3)), eye, **options)


def test_the_truth_scores_nothing_and_a_scaled_one_what_it_must():
    data = Interface()
    found = evaluate_weights(body_method(data), data, I2L_PROTOCOL)
    assert found.frames == N and found.sequences == 2
    assert worst(found) == pytest.approx(0, abs=1e-3)
    found = evaluate_weights(body_method(data, lambda x: 1.1 * x), data, SPIN_PROTOCOL)
    points = data.arrays["joints3d_h36m17"].astype(float)
    rooted = (points - points[:, :1])[:, [1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14, 15, 16]]
    assert found.values["MPJPE"] == pytest.approx(100 * np.linalg.norm(rooted, axis=-1).mean(), rel=1e-4)
    assert found.values["PA-MPJPE"] == pytest.approx(0, abs=1e-3)


def test_the_protocols_root_is_used():
    """Only the pelvis is wrong: a root at the hips does not see it (the pelvis is not among the 14 joints)."""
    data = Interface()

    def moved(points):
        wrong = points.clone()
        wrong[:, 0] += 0.05
        return wrong

    method = body_method(data, moved)
    assert evaluate_weights(method, data, TCMR_PROTOCOL).values["MPJPE"] == pytest.approx(0, abs=1e-3)
    assert evaluate_weights(method, data, SPIN_PROTOCOL).values["MPJPE"] == pytest.approx(50 * 3**0.5, rel=1e-3)


def test_points_in_the_picture_get_the_true_root_depth_and_the_crops_camera():
    """At another input size than the dataset's pictures."""
    data, size = Interface(), 32
    truth = torch.from_numpy(data.arrays["joints3d_h36m17"])

    def model(crops):
        points = truth[numbers(crops)]
        x = (40 * points[..., 0] / points[..., 2] + 8) * size / SIZE
        y = (44 * points[..., 1] / points[..., 2] + 7) * size / SIZE
        seen = torch.stack((x, y, points[..., 2] - points[:, :1, 2]), -1)
        return PictureAnswer(seen, seen)

    method = Method("lixel", "", PictureAnswer, model, size, 1.25, ((0, 1),), np.zeros((1, 3)), torch.eye(17))
    found = evaluate_weights(method, data, I2L_PROTOCOL)
    assert worst(found) == pytest.approx(0, abs=1e-2)
    assert any("root depth is the true one" in note for note in found.notes)


def test_clips_come_whole_and_a_limit_counts_pictures():
    data, seen = Interface(), []

    def noted(points):
        seen.append(len(points))
        return points

    found = evaluate_weights(body_method(data, noted, whole_clip=True), data, TCMR_PROTOCOL, limit=11)
    assert seen == [6, 5] and found.frames == 11
    found = evaluate_weights(body_method(data), data, I2L_PROTOCOL, limit=8)  # the second sequence has two frames
    assert set(found.values) == {"MPJPE", "PA-MPJPE"}


def test_hands():
    rng = np.random.default_rng(1)
    data = Interface(joints=21, field="joints3d")
    found = evaluate_weights(body_method(data, lambda x: 0.9 * x, field="joints3d"), data, None)
    assert found.values["PA-MPJPE"] == pytest.approx(0, abs=1e-3) and "PA-MPVPE" not in found.values
    points = data.arrays["joints3d"].astype(float)
    assert found.values["MPJPE"] == pytest.approx(
        100 * np.linalg.norm(points - points[:, :1], axis=-1).mean(), rel=1e-4
    )
    vertices = data.arrays["joints3d"] + rng.normal(0, 1e-6, (N, 21, 3)).astype(np.float32)
    data = Interface(joints=21, field="joints3d", vertices=vertices)
    found = evaluate_weights(body_method(data, field="joints3d"), data, None)
    assert found.values["PA-MPVPE"] == pytest.approx(0, abs=1e-2) and found.values["F@5"] == pytest.approx(1)


def test_what_is_missing_is_named():
    data = Interface()
    data.manifest = {"missing_fields": ["joints3d_h36m17"]}
    with pytest.raises(PosebookError, match="This dataset has no joints3d_h36m17"):
        evaluate_weights(body_method(data), data, I2L_PROTOCOL)
    data = Interface()
    method = Method("x", "", BodyAnswer, lambda crops: None, SIZE, 1.2, ((0, 1),))
    with pytest.raises(PosebookError, match="x cannot be scored"):
        evaluate_weights(method, data, I2L_PROTOCOL)


def test_the_synthetic_benchmark_has_the_interface(body_cache):
    data = open_dataset("procedural", "test", smoke())
    truth = torch.from_numpy(np.array(data.arrays["joints3d_h36m17"]))
    first = iter(range(len(data)))

    def model(crops):
        points = truth[[next(first) for _ in crops]] - 0.0
        return BodyAnswer(points, points, torch.zeros(len(crops), 2), None)

    method = Method("truth", "", BodyAnswer, model, 64, 1.2, ((0, 1),), np.zeros((1, 3)), torch.eye(17))
    found = evaluate_weights(method, data, TCMR_PROTOCOL)
    assert found.frames == len(data) and worst(found) == pytest.approx(0, abs=1e-3)
