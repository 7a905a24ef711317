"""Stacked hourglass against the cost table of specs/c2f.md, a plain functional rebuild, and its information flow."""

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from posebook.errors import PosebookError
from posebook.models.coordinate import CoordinateRegressor
from posebook.models.hourglass import (
    DecoupledHourglass,
    HourglassConfig,
    StackedHourglass,
    levels_for,
    load_trunk_state,
    trunk_keys,
    trunk_state,
)

# family, m, depths, parameters, GFLOP as printed in section 2 and, where there, in section 9 ("used")
COSTS = [
    ("A", 1, (1, 64), 26_904_401, ("56.9",)),
    ("A", 1, (64, 64), 27_590_912, ("62.5",)),
    ("A", 1, (1, 2, 64), 40_232_051, ("82.9",)),
    ("A", 1, (1, 2, 4, 64), 53_585_847, ("109.0",)),
    ("B", 3, (64,), 9_708_736, ("23.0",)),
    ("B", 3, (1, 2, 4, 64), 37_197_367, ("73.8",)),
    ("B", 1, (64,), 3_701_952, ("12.5", "12.55")),
    ("B", 1, (64, 64), 7_395_840, ("23.41",)),
    ("B", 1, (1, 64), 6_846_417, ("18.9", "18.92")),
    ("B", 1, (1, 2, 64), 9_999_603, ("25.4", "25.37")),
    ("B", 1, (1, 2, 4, 64), 13_170_231, ("32.0", "31.95")),
]
# section 9's 2D nets: 16 joints, one bin
COSTS_2D = [(2, 6_570_400, "16.67"), (4, 12_858_304, "29.41"), (8, 25_434_112, "54.88")]


def _cost(config):
    with torch.device("meta"):
        net, image = StackedHourglass(config), torch.zeros(1, 3, 256, 256)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(image)
    return sum(p.numel() for p in net.parameters()), counter.get_total_flops() / 1e9


@pytest.mark.parametrize(("family", "modules", "depths", "parameters", "gflop"), COSTS)
def test_cost_table(family, modules, depths, parameters, gflop):
    count, flops = _cost(HourglassConfig(family=family, modules=modules, depths=depths))
    assert count == parameters
    assert tuple(f"{flops:.{len(g.split('.')[1])}f}" for g in gflop) == gflop


@pytest.mark.parametrize(("stacks", "parameters", "gflop"), COSTS_2D)
def test_cost_of_the_2d_hourglass(stacks, parameters, gflop):
    count, flops = _cost(HourglassConfig(depths=(1,) * stacks, joints=16))
    assert count == parameters
    assert f"{flops:.2f}" == gflop


def _small(**changes):
    options = {"family": "B", "depths": (1, 8), "joints": 5, "width": 16, "levels": 2}
    return HourglassConfig(**{**options, **changes})


def _randomised(net):
    """Give BN real statistics and affine values: with the initial ones a missing BN would go unnoticed."""
    generator = torch.Generator().manual_seed(3)
    for name, tensor in net.state_dict().items():
        if tensor.is_floating_point() and ("norm" in name or tensor.ndim == 1):
            tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
    return net.eval()


def _functional_b(net, image, depths, joints):
    """Net B, m = 1, written again as flat functions over the state dict (specs/c2f.md section 2)."""
    s = net.state_dict()

    def conv(x, k, **kw):
        return F.conv2d(x, s[f"{k}.weight"], s[f"{k}.bias"], **kw)

    def bn(x, k):
        scale = s[f"{k}.weight"] / (s[f"{k}.running_var"] + 1e-5).sqrt()
        return (x - s[f"{k}.running_mean"][:, None, None]) * scale[:, None, None] + s[f"{k}.bias"][:, None, None]

    def res(x, k):
        y = conv(bn(x, f"{k}.norm1").clamp(min=0), f"{k}.conv1")
        y = conv(bn(y, f"{k}.norm2").clamp(min=0), f"{k}.conv2", padding=1)
        y = conv(bn(y, f"{k}.norm3").clamp(min=0), f"{k}.conv3")
        return y + (conv(x, f"{k}.skip") if f"{k}.skip.weight" in s else x)

    def hourglass(x, k, level):
        low = res(F.max_pool2d(x, 2, 2), f"{k}.lower.0")
        low = hourglass(low, f"{k}.inner", level - 1) if level > 1 else res(low, f"{k}.inner.0")
        low = res(low, f"{k}.after.0").repeat_interleave(2, -1).repeat_interleave(2, -2)
        return res(x, f"{k}.upper.0") + low

    x = bn(conv(image, "stem.conv", stride=2, padding=3), "stem.norm").clamp(min=0)
    x = F.max_pool2d(res(x, "stem.before_pool"), 2, 2)
    x = res(res(x, "stem.after_pool.0"), "stem.after_pool.1")
    volumes = []
    for i, d in enumerate(depths):
        y = res(hourglass(x, f"hourglasses.{i}", net.config.levels), f"necks.{i}.0.0")
        y = bn(conv(y, f"necks.{i}.1.0"), f"necks.{i}.1.1").clamp(min=0)
        heat = conv(y, f"heads.{i}")
        volumes.append(heat.reshape(len(image), joints, d, *heat.shape[2:]))
        if i < len(depths) - 1:
            x = x + conv(y, f"merge_features.{i}") + conv(heat, f"merge_heat.{i}")
    return volumes


def test_family_b_equals_functional_rebuild():
    torch.manual_seed(0)
    net = _randomised(StackedHourglass(_small(depths=(1, 2, 8)))).double()
    image = torch.rand(2, 3, 32, 48, dtype=torch.float64)
    with torch.no_grad():
        for ours, theirs in zip(net(image), _functional_b(net, image, (1, 2, 8), 5), strict=True):
            assert theirs.std() > 1e-3  # not a comparison of zeros
            torch.testing.assert_close(ours, theirs, atol=1e-9, rtol=1e-9)


def test_volumes_are_views_with_channel_joint_times_depth_plus_bin():
    net = StackedHourglass(_small())
    captured = []
    net.heads[-1].register_forward_hook(lambda module, args, out: captured.append(out))
    result = net.forward_features(torch.rand(2, 3, 32, 32))
    volume, channels = result.volumes[-1], captured[0]
    assert volume.shape == (2, 5, 8, 8, 8) and result.volumes[0].shape == (2, 5, 1, 8, 8)
    assert volume.data_ptr() == channels.data_ptr()
    assert torch.equal(volume[:, 3, 6], channels[:, 3 * 8 + 6])
    assert result.features.shape == (2, 16, 8, 8)


@pytest.mark.parametrize(("family", "adds_input"), [("A", False), ("B", True)])
def test_refeed_rule(family, adds_input):
    """With the 1x1 re-feed convolutions at zero, B hands its own input on and A hands on nothing at all."""
    net = StackedHourglass(_small(family=family)).eval()
    for p in [*net.merge_features.parameters(), *net.merge_heat.parameters()]:
        torch.nn.init.zeros_(p)
    inputs = []
    for hourglass in net.hourglasses:
        hourglass.register_forward_hook(lambda module, args, out: inputs.append(args[0]))
    with torch.no_grad():
        net(torch.rand(1, 3, 32, 32))
    assert torch.equal(inputs[1], inputs[0]) if adds_input else inputs[1].abs().max() == 0
    assert inputs[0].abs().max() > 0


def test_family_a_concatenates_p_and_then_the_previous_features():
    config = _small(family="A", depths=(1, 1, 1, 8))
    net = StackedHourglass(config)
    assert [m.in_channels for m in net.merge_features] == [16 + 8, 16 + 16, 16 + 16]  # P has width/2
    assert [m.out_channels for m in net.merge_features] == [24, 32, 32]  # specs: 384, 512, 512 at width 256
    seen = []
    for module in (net.stem, *net.necks, *net.merge_features):
        module.register_forward_hook(lambda module, args, out: seen.append((module, args[0], out)))
    with torch.no_grad():
        net.eval()(torch.rand(1, 3, 32, 32))
    out = {id(m): (a, o) for m, a, o in seen}
    pooled = out[id(net.stem)][1][1]
    assert torch.equal(out[id(net.merge_features[0])][0][:, 16:], pooled)
    assert torch.equal(out[id(net.merge_features[1])][0][:, 16:], out[id(net.necks[0])][1])
    assert torch.equal(out[id(net.merge_features[2])][0][:, :16], out[id(net.necks[2])][1])


@pytest.mark.parametrize("family", ["A", "B"])
def test_every_parameter_gets_a_gradient_from_the_last_volume(family):
    torch.manual_seed(0)
    net = StackedHourglass(_small(family=family, depths=(1, 2, 8)))
    net(torch.rand(4, 3, 32, 32))[-1].square().sum().backward()
    unused = [n for n, p in net.named_parameters() if p.grad is None]
    assert unused == []  # 22 % of the official PyTorch hourglass's parameters are


def _second_stack_change(net):
    """How much the last volume moves when the image features change but the heat maps are held fixed."""
    heat = torch.rand(1, 5, 8, 8)
    net.heads[0].register_forward_hook(lambda module, args, out: heat)
    with torch.no_grad():
        first, second = (net.eval()(torch.rand(1, 3, 32, 32))[-1] for _ in range(2))
    return (first - second).abs().max()


def test_coupled_net_sees_the_image_and_decoupled_only_heat_maps():
    assert _second_stack_change(StackedHourglass(_small())) > 1e-6
    assert _second_stack_change(DecoupledHourglass(_small())) == 0


@pytest.mark.parametrize("detach", [True, False])
def test_decoupled_detaches_on_request(detach):
    net = DecoupledHourglass(_small(), detach=detach)
    heat, volume = net(torch.rand(4, 3, 32, 32))
    assert heat.shape == (4, 5, 1, 8, 8) and volume.shape == (4, 5, 8, 8, 8)
    volume.square().sum().backward()
    first_step = [*net.stem.parameters(), *net.hourglasses[0].parameters(), *net.heads[0].parameters()]
    assert all(p.grad is None for p in first_step) if detach else all(p.grad is not None for p in first_step)


def test_decoupled_volume_is_a_function_of_the_heat_maps():
    net = DecoupledHourglass(_small()).eval()
    with torch.no_grad():
        heat, volume = net(torch.rand(2, 3, 32, 32))
        assert torch.equal(net.volume_from_heat(heat[:, :, 0]), volume)


@pytest.mark.parametrize("family", ["A", "B"])
def test_trunk_fits_every_variant(family):
    base = StackedHourglass(_small(family=family, depths=(1,)))
    state = trunk_state(base)
    variants = [
        StackedHourglass(_small(family=family, depths=(8,))),
        StackedHourglass(_small(family=family, depths=(1, 2, 4, 8))),
        DecoupledHourglass(_small(family=family)),
        CoordinateRegressor(_small(family=family), image_size=32),
    ]
    for net in variants:
        assert trunk_keys(net) == list(state)
        load_trunk_state(net, state)
        assert all(torch.equal(net.state_dict()[k], v) for k, v in state.items())
    assert any(k.endswith("running_var") for k in state)
    assert not any(k.startswith(("heads", "hourglasses.1", "merge")) for k in state)


def test_trunk_gives_the_same_first_features():
    base, other = (StackedHourglass(_small(depths=d)).eval() for d in ((1,), (1, 8)))
    load_trunk_state(other, trunk_state(base))
    seen, image = [], torch.rand(1, 3, 32, 32)
    for net in (base, other):
        net.heads[0].register_forward_hook(lambda module, args, out: seen.append(args[0]))
        with torch.no_grad():
            net(image)
    assert torch.equal(*seen)


def test_wrong_trunk_is_refused():
    state = trunk_state(StackedHourglass(_small(width=32)))
    with pytest.raises(PosebookError, match="trunk does not fit"):
        load_trunk_state(StackedHourglass(_small()), state)
    with pytest.raises(PosebookError, match="trunk does not fit"):
        load_trunk_state(StackedHourglass(_small(levels=1)), trunk_state(StackedHourglass(_small())))


@pytest.mark.parametrize(("size", "levels"), [(256, 4), (128, 4), (64, 3), (32, 2), (16, 1)])
def test_levels_keep_two_cells(size, levels):
    assert levels_for(size) == levels
    assert size // 4 // 2**levels >= 2


def test_bad_input_is_refused():
    net = StackedHourglass(_small())
    for image in (torch.zeros(1, 3, 40, 40), torch.zeros(3, 32, 32), torch.zeros(1, 3, 32, 32, dtype=torch.uint8)):
        with pytest.raises(PosebookError, match="Expected"):
            net(image)
    for change in ({"family": "C"}, {"depths": ()}, {"width": 18}, {"modules": 0}):
        with pytest.raises(PosebookError):
            _small(**change)
    with pytest.raises(PosebookError, match="decoupled"):
        DecoupledHourglass(_small(depths=(1, 2, 8)))
    with pytest.raises(PosebookError, match="16 px"):
        levels_for(8)
