"""ResNet trunk against torchvision's published sizes and key names and against recorded official activations."""

import importlib.util
from pathlib import Path

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.resnet import BLOCKS, ResNet

PARITY = Path(__file__).parents[1] / "parity"


def _on_meta(*args, **kwargs):
    with torch.device("meta"):
        return ResNet(*args, **kwargs)


# torchvision's totals (11,689,512; 21,797,672; 25,557,032; 44,549,160) less its fc, 1000 * (channels + 1)
@pytest.mark.parametrize(
    ("depth", "total", "channels"),
    [(18, 11_689_512, 512), (34, 21_797_672, 512), (50, 25_557_032, 2048), (101, 44_549_160, 2048)],
)
def test_parameter_count_is_torchvisions_without_fc(depth, total, channels):
    net = _on_meta(depth)
    assert sum(p.numel() for p in net.parameters()) == total - 1000 * (channels + 1)
    assert net.out_channels == channels


def _torchvision_keys(depth):
    """Key names spelt out from torchvision's scheme, not from the implementation."""
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    convs = 2 if depth < 50 else 3
    keys = ["conv1.weight", *(f"bn1.{n}" for n in norm)]
    for layer, count in enumerate(BLOCKS[depth], start=1):
        for block in range(count):
            head = f"layer{layer}.{block}"
            for c in range(1, convs + 1):
                keys += [f"{head}.conv{c}.weight", *(f"{head}.bn{c}.{n}" for n in norm)]
            if block == 0 and (layer > 1 or depth >= 50):
                keys += [f"{head}.downsample.0.weight", *(f"{head}.downsample.1.{n}" for n in norm)]
    return keys


@pytest.mark.parametrize("depth", sorted(BLOCKS))
def test_state_dict_has_torchvisions_names(depth):
    keys = list(_on_meta(depth).state_dict())
    assert keys == _torchvision_keys(depth)  # in torchvision's order too: 120 entries for 18, 318 for 50


@pytest.mark.parametrize(("depth", "expansion"), [(18, 1), (50, 4)])
def test_shapes_and_width_scaling(depth, expansion):
    net = _on_meta(depth, width=16)
    image = torch.zeros(2, 3, 64, 96, device="meta")
    features = net(image)
    assert features.stride4.shape == (2, 16, 16, 24)
    assert features.stride32.shape == (2, 128 * expansion, 2, 3)
    assert features.pooled.shape == (2, 128 * expansion)
    shapes = [tuple(m.shape[1:]) for m in net.forward_pyramid(image)]
    assert shapes == [
        (16 * expansion, 16, 24),
        (32 * expansion, 8, 12),
        (64 * expansion, 4, 6),
        (128 * expansion, 2, 3),
    ]
    assert net.pyramid_strides == (4, 8, 16, 32)


def test_nbf_stage_two_maps():
    net = _on_meta(50, pool=2, strides=(2, 2, 2, 1), stride_on="1x1")
    sizes = [m.shape[-1] for m in net.forward_pyramid(torch.zeros(1, 3, 224, 224, device="meta"))]
    assert sizes == [28, 14, 7, 7]  # specs/nbf.md section 3
    assert net.pyramid_strides == (8, 16, 32, 32)
    assert net.layer2[0].conv1.stride == (2, 2) and net.layer2[0].conv2.stride == (1, 1)


def test_nbf_stage_one_maps():
    net = _on_meta(101, pool=2)
    maps = net.forward_pyramid(torch.zeros(1, 3, 512, 512, device="meta"))
    assert [m.shape[-1] for m in maps] == [128, 64, 32, 16]  # specs/nbf.md section 2
    assert [m.shape[1] for m in maps] == [256, 512, 1024, 2048]


@pytest.mark.parametrize(("depth", "channels"), [(18, 13), (50, 25), (18, 1)])
def test_only_the_stem_knows_how_many_channels_a_picture_has(depth, channels):
    usual, other = _on_meta(depth, width=16), _on_meta(depth, width=16, in_channels=channels)
    shapes = [{name: tuple(value.shape) for name, value in net.state_dict().items()} for net in (usual, other)]
    assert shapes[0] | {"conv1.weight": (16, channels, 7, 7)} == shapes[1]
    assert shapes[0]["conv1.weight"] == (16, 3, 7, 7)
    pooled = other(torch.zeros(2, channels, 64, 64, device="meta")).pooled
    assert pooled.shape == (2, other.out_channels)


def _fill():
    spec = importlib.util.spec_from_file_location("parity_fill", PARITY / "fill.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _assert_inner(value, record):
    assert list(value.shape) == record["shape"]
    torch.testing.assert_close(value.flatten()[:16], record["head"], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(value.flatten()[-16:], record["tail"], atol=1e-4, rtol=1e-4)
    assert value.double().mean().item() == pytest.approx(record["mean"], abs=1e-5)
    assert value.double().std().item() == pytest.approx(record["std"], abs=1e-4)


@pytest.mark.parity
def test_resnet50_repeats_i2l_pose_backbone():
    recorded = torch.load(PARITY / "i2l_body.pt", weights_only=True)
    net = ResNet(50).eval()
    names = _fill().fill_i2l(net.state_dict(), rename=lambda k: f"pose_backbone.{k}")
    assert names == [k for k in recorded["shapes"] if k.startswith("pose_backbone.")]
    with torch.no_grad():
        features = net(recorded["input"]["img"])
        layer1 = net.layer1(features.stride4)
    inner = recorded["eval_inner"]
    _assert_inner(features.stride4, inner["pose_backbone.maxpool"])
    _assert_inner(layer1, inner["pose_backbone.layer1"])
    _assert_inner(features.stride32, inner["pose_backbone.layer4"])


@pytest.mark.parity
def test_resnet50_repeats_vibe_backbone():
    recorded, fill = torch.load(PARITY / "vibe.pt", weights_only=True), _fill()
    net = ResNet(50).eval()
    fill.fill_vibe(net.state_dict())
    with torch.no_grad():
        pooled = net(fill.normal("input:img", (2, 3, 224, 224))).pooled
    torch.testing.assert_close(pooled, recorded["hmr"]["features"], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "options",
    [{"depth": 19}, {"strides": (1, 2, 2)}, {"pool": 4}, {"stride_on": "5x5"}, {"depth": 18, "stride_on": "1x1"}],
)
def test_unknown_options_are_refused(options):
    with pytest.raises(PosebookError, match="ResNet|strides|pool|stride_on"):
        ResNet(**options)
