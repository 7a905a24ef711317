"""A toy structure of five joints, its poses and a prior of them, for the explorers of chapter 5."""

import pytest
import torch

from posebook.joints import JointSet
from posebook.models.selfsup import PosePrior, Structure, normalise, project

FORK = Structure(
    JointSet("fork5", ("root", "neck", "top", "left_arm", "right_arm"), (-1, 0, 1, 1, 1), (0,)),
    (1.0, 1.0, 1.0, 1.0),
    far_joint=2,
    coefficients=5,
)


@pytest.fixture(scope="module")
def poses():
    g = torch.Generator().manual_seed(0)
    way = lambda x, y: torch.nn.functional.normalize(  # noqa: E731
        torch.tensor([x, y, 0.0]) + 0.3 * torch.randn(60, 3, generator=g), dim=-1
    )
    neck = way(0.0, -1.0)
    points = torch.stack([torch.zeros(60, 3), neck, neck + way(0.0, -1.0), neck + way(1, 0), neck + way(-1, 0)], 1)
    return normalise(project(points / 2), FORK)


@pytest.fixture(scope="module")
def prior(poses):
    torch.manual_seed(0)
    return PosePrior(FORK, hidden=16, blocks=2).fit_basis(poses)
