"""SPIN's network and the iterative regressor against recorded outputs."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.hmr import HMR, Estimate, Regressor
from posebook.models.spin49 import H36M_TO_J14
from posebook.rotations import axis_angle_to_matrix, matrix_to_axis_angle, rotation_6d_to_matrix


def _own(shapes, prefix="", left_out="smpl"):
    """Recorded shapes without the licensed body's arrays."""
    own = {k.removeprefix(prefix): tuple(shape) for k, (shape, _) in shapes.items() if k.startswith(prefix)}
    return {k: shape for k, shape in own.items() if not k.startswith(f"{left_out}.")}


@pytest.fixture(scope="module")
def regressor(parity, vibe_body, vibe_means):
    network = Regressor(vibe_body, *vibe_means).eval()
    parity.fill.fill_vibe(network.state_dict(), rename=lambda k: f"regressor.{k}")
    return network


@pytest.fixture(scope="module")
def hmr(parity, vibe_body, vibe_means):
    network = HMR(vibe_body, *vibe_means).eval()
    return network, parity.fill.fill_vibe(network.state_dict())


@pytest.mark.parity
def test_keys_and_sizes_of_the_regressor(vibe_recorded, regressor):
    found = {k: tuple(v.shape) for k, v in regressor.state_dict().items()}
    assert found == _own(vibe_recorded["gen_shapes"], "regressor.")
    assert sum(p.numel() for p in regressor.parameters()) == pytest.approx(3.469e6, abs=500)


@pytest.mark.parity
@pytest.mark.parametrize("iterations", [1, 2, 3])
def test_iterations(vibe_recorded, regressor, iterations):
    recorded = vibe_recorded["ief"]
    with torch.no_grad():
        found = regressor(recorded["input"], iterations).theta
    torch.testing.assert_close(found, recorded["theta_by_iter"][str(iterations)], atol=1e-5, rtol=0)


@pytest.mark.parity
def test_iterations_can_be_continued(vibe_recorded, regressor):
    recorded = vibe_recorded["ief"]
    with torch.no_grad():
        halfway = regressor.iterate(recorded["input"], 1)
        found = regressor(recorded["input"], 2, init=halfway).theta
    assert isinstance(halfway, Estimate)
    torch.testing.assert_close(found, recorded["theta_by_iter"]["3"], atol=1e-5, rtol=0)


@pytest.mark.parity
def test_keys_and_sizes_of_the_backbone(vibe_recorded, hmr):
    network, filled = hmr
    found = {k: tuple(v.shape) for k, v in network.state_dict().items()}
    assert found == _own(vibe_recorded["hmr_shapes"])
    assert set(filled) == set(vibe_recorded["hmr_filled"])
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(26.98e6, abs=5e3)


@pytest.mark.parity
def test_backbone_and_its_bodies(parity, vibe_recorded, hmr, same_bodies):
    network, _ = hmr
    image = parity.fill.normal("input:img", (2, 3, 224, 224))
    with torch.no_grad():
        features = network.feature_extractor(image)
        found = network.regress(features)
    torch.testing.assert_close(features, vibe_recorded["hmr"]["features"], atol=1e-4, rtol=0)
    same_bodies(found, vibe_recorded["hmr"]["out"], 1e-4)


@pytest.mark.parity
def test_rotation_maps(vibe_recorded):
    geometry = vibe_recorded["geometry"]
    for recorded in ("six_to_R", "six_to_R_spin"):
        found = rotation_6d_to_matrix(geometry["six"])
        torch.testing.assert_close(found, geometry[recorded], atol=1e-5, rtol=0)
    torch.testing.assert_close(axis_angle_to_matrix(geometry["aa"]), geometry["rodrigues"], atol=1e-5, rtol=0)
    back = matrix_to_axis_angle(geometry["rodrigues"])
    sure = geometry["aa"].norm(dim=-1) < 3.1  # at pi the axis has two signs
    torch.testing.assert_close(back[sure], geometry["back"][sure], atol=1e-5, rtol=0)
    assert torch.equal(matrix_to_axis_angle(torch.eye(3)[None]), geometry["eye_to_aa"])


def test_small_trunk_sets_the_feature_size(vibe_joints, vibe_means):
    torch.manual_seed(0)
    network = HMR(vibe_joints, *vibe_means, hidden=32, trunk={"depth": 18, "width": 8, "strides": (1, 2, 2, 1)}).eval()
    image = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        features, found = network.feature_extractor(image), network(image)
        assert torch.equal(network.regress(features).theta, found.theta)
    assert features.shape == (2, 64) and network.fc1.in_features == 64 + 157
    assert found.vertices is None and found.kp_2d.shape == (2, 49, 2) and found.rotmat.shape == (2, 24, 3, 3)


def test_gradients_at_the_mean_pose_are_finite(vibe_joints):
    """6D of the identity: every rotation is the identity, where a logarithm may go wrong."""
    identity = torch.tensor([1.0, 0, 0, 1, 0, 0]).repeat(24)
    network = Regressor(vibe_joints, identity, torch.zeros(10), torch.tensor([0.9, 0, 0]), features=8, hidden=8)
    for head in (network.decpose, network.decshape, network.deccam):
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)
    found = network.eval()(torch.rand(3, 8))
    assert not found.theta[:, 3:].any()
    (found.theta.sum() + found.kp_2d.sum() + found.rotmat.sum()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad.isfinite().all(), name
    assert network.decpose.bias.grad.abs().sum() > 0


def test_regressor_of_14_or_17_rows(small_regressor, vibe_arrays, vibe_body):
    small_regressor.body = vibe_body
    features = torch.rand(2, 16)
    rows = torch.as_tensor(vibe_arrays["J_regressor_h36m"]).float()
    with torch.no_grad():
        picked = small_regressor(features, J_regressor=rows)
        same = small_regressor(features, J_regressor=rows[list(H36M_TO_J14)])
    torch.testing.assert_close(picked.kp_3d, rows[list(H36M_TO_J14)] @ picked.vertices)
    assert torch.equal(picked.kp_2d, same.kp_2d) and picked.kp_2d.shape == (2, 14, 2)
    with pytest.raises(PosebookError, match=r"\(17, 6890\) or \(14, 6890\), got \(9, 6890\)"):
        small_regressor(features, J_regressor=rows[:9])


def test_refusals(small_regressor, vibe_joints, vibe_means):
    with pytest.raises(PosebookError, match=r"features \(N, 16\), got \(2, 17\)"):
        small_regressor(torch.rand(2, 17))
    with pytest.raises(PosebookError, match="use a SpinBody"):
        small_regressor(torch.rand(2, 16), J_regressor=torch.zeros(14, 6890))
    with pytest.raises(PosebookError, match=r"mean_pose: expected \(144,\), got \(72,\)"):
        Regressor(vibe_joints, torch.zeros(72), *vibe_means[1:])
    with pytest.raises(PosebookError, match="without a body"):
        Regressor(None, *vibe_means, features=16)(torch.rand(1, 16))
