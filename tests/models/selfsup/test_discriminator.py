"""The discriminator's published sizes, its scales by picture size, its losses and its history of pictures."""

import pytest
import torch
import torch.nn.functional as F

from posebook.errors import PosebookError
from posebook.models.selfsup import Discriminator, PicturePool, discriminator_loss, painter_loss


def _count(module):
    return sum(p.numel() for p in module.parameters())


def test_published_sizes():
    with torch.device("meta"):
        network = Discriminator(128)
        maps = network(torch.empty(2, 1, 128, 128))
    assert [tuple(m.shape) for m in maps] == [(2, 1, 14, 14), (2, 1, 6, 6), (2, 1, 2, 2)]
    assert _count(network) == 8_288_067 and _count(network.copies[0]) == 2_762_689


@pytest.mark.parametrize(("size", "scales"), [(24, 1), (32, 1), (64, 2), (96, 3), (128, 3), (256, 3)])
def test_scales_follow_the_picture_and_train(size, scales):
    network = Discriminator(size, width=2)
    assert len(network.copies) == scales
    maps = network(torch.randn(2, 1, size, size))
    assert len(maps) == scales and all(m.numel() for m in maps)


def test_a_scale_that_is_too_small_is_refused():
    """At 64 the picture at 1/4 ends in a normalised map of one pixel, where torch raises."""
    with pytest.raises(PosebookError, match="allow 2 scales"):
        Discriminator(64, scales=3)
    with pytest.raises(ValueError, match="Expected more than 1 spatial element"):
        Discriminator(32, width=2).copies[0](torch.randn(1, 1, 16, 16))
    with pytest.raises(PosebookError, match=r"\(B, 1, 32, 32\)"):
        Discriminator(32, width=2)(torch.zeros(1, 1, 64, 64))


def test_losses_spelt_out():
    real, fake = [torch.randn(3, 1, 4, 4), torch.randn(3, 1, 2, 2)], [torch.randn(3, 1, 4, 4), torch.randn(3, 1, 2, 2)]
    pairs = list(zip(real, fake, strict=True))
    squares = sum(((r - 1) ** 2).mean() / 2 + (f**2).mean() / 2 for r, f in pairs) / 2
    torch.testing.assert_close(discriminator_loss(real, fake), squares)
    torch.testing.assert_close(painter_loss(fake), sum(((f - 1) ** 2).mean() for f in fake) / 2)
    bce = F.binary_cross_entropy_with_logits
    logs = sum(bce(r, torch.ones_like(r)) + bce(f, torch.zeros_like(f)) for r, f in pairs) / 2
    torch.testing.assert_close(discriminator_loss(real, fake, "log"), logs)
    torch.testing.assert_close(painter_loss(fake, "log"), sum(bce(f, torch.ones_like(f)) for f in fake) / 2)
    for call in (lambda: discriminator_loss(real, fake, "hinge"), lambda: painter_loss(fake, "hinge")):
        with pytest.raises(PosebookError, match="adversarial"):
            call()


def test_pool_fills_then_exchanges_half():
    pool, g = PicturePool(2, size=4), torch.Generator().manual_seed(0)
    first = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 1, 2, 2)
    assert torch.equal(pool(first, g), first)  # filling: everything passes
    returned, kept = 0, 100 + torch.arange(200.0).view(200, 1, 1, 1).expand(200, 1, 2, 2)
    seen = set(pool.pictures[:, 0, 0, 0].tolist()) | set(kept[:, 0, 0, 0].tolist())
    for start in range(0, 200, 4):
        batch = kept[start : start + 4]
        shown = pool(batch, g)
        returned += int((shown != batch).flatten(1).any(1).sum())
        assert set(shown[:, 0, 0, 0].tolist()) <= seen
    assert 60 < returned < 140


def test_pool_is_part_of_the_state_and_may_be_empty():
    pool, g = PicturePool(2, size=3), torch.Generator().manual_seed(0)
    pool(torch.rand(2, 1, 2, 2), g)
    other = PicturePool(2, size=3)
    other.load_state_dict(pool.state_dict())
    assert torch.equal(other.pictures, pool.pictures) and other.filled == 2
    batch = torch.rand(3, 1, 2, 2)
    assert torch.equal(PicturePool(2, size=0)(batch, g), batch)
