"""The reader's loss spelt out."""

import torch

from posebook.models.selfsup import skeleton_loss


def test_both_parts_are_means_and_the_picture_weighs_a_tenth():
    g = torch.Generator().manual_seed(0)
    read, points = torch.rand(3, 5, 2, generator=g), torch.rand(3, 5, 2, generator=g)
    redrawn, painted = torch.rand(3, 1, 4, 4, generator=g), torch.rand(3, 1, 4, 4, generator=g)
    first = sum((a - b) ** 2 for a, b in zip(read.flatten(), points.flatten(), strict=True)) / 30
    second = sum((a - b) ** 2 for a, b in zip(redrawn.flatten(), painted.flatten(), strict=True)) / 48
    torch.testing.assert_close(skeleton_loss(read, points, redrawn, painted), first + 0.1 * second)
    torch.testing.assert_close(skeleton_loss(read, points, redrawn, painted, 2.0), first + 2 * second)
