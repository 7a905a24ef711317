"""A toy articulated structure seen by tilted cameras, and the recorded poses in our layout."""

import math

import pytest
import torch

from posebook.joints import JointSet
from posebook.models.selfsup import Structure, joint_major
from posebook.models.selfsup.rotation import rotation_x, rotation_y

CROSS = JointSet(  # a trunk with a head and two arms of two links each
    "cross7",
    ("root", "chest", "top", "left_elbow", "left_hand", "right_elbow", "right_hand"),
    (-1, 0, 1, 1, 3, 1, 5),
    (0,),
)
TOY = Structure(CROSS, (1.2, 0.8, 1.0, 1.0, 1.0, 1.0), far_joint=2, coefficients=8)


def toy_points(count: int, seed: int = 0, elevation: float = 0.2) -> torch.Tensor:
    """(count, 7, 3) leaning crosses with bent arms, any azimuth, under cameras tilted by N(elevation, 0.1)."""
    g = torch.Generator().manual_seed(seed)

    def limb(x, y, spread):  # unit vectors about (x, y, 0)
        way = torch.tensor([x, y, 0.0]) + spread * torch.randn(count, 3, generator=g)
        return way / way.norm(dim=-1, keepdim=True)

    root = torch.zeros(count, 3)
    chest = 1.2 * limb(0.0, -1.0, 0.15)
    top = chest + 0.8 * limb(0.0, -1.0, 0.25)
    arms = []
    for x in (1.0, -1.0):
        elbow = chest + limb(x, 0.3, 0.3)
        arms += [elbow, elbow + limb(x, 0.0, 0.5)]
    points = torch.stack([root, chest, top, *arms], 1)
    azimuth = math.pi * (2 * torch.rand(count, generator=g) - 1)
    tilt = elevation + 0.1 * torch.randn(count, generator=g)
    rotation = rotation_x(tilt) @ rotation_y(azimuth)
    return points @ rotation.mT / 2


def toy_poses(count: int, seed: int = 0, elevation: float = 0.2) -> torch.Tensor:
    """(count, 7, 2) their normalised projections."""
    from posebook.models.selfsup import normalise, project

    return normalise(project(toy_points(count, seed, elevation)), TOY)


@pytest.fixture(scope="session")
def recorded(parity):
    """elepose.pt."""
    return parity.load("elepose.pt")


@pytest.fixture(scope="session")
def recorded_poses(recorded):
    """(32, 17, 2), ElePose's order and scale."""
    return joint_major(recorded["data"]["p2d"])


@pytest.fixture(scope="session")
def toy():
    """Structure, and the functions that draw its points and poses."""
    return TOY, toy_points, toy_poses


@pytest.fixture
def filled_lifter(parity):
    """The paper's lifter with the recording's weights."""
    from posebook.models.selfsup import Lifter

    lifter = Lifter()
    parity.fill.fill_elepose(lifter.state_dict())
    return lifter


@pytest.fixture
def filled_prior(parity, recorded):
    """The recording's flow and basis, unwhitened."""
    from posebook.models.selfsup import ELEPOSE_BODY17, PoseBasis, PosePrior

    prior = PosePrior(ELEPOSE_BODY17, whiten=False)
    parity.fill.fill_elepose(prior.flow.state_dict())
    rule, data = recorded["flow"]["rule"], recorded["data"]
    with torch.no_grad():
        for i, block in enumerate(prior.flow.module_list):
            block.w_perm.copy_(rule["perm"][i])
            block.w_perm_inv.copy_(rule["perm"][i].T)
            block.global_scale.copy_(rule["global_scale"][i])
            block.global_offset.copy_(rule["global_offset"][i])
    components = data["pca_components"][:26]
    return prior.set_basis(PoseBasis(data["pca_mean"], components, data["pca_var"][:26].sqrt()))
