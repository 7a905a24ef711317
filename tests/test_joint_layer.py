"""Joints-only posing against smplx's own forward pass, for the free body and for a user's SMPL file."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from posebook.body import load_assets, load_body
from posebook.errors import PosebookError
from posebook.joint_layer import JointLayer, RegressedJoints
from posebook.joints import SMPL24


def smpl_file(folder):
    """Made-up arrays of SMPL's shapes in SMPL's npz layout; weights and blend shapes are strong and everywhere."""
    rng = np.random.default_rng(0)
    count = 6890
    weights = rng.random((count, 24)) ** 8
    regressor = np.zeros((24, count))
    for row in regressor:
        row[rng.integers(0, count, 10)] = rng.random(10)
    parents = np.array([2**32 - 1, *SMPL24.parents[1:]], dtype=np.uint32)
    np.savez(
        folder / "SMPL_NEUTRAL.npz",
        v_template=rng.normal(0, 0.4, (count, 3)),
        shapedirs=rng.normal(0, 0.02, (count, 3, 10)),
        posedirs=rng.normal(0, 0.01, (count, 3, 207)).astype(np.float32),
        weights=weights / weights.sum(1, keepdims=True),
        J_regressor=regressor / regressor.sum(1, keepdims=True),
        kintree_table=np.stack([parents, np.arange(24, dtype=np.uint32)]),
        f=rng.integers(0, count, (13776, 3)).astype(np.uint32),
    )
    return folder / "SMPL_NEUTRAL.npz"


@pytest.fixture(scope="module", params=["free", "user's file"])
def body(request, tmp_path_factory, body_cache):
    if request.param == "free":
        return load_body(level="coarse")
    return load_body(smpl_file(tmp_path_factory.mktemp("smpl")))


@pytest.fixture(scope="module")
def layer(body):
    return JointLayer(body)


@pytest.fixture(scope="module")
def people():
    """betas (B, 10) and axis-angle poses (B, 24, 3); the last stands at rest."""
    rng = np.random.default_rng(1)
    betas, pose = rng.normal(0, 1.5, (6, 10)), rng.normal(0, 0.8, (6, 24, 3))
    betas[-1], pose[-1] = 0, 0
    return torch.tensor(betas, dtype=torch.float32), torch.tensor(pose, dtype=torch.float32)


def matrices(pose):
    """(B, J, 3) axis-angle to (B, J, 3, 3), by scipy."""
    found = Rotation.from_rotvec(pose.numpy().reshape(-1, 3)).as_matrix()
    return torch.tensor(found, dtype=torch.float32).view(*pose.shape, 3)


def posed(body, betas, pose):
    """smplx's own joints (B, 24, 3) and vertices (B, V, 3)."""
    with torch.no_grad():
        out = body(betas=betas, global_orient=pose[:, 0], body_pose=pose[:, 1:].flatten(1))
    return out.joints[:, :24], out.vertices


def test_joints_are_smplxs(body, layer, people):
    betas, pose = people
    joints, _ = posed(body, betas, pose)
    found = layer(betas, layer.to_global(matrices(pose)))
    assert found.shape == (6, 24, 3)
    torch.testing.assert_close(found, joints - joints[:, :1], atol=1e-5, rtol=0)
    assert not found[:, 0].any()


def test_rest_joints_are_smplxs_unposed_joints(body, layer, people):
    betas, pose = people
    joints, _ = posed(body, betas, 0 * pose)
    torch.testing.assert_close(layer.rest_joints(betas), joints, atol=1e-5, rtol=0)
    assert layer.parents == tuple(body.parents.tolist()) and layer.parents[1:] == SMPL24.parents[1:]


def test_global_rotations_are_products_along_the_chain(layer, people):
    relative = matrices(people[1])
    found = layer.to_global(relative)
    for joint in range(24):
        expected, above = relative[:, joint], SMPL24.parents[joint]
        while above >= 0:
            expected, above = relative[:, above] @ expected, SMPL24.parents[above]
        torch.testing.assert_close(found[:, joint], expected, atol=1e-5, rtol=0)


def test_global_and_relative_are_inverses(layer, people):
    rotations = matrices(people[1])
    torch.testing.assert_close(layer.to_relative(layer.to_global(rotations)), rotations, atol=1e-5, rtol=0)
    torch.testing.assert_close(layer.to_global(layer.to_relative(rotations)), rotations, atol=1e-5, rtol=0)
    assert torch.equal(layer.to_relative(rotations)[:, 0], rotations[:, 0])


def test_bones_keep_their_length_and_leaves_turn_nothing(layer, people):
    betas, pose = people
    rotations = matrices(pose)
    found, rest = layer(betas, rotations), layer.rest_joints(betas)
    parents = list(layer.parents[1:])
    lengths = [(joints[:, 1:] - joints[:, parents]).norm(dim=-1) for joints in (found, rest)]
    torch.testing.assert_close(*lengths, atol=1e-5, rtol=0)
    turned = rotations.clone()
    turned[:, SMPL24.index("left_hand")] = torch.eye(3)  # has no child
    assert torch.equal(layer(betas, turned), found)


def test_gradients_are_those_of_finite_differences(body, people):
    layer = JointLayer(body).double()
    betas, pose = people[0][:1].double(), people[1][:1]
    rotations = layer.to_global(matrices(pose).double())
    weight = torch.linspace(-1, 1, 72, dtype=torch.float64).view(1, 24, 3)
    for given in ((betas.clone().requires_grad_(), rotations), (betas, rotations.clone().requires_grad_())):
        assert torch.autograd.gradcheck(lambda b, r: (layer(b, r) * weight).sum(), given)


def test_it_has_nothing_to_train_and_nothing_to_save(layer):
    assert not list(layer.parameters()) and not layer.state_dict()


def test_regressed_joints_are_the_regressor_on_the_whole_mesh(body, people):
    betas, pose = people
    rng = np.random.default_rng(2)
    regressor = np.zeros((5, len(body.v_template)), np.float32)
    for row in regressor:
        row[rng.integers(0, len(body.v_template), 6)] = rng.random(6) / 3
    _, vertices = posed(body, betas, pose)
    found = RegressedJoints(body, regressor)
    assert len(found.template) == (regressor != 0).any(0).sum()  # only these vertices are posed
    torch.testing.assert_close(found(betas, matrices(pose)), torch.from_numpy(regressor) @ vertices, atol=1e-5, rtol=0)


def test_regressed_joints_of_the_tables_protocol(body_cache, people):
    betas, pose = (values[:2] for values in people)
    body, regressor = load_body(), load_assets("full").regressors["h36m17"]
    _, vertices = posed(body, betas, pose)
    found = RegressedJoints(body, regressor)(betas, matrices(pose))
    torch.testing.assert_close(found, torch.from_numpy(np.array(regressor)) @ vertices, atol=1e-5, rtol=0)


def test_other_shapes_are_refused(body, layer, people):
    betas, rotations = people[0], matrices(people[1])
    with pytest.raises(PosebookError, match=r"betas: expected \(B, 10\), got \(6, 9\)"):
        layer(betas[:, :9], rotations)
    for call in (layer.to_global, layer.to_relative, lambda r: layer(betas, r)):
        for bad in (rotations[:, :23], rotations.flatten(2), rotations[0]):
            with pytest.raises(PosebookError, match=r"rotations: expected \(B, 24, 3, 3\)"):
                call(bad)
    for bad in (np.zeros((5, 3)), np.zeros(len(body.v_template))):
        with pytest.raises(PosebookError, match=f"regressor: expected .J, {len(body.v_template)}."):
            RegressedJoints(body, bad)
