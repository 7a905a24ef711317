"""RefineNet segmentation against the paper's sizes, a closed-form parameter count and plain twins of its parts."""

import pytest
import torch
import torch.nn.functional as F

from posebook.errors import PosebookError
from posebook.models.refinenet import (
    ChainedPooling,
    RefineNet,
    RefineUnit,
    ResidualUnit,
    Segmenter,
    normalise,
    upsample_logits,
)
from posebook.models.resnet import ResNet

TINY = {"depth": 18, "width": 8, "widths": (16, 8, 8, 8)}


def _on_meta(**options):
    with torch.device("meta"):
        return Segmenter(**options)


def _count(module):
    return sum(p.numel() for p in module.parameters())


def test_paper_sizes():
    """specs/nbf.md section 2: maps at 128/64/32/16 px with 256..2048 channels; 13 classes at a quarter of 512."""
    net = _on_meta()
    image = torch.zeros(1, 3, 512, 512, device="meta")
    maps = net.encoder.forward_pyramid(image)
    assert [tuple(m.shape[1:]) for m in maps] == [(256, 128, 128), (512, 64, 64), (1024, 32, 32), (2048, 16, 16)]
    assert net.decoder(maps).shape == (1, 256, 128, 128)
    logits, heat = net(image)
    assert logits.shape == (1, 13, 128, 128) and heat is None
    assert upsample_logits(logits, 512).shape == (1, 13, 512, 512)
    assert net.encoder.layer2[0].conv1.stride == (2, 2)  # v1


def _resnet101():
    """Weights of ResNet-101 by hand: bias-free convolutions, two numbers per BN channel."""
    total, channels = 3 * 64 * 49 + 2 * 64, 64
    for width, blocks in ((64, 3), (128, 4), (256, 23), (512, 3)):
        for block in range(blocks):
            total += channels * width + 9 * width**2 + 4 * width**2 + 2 * (width + width + 4 * width)
            total += channels * 4 * width + 2 * 4 * width if block == 0 else 0  # the projection
            channels = 4 * width
    return total


def _conv(width_in, width_out):
    return 9 * width_in * width_out + width_out


def test_parameter_count_by_hand():
    """Per unit: 3x3 to the width, 3 residual units of 2, a chain of 4, and 2 for the fusion except in the coarsest."""
    decoder, coarser = 0, None
    for channels, width in zip((2048, 1024, 512, 256), (512, 256, 256, 256), strict=True):
        decoder += _conv(channels, width) + (3 * 2 + 4) * _conv(width, width)
        decoder += _conv(width, width) + _conv(coarser, width) if coarser else 0
        coarser = width
    net = _on_meta(heat_maps=24)
    assert _count(net.encoder) == _resnet101() == 42_500_160
    assert _count(net.decoder) == decoder
    assert _count(net.head) == _conv(256, 13) and _count(net.heat_head) == _conv(256, 24)


def test_decoder_starts_small_without_bias_or_norm():
    decoder = RefineNet((16, 32, 64, 128), (64, 32, 32, 32))
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in decoder.modules())
    weights = torch.cat([p.flatten() for n, p in decoder.named_parameters() if n.endswith("weight")])
    assert weights.std().item() == pytest.approx(0.005, rel=0.02) and abs(weights.mean()) < 1e-4
    assert all((p == 0).all() for n, p in decoder.named_parameters() if n.endswith("bias"))


@pytest.mark.parametrize(("doubled", "gain"), [(True, 2), (False, 1)])
def test_residual_unit_by_hand(doubled, gain):
    """Centre taps 3 and -5, biases 1 and 0.5: f(x) = -5 relu(3 relu(x) + 1) + 0.5, pixel by pixel."""
    unit = ResidualUnit(1, doubled)
    for conv, weight, bias in ((unit.conv1, 3.0, 1.0), (unit.conv2, -5.0, 0.5)):
        torch.nn.init.zeros_(conv.weight)
        conv.weight.data[0, 0, 1, 1] = weight
        torch.nn.init.constant_(conv.bias, bias)
    x = torch.tensor([[-2.0, 0.0], [0.25, 2.0]])
    f = torch.tensor([[-4.5, -4.5], [-8.25, -34.5]])
    before = x.clone()
    torch.testing.assert_close(unit(x[None, None])[0, 0], gain * x + f)
    torch.testing.assert_close(x, before)  # nothing happens in place


def _pool5x5(x):
    """Largest of the 5x5 neighbourhood, pixel by pixel; the window is cut at the border."""
    out = torch.empty_like(x)
    for i in range(x.shape[-2]):
        for j in range(x.shape[-1]):
            window = x[..., max(i - 2, 0) : i + 3, max(j - 2, 0) : j + 3]
            out[..., i, j] = window.flatten(-2).max(-1).values
    return out


def _conv_twin(conv, x):
    """3x3 convolution with zero padding as nine shifted matrix products."""
    high, wide = x.shape[-2:]
    padded = F.pad(x, (1, 1, 1, 1))
    taps = [
        torch.einsum("oc,bchw->bohw", conv.weight[:, :, i, j], padded[..., i : i + high, j : j + wide])
        for i in range(3)
        for j in range(3)
    ]
    return sum(taps) + conv.bias[:, None, None]


def _pooling_twin(pooling, x):
    step = total = x.clamp(min=0)
    for k in range(4):
        step = _pool5x5(_conv_twin(pooling.convs[k], step))
        total = total + step
    return total


def _residual_twin(unit, x):
    return 2 * x + _conv_twin(unit.conv2, _conv_twin(unit.conv1, x.clamp(min=0)).clamp(min=0))


def _loud(module):
    """Weights large enough that every convolution shows, in float64."""
    for p in module.parameters():
        torch.nn.init.normal_(p, std=0.3)
    return module.double()


@torch.no_grad()
def test_chained_pooling_against_loops():
    torch.manual_seed(0)
    pooling = _loud(ChainedPooling(3))
    x = torch.randn(2, 3, 7, 8, dtype=torch.float64)
    torch.testing.assert_close(pooling(x), _pooling_twin(pooling, x))


@torch.no_grad()
def test_unit_follows_the_stated_order():
    torch.manual_seed(1)
    unit = _loud(RefineUnit(5, 4, coarser=6))
    x, coarser = torch.randn(1, 5, 6, 6, dtype=torch.float64), torch.randn(1, 6, 3, 3, dtype=torch.float64)
    y = _conv_twin(unit.adapt, x)
    for residual in unit.before:
        y = _residual_twin(residual, y)
    # bilinear from 3 to 6 at pixel centres: weights 3/4 and 1/4, the border repeated
    small = F.pad(_conv_twin(unit.fuse_coarser, coarser), (1, 1, 1, 1), mode="replicate")
    for dim in (-1, -2):
        left, middle, right = small.narrow(dim, 0, 3), small.narrow(dim, 1, 3), small.narrow(dim, 2, 3)
        pair = torch.stack([0.75 * middle + 0.25 * left, 0.75 * middle + 0.25 * right], dim if dim == -1 else -2)
        small = pair.flatten(-2) if dim == -1 else pair.flatten(-3, -2)
    y = _conv_twin(unit.fuse_own, y) + small
    y = _residual_twin(unit.after, _pooling_twin(unit.pooling, y))
    torch.testing.assert_close(unit(x, coarser), y)


@torch.no_grad()
def test_decoder_is_its_units_coarsest_first():
    torch.manual_seed(2)
    decoder = _loud(RefineNet((2, 3), (5, 4)))
    fine, coarse = torch.randn(1, 2, 8, 8, dtype=torch.float64), torch.randn(1, 3, 4, 4, dtype=torch.float64)
    first = _conv_twin(decoder.units[0].adapt, coarse)
    for residual in decoder.units[0].before:
        first = _residual_twin(residual, first)
    first = _residual_twin(decoder.units[0].after, _pooling_twin(decoder.units[0].pooling, first))
    torch.testing.assert_close(decoder((fine, coarse)), decoder.units[1](fine, first))


@pytest.mark.parametrize("doubled", [True, False])
def test_gradients_reach_every_parameter(doubled):
    torch.manual_seed(3)
    net = Segmenter(**TINY, heat_maps=5, doubled_residual=doubled)
    logits, heat = net(normalise(torch.rand(2, 3, 64, 64)))
    target = torch.randint(0, 13, (2, 64, 64))
    (F.cross_entropy(upsample_logits(logits, 64), target) + heat.square().mean()).backward()
    silent = [n for n, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert silent == []


@pytest.mark.parametrize(
    ("options", "sizes"),
    [({}, [16, 8, 4, 2]), ({"stem_stride": 1}, [32, 16, 8, 4]), ({"pool": 0}, [32, 16, 8, 4])],
)
def test_small_images(options, sizes):
    net = _on_meta(**TINY, **options, classes=7, heat_maps=3)
    image = torch.zeros(2, 3, 64, 64, device="meta")
    assert [m.shape[-1] for m in net.encoder.forward_pyramid(image)] == sizes
    logits, heat = net(image)
    assert logits.shape == (2, 7, sizes[0], sizes[0]) and heat.shape == (2, 3, sizes[0], sizes[0])
    assert net.stride == 64 // sizes[0]


def test_sizes_that_only_the_decoder_divides():
    """112 px: the maps are 28, 14, 7, 4, and the last is brought up to 7."""
    assert _on_meta(**TINY)(torch.zeros(1, 3, 112, 120, device="meta")).logits.shape == (1, 13, 28, 30)


def test_the_stride_sits_where_the_depth_allows():
    for depth, stride_on, first, second in ((50, None, 2, 1), (50, "3x3", 1, 2), (18, None, 2, 1)):
        block = _on_meta(**{**TINY, "depth": depth}, stride_on=stride_on).encoder.layer2[0]
        assert (block.conv1.stride, block.conv2.stride) == ((first, first), (second, second))


def test_normalise_is_the_means_of_the_paper():
    image = torch.stack([torch.zeros(3, 1, 2), torch.ones(3, 1, 2)])
    out = normalise(image)
    torch.testing.assert_close(out[0, :, 0, 0], torch.tensor([-122.68, -116.67, -104.01]))
    torch.testing.assert_close(out[1, :, 0, 1], torch.tensor([132.32, 138.33, 150.99]))
    for bad in (image[0], image.byte(), image.permute(0, 2, 3, 1)):
        with pytest.raises(PosebookError, match="Divide uint8"):
            normalise(bad)


def test_upsampling_keeps_a_ramp():
    """A linear ramp over pixel centres stays one away from the border."""
    ramp = (torch.arange(8.0) + 0.5).expand(1, 1, 8, 8)  # x at pixel centres
    fine = upsample_logits(ramp, 32)[0, 0, 5]
    torch.testing.assert_close(fine[2:-2], ((torch.arange(32.0) + 0.5) / 4)[2:-2])


@pytest.mark.parametrize("shape", [(1, 3, 62, 64), (1, 3, 64, 66), (1, 3, 0, 64), (1, 1, 64, 64), (3, 64, 64)])
def test_impossible_images_are_refused(shape):
    with pytest.raises(PosebookError, match="divisible by 4"):
        _on_meta(**TINY)(torch.zeros(shape, device="meta"))


def test_wrong_options_and_maps_are_refused():
    for options in ({"classes": 1}, {"heat_maps": -1}):
        with pytest.raises(PosebookError, match="heat_maps >= 0"):
            _on_meta(**TINY, **options)
    for channels, widths in (((4, 8), (8, 4, 4)), ((), ()), ((4, 8), (0, 4))):
        with pytest.raises(PosebookError, match="one positive width per map"):
            RefineNet(channels, widths)
    with pytest.raises(PosebookError, match="strided 1x1"):
        _on_meta(**TINY, stride_on="1x1")
    with torch.device("meta"):
        net = ResNet(18, 8)
        maps = net.forward_pyramid(torch.zeros(1, 3, 64, 64))
        decoder = RefineNet(net.pyramid_channels, (8, 8, 8, 8))
        for bad in (maps[::-1], maps[:3]):
            with pytest.raises(PosebookError, match="finest first"):
                decoder(bad)
        with pytest.raises(PosebookError, match="coarser"):
            decoder.units[1](maps[2])
