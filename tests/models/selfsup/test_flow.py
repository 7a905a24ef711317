"""The flow against the recording, its inverse, and autograd's Jacobian."""

import math

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.selfsup import Flow
from posebook.models.selfsup.flow import random_rotation

EXACT = {"atol": 1e-5, "rtol": 0}


def _stirred(count=5, hidden=16, blocks=3):
    """A float64 flow far from the identity."""
    torch.manual_seed(0)
    flow = Flow(count, blocks, hidden).double()
    for parameter in flow.parameters():
        parameter.data += 0.5 * torch.randn_like(parameter)
    for block in flow.module_list:  # orthogonal in float64, too
        block.w_perm.copy_(torch.linalg.qr(block.w_perm).Q)
        block.w_perm_inv.copy_(block.w_perm.T)
    return flow


@pytest.mark.parity
def test_names_shapes_and_values_are_official(filled_prior, recorded):
    rule, flow = recorded["flow"]["rule"], filled_prior.flow
    subnets = {n: list(p.shape) for n, p in flow.named_parameters() if "subnet" in n}
    assert subnets == rule["param_shapes"]
    assert sum(p.numel() for p in flow.parameters()) == 328_304
    assert sum(p.numel() for p in flow.state_dict().values()) == 339_120
    with torch.no_grad():
        there, back = flow(rule["x"]), flow.inverse(rule["z"])
    torch.testing.assert_close(there.values, rule["z"], **EXACT)
    torch.testing.assert_close(there.log_det, rule["logdet"], **EXACT)
    torch.testing.assert_close(back.values, rule["x_back"], **EXACT)
    torch.testing.assert_close(back.log_det, rule["logdet_back"], **EXACT)


def test_fresh_blocks_scale_by_one():
    for block in Flow(6, blocks=2, hidden=8).module_list:
        torch.testing.assert_close(block.scale(), torch.ones(1, 6))


@pytest.mark.parametrize("count", [2, 5, 6])
def test_log_determinant_is_that_of_autograds_jacobian(count):
    flow = _stirred(count)
    x = torch.randn(4, count, dtype=torch.float64)
    for direction in (flow.forward, flow.inverse):
        found = direction(x).log_det
        for row, log_det in zip(x, found, strict=True):
            jacobian = torch.autograd.functional.jacobian(lambda v, f=direction: f(v[None]).values[0], row)
            assert torch.linalg.slogdet(jacobian).logabsdet.item() == pytest.approx(log_det.item(), abs=1e-10)


def test_inverse_undoes_forward():
    flow = _stirred(7)
    x = torch.randn(50, 7, dtype=torch.float64)
    there = flow(x)
    back = flow.inverse(there.values)
    torch.testing.assert_close(back.values, x)
    torch.testing.assert_close(back.log_det, -there.log_det)


def test_density_integrates_to_one():
    flow = _stirred(2, blocks=2)
    axis = torch.linspace(-40, 40, 801, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    with torch.no_grad():
        z, log_det = flow(grid)
    density = (log_det - 0.5 * z.square().sum(1) - math.log(2 * math.pi)).exp()
    assert density.sum().item() * 0.1**2 == pytest.approx(1, abs=1e-3)


def test_rotations_are_proper_and_seeded():
    q = random_rotation(9)
    torch.testing.assert_close(q @ q.T, torch.eye(9), atol=1e-5, rtol=0)
    assert torch.linalg.det(q).item() == pytest.approx(1, abs=1e-5)
    assert torch.equal(Flow(5, 2, 4, seed=3).module_list[1].w_perm, Flow(5, 2, 4, seed=3).module_list[1].w_perm)


def test_wrong_sizes_are_refused():
    with pytest.raises(PosebookError, match="at least 2"):
        Flow(1)
    with pytest.raises(PosebookError, match=r"\(B, 4\)"):
        Flow(4, 1, 4)(torch.zeros(3, 5))
