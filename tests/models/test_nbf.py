"""The second stage: the paper's sizes, the meaning of its 226 numbers, and what becomes of them."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from posebook.body import load_body
from posebook.errors import PosebookError
from posebook.joint_layer import JointLayer
from posebook.models.nbf import LATENT, NeuralBodyFitting, encode, split_latent
from posebook.models.resnet import ResNet
from posebook.rotations import project_to_rotation


@pytest.fixture(scope="module")
def layer(body_cache):
    return JointLayer(load_body(level="coarse"))


@pytest.fixture(scope="module")
def people(layer):
    """betas, rotations in the camera frame, relative rotations, of eight bodies."""
    rng = np.random.default_rng(0)
    relative = torch.tensor(Rotation.random(8 * 24, rng=rng).as_matrix(), dtype=torch.float32).view(8, 24, 3, 3)
    return torch.tensor(rng.normal(size=(8, 10)), dtype=torch.float32), layer.to_global(relative), relative


class Trunk(torch.nn.Module):
    """No picture is looked at."""

    out_channels = 4

    def forward(self, picture):
        return SimpleNamespace(pooled=torch.ones(len(picture), 4))


def some_mean():
    return torch.randn(LATENT, generator=torch.Generator().manual_seed(3))


def test_paper_size(layer):
    with torch.device("meta"):
        trunk = ResNet(50, pool=2, strides=(2, 2, 2, 1), stride_on="1x1")
        maps = trunk.forward_pyramid(torch.zeros(1, 3, 224, 224))
    assert [m.shape[-1] for m in maps] == [28, 14, 7, 7]
    model = NeuralBodyFitting(trunk, layer, torch.zeros(LATENT))
    assert sum(p.numel() for p in model.trunk.parameters()) == 23_508_032
    assert sum(p.numel() for p in model.head.parameters()) == 463_074 == 2048 * 226 + 226
    assert sum(p.numel() for p in model.parameters()) == 23_508_032 + 463_074  # the body has nothing to train


def test_the_head_starts_near_the_mean(layer):
    head = NeuralBodyFitting(ResNet(18, width=32), layer, torch.zeros(LATENT)).head
    assert head.weight.std().item() == pytest.approx(0.02, rel=0.02) and abs(head.weight.mean()) < 1e-3
    assert not head.bias.any()


def test_order_of_the_226_numbers(people):
    betas, rotations, _ = people
    numbers = encode(betas, rotations)
    assert numbers.shape == (8, 226)
    assert torch.equal(numbers[:, :10], betas)
    for joint, row, column in ((0, 0, 0), (0, 0, 1), (0, 1, 0), (7, 2, 1), (23, 2, 2)):
        assert torch.equal(numbers[:, 10 + 9 * joint + 3 * row + column], rotations[:, joint, row, column])
    back = split_latent(numbers)
    assert torch.equal(back[0], betas) and torch.equal(back[1], rotations)


@pytest.mark.parametrize("target", ["global", "relative"])
def test_true_offsets_decode_to_the_true_body(layer, people, target):
    betas, rotations, relative = people
    model = NeuralBodyFitting(Trunk(), layer, some_mean(), target)
    latent = model.offsets(betas, rotations, relative)
    own = rotations if target == "global" else relative
    torch.testing.assert_close(latent + some_mean(), encode(betas, own))
    found = model.decode(latent)
    assert torch.equal(found.latent, latent)
    torch.testing.assert_close(found.betas, betas, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.rotations, rotations, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.relative, relative, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.joints, layer(betas, rotations), atol=1e-5, rtol=0)


@pytest.mark.parametrize("target", ["global", "relative"])
def test_any_numbers_decode_to_one_consistent_body(layer, target):
    model = NeuralBodyFitting(Trunk(), layer, torch.zeros(LATENT), target)
    latent = torch.randn(16, LATENT, generator=torch.Generator().manual_seed(0))
    found = model.decode(latent)
    clean = found.rotations if target == "global" else found.relative
    expected = project_to_rotation(latent[:, 10:].reshape(16, 24, 3, 3))
    torch.testing.assert_close(clean, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(layer.to_global(found.relative), found.rotations, atol=1e-5, rtol=0)
    for rotations in (found.rotations, found.relative):
        torch.testing.assert_close(torch.linalg.det(rotations), torch.ones(16, 24), atol=1e-5, rtol=0)


def test_zero_offsets_are_the_mean_body(layer, people):
    betas, rotations, _ = (values[:1] for values in people)
    mean = encode(betas, 0.7 * rotations)[0]  # a mean of rotations is shorter than a rotation
    model = NeuralBodyFitting(Trunk(), layer, mean)
    torch.nn.init.zeros_(model.head.weight)
    found = model(torch.zeros(2, 3, 8, 8))
    assert not found.latent.any() and torch.equal(found.betas, betas.expand(2, 10))
    torch.testing.assert_close(found.rotations, rotations.expand(2, -1, -1, -1), atol=1e-5, rtol=0)


def test_reflections_pass_only_if_asked(layer):
    latent = torch.randn(8, LATENT, generator=torch.Generator().manual_seed(0))
    official = NeuralBodyFitting(Trunk(), layer, torch.zeros(LATENT), fix_determinant=False).decode(latent)
    sign = torch.linalg.det(latent[:, 10:].reshape(8, 24, 3, 3)).sign()
    assert (sign < 0).any()
    torch.testing.assert_close(torch.linalg.det(official.rotations), sign, atol=1e-5, rtol=0)


@pytest.mark.parametrize("target", ["global", "relative"])
def test_gradients_of_the_joints_reach_every_weight_even_at_the_identity(layer, target):
    mean = encode(torch.zeros(1, 10), torch.eye(3).expand(1, 24, 3, 3))[0]
    model = NeuralBodyFitting(ResNet(18, width=8, in_channels=5), layer, mean, target)
    torch.nn.init.zeros_(model.head.weight)  # every matrix is the identity: all singular values are equal
    found = model(torch.rand(2, 5, 64, 64))
    found.joints.square().sum().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())
    leaves = set(range(24)) - set(layer.parents)
    for joint in range(24):
        moved = model.head.bias.grad[10 + 9 * joint : 19 + 9 * joint].any()
        assert moved == (joint not in leaves)  # what turns at a leaf moves no joint
    torch.nn.init.normal_(model.head.weight)
    model.zero_grad()
    model(torch.rand(2, 5, 64, 64)).joints.square().sum().backward()
    assert all(p.grad.isfinite().all() and p.grad.any() for p in model.trunk.parameters())


def test_weights_travel_with_their_mean(layer):
    model = NeuralBodyFitting(Trunk(), layer, some_mean())
    other = NeuralBodyFitting(Trunk(), layer, torch.zeros(LATENT))
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.mean, some_mean())


def test_unknown_target_and_wrong_mean_are_refused(layer):
    with pytest.raises(PosebookError, match="target must be one of global, relative, got 'absolute'"):
        NeuralBodyFitting(Trunk(), layer, torch.zeros(LATENT), "absolute")
    with pytest.raises(PosebookError, match=r"mean: expected \(226,\).*got \(229,\)"):
        NeuralBodyFitting(Trunk(), layer, torch.zeros(229))
