"""The prior's principal components, its two modes, and what it refuses."""

import math

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.selfsup import ELEPOSE_BODY17, PosePrior, axis_major, fit_basis


def test_basis_is_that_of_the_covariance(toy):
    structure, _, poses = toy
    drawn = poses(400).double()
    basis = fit_basis(drawn, 6)
    values, vectors = torch.linalg.eigh(torch.cov(axis_major(drawn).T))
    torch.testing.assert_close(basis.deviation, values.flip(0)[:6].sqrt())
    agreement = (basis.components * vectors.flip(1)[:, :6].T).sum(1).abs()
    torch.testing.assert_close(agreement, torch.ones(6, dtype=torch.float64))
    torch.testing.assert_close(basis.mean, axis_major(drawn).mean(0))


def test_whitening_changes_the_numbers_but_not_the_likelihood(toy):
    """A flow at the identity is a Gaussian: with whitening that of the data, without one of deviation 1."""
    structure, _, poses = toy
    drawn = poses(300).double()
    for whiten in (True, False):
        prior = PosePrior(structure, whiten, hidden=8, blocks=1).double().fit_basis(drawn)
        for parameter in prior.flow.module_list[0].subnet.parameters():
            parameter.data.zero_()
        values = (axis_major(drawn) - axis_major(drawn).mean(0)) @ prior.components.T
        spread = prior.deviation if whiten else torch.ones_like(prior.deviation)
        gaussian = torch.distributions.Normal(0.0, spread).log_prob(values).sum(1)
        torch.testing.assert_close(prior.log_likelihood(drawn), gaussian)
        constant = 0.5 * structure.coefficients * math.log(2 * math.pi)
        torch.testing.assert_close(prior(drawn), -gaussian - constant, atol=1e-5, rtol=0)


def test_latents_decode_to_the_poses_they_came_from(toy):
    structure, _, poses = toy
    drawn = poses(300)
    prior = PosePrior(structure, hidden=8, blocks=2, coefficients=12).fit_basis(drawn)
    torch.testing.assert_close(prior.decode(prior.latent(drawn)), drawn, atol=1e-5, rtol=0)
    sampled = prior.sample(4000, torch.Generator().manual_seed(0))
    assert sampled.shape == (4000, 7, 2)
    away = (sampled.mean(0) - drawn.mean(0)).abs().max()
    assert away < 0.01


def test_a_prior_keeps_its_basis_in_its_state(toy):
    structure, _, poses = toy
    drawn = poses(50)
    first = PosePrior(structure, hidden=8, blocks=2).fit_basis(drawn)
    second = PosePrior(structure, hidden=8, blocks=2, seed=9)
    with pytest.raises(PosebookError, match="no basis"):
        second(drawn)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(drawn), second(drawn))


def test_poses_of_another_structure_are_refused(toy):
    structure, _, poses = toy
    with pytest.raises(PosebookError, match=r"\(N, 17, 2\)"):
        PosePrior(ELEPOSE_BODY17, hidden=8).fit_basis(poses(50))
    with pytest.raises(PosebookError, match="more than 8 poses"):
        PosePrior(structure, hidden=8).fit_basis(poses(8))
    flat = poses(50)[:1].repeat(50, 1, 1) + 0.01 * torch.randn(50, 1, 1) * torch.eye(7)[2][:, None]
    with pytest.raises(PosebookError, match="vary in 1 directions"):
        fit_basis(flat, 4)
