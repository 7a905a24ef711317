"""Batches of meshes: units, mirrors, means; what the datasets stored is the independent witness."""

import numpy as np
import pytest
import torch

from posebook.experiments.meshes import BodyMeshes, HandMeshes, mean_parameters
from posebook.joints import SMPL24


@pytest.fixture(scope="session")
def bodies(few_bodies):
    return BodyMeshes(few_bodies[0].dataset)


@pytest.fixture(scope="session")
def hands(few_hands):
    return HandMeshes(few_hands[0])


@pytest.fixture(params=["bodies", "hands"])
def meshes(request):
    return request.getfixturevalue(request.param)


def generator():
    return torch.Generator().manual_seed(0)


def stored_joints(meshes, rows):
    return torch.from_numpy(np.array(meshes.dataset.arrays["joints3d"][rows]))


def test_joints_of_the_mesh_are_the_stored_ones(meshes):
    batch = meshes.get(slice(0, 6))
    stored = stored_joints(meshes, slice(0, 6))
    found = (meshes.regressor @ batch.vertices)[:, : stored.shape[1]]
    # SMPL's regressor is made for the body at rest: on a posed one its hands may lie centimetres beside the joints.
    tolerance = 0.02 if isinstance(meshes, BodyMeshes) else 1e-4
    assert (found - stored).norm(dim=-1).mean() < tolerance
    torch.testing.assert_close(found[:, 0], stored[:, 0], atol=1e-5, rtol=0)


def test_targets_are_the_stored_pixels_and_depths(meshes):
    batch = meshes.get(slice(0, 6))
    mesh, joints = meshes.targets(batch)
    stored2d = torch.from_numpy(np.array(meshes.dataset.arrays["joints2d"][:6])).float()
    stored3d = stored_joints(meshes, slice(0, 6))
    found = joints[:, : stored2d.shape[1]]
    body = isinstance(meshes, BodyMeshes)
    assert (found[..., :2] * meshes.size / 64 - stored2d).norm(dim=-1).mean() < (0.8 if body else 0.2)  # pixels
    half = meshes.units.depth_size / 2
    wanted = (stored3d[..., 2] - stored3d[:, :1, 2]) / half * 32 + 32
    assert (found[..., 2] - wanted).abs().mean() < (0.5 if body else 0.2)
    assert mesh.min() > 0 and mesh.max() < 64  # the box holds the mesh
    torch.testing.assert_close(meshes.units.to_crop(mesh)[..., 2], batch.vertices[..., 2] - batch.root[:, None, 2],
                               atol=1e-5, rtol=0)  # fmt: skip


def test_a_mirrored_body_is_drawn_where_its_mirrored_picture_has_it(bodies):
    rows = np.arange(8)
    plain, mixed = bodies.get(rows), bodies.augmented(rows, generator())
    turned = (mixed.K[:, 0, 0] - plain.K[:, 0, 0]).abs() + (mixed.root - plain.root).abs().sum(1) > 1e-6
    assert 0 < turned.sum() < 8
    joints, other = (bodies.targets(b)[1][:, :24] for b in (plain, mixed))
    mirrored = joints[:, list(SMPL24.flip)].clone()
    mirrored[..., 0] = 64 - mirrored[..., 0]
    wanted = torch.where(turned[:, None, None], mirrored, joints)
    assert (other - wanted).norm(dim=-1).mean() < 0.5  # of 64; no body is quite symmetric


def test_hands_are_never_mirrored(hands):
    rows = np.arange(12)
    plain, mixed = hands.get(rows), hands.augmented(rows, generator())
    for name in ("vertices", "root", "K", "betas", "rotations"):
        torch.testing.assert_close(getattr(mixed, name), getattr(plain, name))
    assert not torch.equal(mixed.image, plain.image)  # colours


def test_means_are_means(meshes):
    mesh, betas, rotations = mean_parameters(meshes)
    batch = meshes.get(slice(0, 12))
    torch.testing.assert_close(mesh, meshes.targets(batch)[0].mean(0), atol=1e-3, rtol=0)
    torch.testing.assert_close(betas, batch.betas.mean(0), atol=1e-5, rtol=0)
    torch.testing.assert_close(rotations, batch.rotations.mean(0), atol=1e-5, rtol=0)
