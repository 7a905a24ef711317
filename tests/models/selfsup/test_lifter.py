"""The lifter against recorded official outputs."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.selfsup import Lifter, axis_major, joint_major

EXACT = {"atol": 1e-5, "rtol": 0}


def _count(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parity
def test_names_and_shapes_are_official(parity, recorded):
    wanted = recorded["lifter"]
    official = Lifter(official_norms=True)
    assert {n: list(p.shape) for n, p in official.named_parameters()} == wanted["param_shapes"]
    assert _count(official) == wanted["n_params"] and _count(Lifter()) == wanted["n_params_used"]
    for lifter in (official, Lifter()):
        assert set(parity.fill.fill_elepose(lifter.state_dict())) == set(wanted["param_names"])


def test_small_variant_has_the_published_count():
    assert _count(Lifter(width=256)) == 671_506


@pytest.mark.parity
def test_outputs_and_input_gradients_repeat_the_official_ones(filled_lifter, recorded):
    wanted = recorded["lifter"]
    x = joint_major(wanted["x"]).requires_grad_()
    depth, angle = filled_lifter(x)
    torch.testing.assert_close(depth, wanted["depth"], **EXACT)
    torch.testing.assert_close(angle.unsqueeze(1), wanted["angle"], **EXACT)
    for value, name in ((depth, "grad_depth_sq"), (angle, "grad_angle_sq")):
        (gradient,) = torch.autograd.grad(value.square().sum(), x, retain_graph=True)
        torch.testing.assert_close(axis_major(gradient), wanted[name], **EXACT)


@pytest.mark.parity
def test_layers_repeat_the_official_ones(filled_lifter, recorded):
    wanted, seen = recorded["lifter"], {}
    for name in wanted["features_norm"]:
        filled_lifter.get_submodule(name).register_forward_hook(lambda m, i, out, n=name: seen.update({n: out}))
    with torch.no_grad():
        filled_lifter(joint_major(wanted["x"]))
    for name, norm in wanted["features_norm"].items():
        torch.testing.assert_close(seen[name].norm(dim=1), norm, **EXACT)
        torch.testing.assert_close(seen[name][:, :8], wanted["features_first8"][name], **EXACT)


@pytest.mark.parity
def test_unused_norms_change_nothing(parity, recorded, filled_lifter):
    official = Lifter(official_norms=True)
    parity.fill.fill_elepose(official.state_dict())
    x = joint_major(recorded["lifter"]["x"])
    with torch.no_grad():
        assert torch.equal(official(x).depth, filled_lifter(x).depth)


def test_wrong_shapes_are_refused():
    for shape in ((4, 34), (4, 16, 2), (17, 2)):
        with pytest.raises(PosebookError, match=r"poses \(B, 17, 2\)"):
            Lifter(width=8)(torch.zeros(shape))
