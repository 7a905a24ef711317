"""The true method lands on the sample's stored joints."""

import numpy as np
import pytest

from posebook.data import open_dataset
from posebook.methods import look, same_box
from posebook.methods.truth import true_method
from posebook.profile import smoke


def test_its_joints_are_those_stored_with_the_sample(body_cache):
    sizes = smoke()
    dataset = open_dataset("procedural", "test", sizes)
    samples, margin = [dataset[i] for i in range(3)], 1 + 2 * sizes.data.margin
    size = samples[0].image.shape[0]
    inner = size / margin
    box = [(size - inner) / 2, (size - inner) / 2, inner, inner]
    looked = look(true_method(samples, margin), [s.image for s in samples], same_box(box, 3))
    for row, sample in enumerate(samples):
        true_depth = float(sample.joints3d[0, 2])
        placed = looked.placed(row, float(sample.K[0, 0]), true_depth)
        np.testing.assert_allclose(placed.joints_pixels, sample.joints2d, atol=0.7)  # the coarse body's joints
        stored = np.ptp(sample.joints3d[:, 1])
        assert np.ptp(placed.joints[:, 1].numpy()) == pytest.approx(stored, rel=0.03)
