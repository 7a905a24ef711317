"""Mirroring and colour against their definitions."""

import numpy as np
import torch

from posebook.data import open_dataset
from posebook.data.batches import Batches, mirrored
from posebook.joints import H36M17
from posebook.profile import smoke


def test_batches_mirror_exactly(body_cache):
    batches = Batches(open_dataset("procedural", "test", smoke()))
    batch = batches.get(slice(0, 6))
    assert batch.image.shape == (6, 3, 64, 64) and 0 <= batch.image.min() and batch.image.max() <= 1
    assert torch.equal(batch.relative_depth[:, 0], torch.zeros(6))
    turned = mirrored(batch, H36M17, 64)
    left, right = H36M17.index("left_wrist"), H36M17.index("right_wrist")
    torch.testing.assert_close(turned.pixels[:, left, 0], 64 - batch.pixels[:, right, 0])
    torch.testing.assert_close(turned.pixels[:, left, 1], batch.pixels[:, right, 1])
    torch.testing.assert_close(turned.relative_depth[:, left], batch.relative_depth[:, right])
    assert torch.equal(turned.image[..., 0], batch.image[..., 63])
    again = mirrored(turned, H36M17, 64)
    torch.testing.assert_close(again.pixels, batch.pixels)
    assert torch.equal(again.image, batch.image)


def test_augmentation_mirrors_about_half_and_follows_its_generator(body_cache):
    batches = Batches(open_dataset("procedural", "test", smoke()))
    rows = np.arange(48)
    one = batches.augmented(rows, torch.Generator().manual_seed(5))
    two = batches.augmented(rows, torch.Generator().manual_seed(5))
    assert torch.equal(one.image, two.image) and torch.equal(one.pixels, two.pixels)
    plain = batches.get(rows)
    flipped = (one.pixels != plain.pixels).flatten(1).any(1)
    assert 12 < flipped.sum() < 36
    ratio = (one.image[~flipped].mean((2, 3)) / plain.image[~flipped].mean((2, 3))).flatten()
    assert ratio.min() > 0.75 and ratio.max() < 1.2001 and ratio.std() > 0.02
