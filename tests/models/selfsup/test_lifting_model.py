"""The stages from 2D poses: losses fall, the prior stays frozen, resumed training repeats an unbroken one."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.selfsup import (
    Lifter,
    LiftingModel,
    LossWeights,
    PosePrior,
    Readings,
    draw_noise,
    lifting_step,
    prior_step,
    weighted,
)
from posebook.train import Budget, fit, seed_everything


@pytest.fixture(scope="module")
def trained(toy):
    """Toy poses and a prior trained on them for a few seconds."""
    structure, _, draw = toy
    poses = draw(600)
    seed_everything(0)
    prior = PosePrior(structure, hidden=32, blocks=3).fit_basis(poses)
    before = prior_step(prior, poses).item()
    fit(prior, lambda model, rows, generator: prior_step(model, poses[rows]), len(poses), Budget(200 * 64, 64, 5e-3))
    return structure, poses, prior, before


def test_prior_learns_more_than_a_gaussian(trained):
    """At the start a whitened flow is near the Gaussian of the data: K / 2 plus the log deviations."""
    structure, poses, prior, before = trained
    gaussian = 0.5 * structure.coefficients + prior.deviation.log().sum().item()
    assert before == pytest.approx(gaussian, abs=1.0)
    with torch.no_grad():
        assert prior_step(prior, poses).item() < gaussian - 0.15


def test_lifting_losses_fall_and_the_prior_stays(trained):
    structure, poses, prior, _ = trained
    seed_everything(0)
    weights = {name: value.clone() for name, value in prior.state_dict().items()}
    model = LiftingModel(Lifter(7, 64), prior)
    history = fit(model, lambda m, rows, g: m(poses[rows], g).total, len(poses), Budget(150 * 64, 64, 2e-3))
    assert history.losses[-1] < 0.01 * history.losses[0]
    assert all(torch.equal(weights[name], value) for name, value in prior.state_dict().items())
    points = model.predict(poses[:5])
    assert points.shape == (5, 7, 3) and not points[:, structure.root].any()


def test_total_is_the_weighted_sum_of_its_terms(trained):
    structure, poses, prior, _ = trained
    weights = LossWeights(bones=3.0).without("flow")
    step = lifting_step(Lifter(7, 16), prior, poses[:8], draw_noise(8), weights)
    terms = step.losses
    by_hand = terms.two_d + terms.three_d + terms.deformation + 3 * terms.bones
    torch.testing.assert_close(step.total, by_hand)
    torch.testing.assert_close(step.total, weighted(terms, weights))


def test_elevation_learns_only_where_it_is_used(trained):
    structure, poses, prior, _ = trained
    for elevation, learns in (("learned", True), ("fixed", False)):
        lifter = Lifter(7, 16)
        lifting_step(lifter, prior, poses[:8], draw_noise(8), None, Readings(elevation=elevation)).total.backward()
        assert (lifter.angles.weight.grad is not None) is learns


def test_elevation_is_learnt_where_the_shape_is_known(toy):
    """With the true depths given, the prior of turned poses teaches the tilts of the cameras and their spread."""
    structure, toy_points, _ = toy
    points = toy_points(2000, seed=3, elevation=0.3)
    true, poses = known_shapes(points, structure)
    prior = PosePrior(structure, hidden=32, blocks=3, coefficients=8).fit_basis(poses)
    fit(prior, lambda m, rows, g: prior_step(m, poses[rows]), len(poses), Budget(100 * 64, 64, 3e-3))
    angles = learn_tilts(prior, true, poses)
    assert angles.mean().abs().item() == pytest.approx(0.3, abs=0.08)


def known_shapes(points, structure):
    """Points in units of the set's scale, and their exact projections."""
    from posebook.models.selfsup import mean_scale, project

    scale = mean_scale(project(points), structure) * 10
    poses = project(points / scale)
    return points / scale, poses


def learn_tilts(prior, true, poses):
    """Train an elevation head alone, with `true` points turned instead of lifted ones."""
    from posebook.models.selfsup import project, second_views, turn

    seed_everything(0)
    lifter, g = Lifter(7, 64), torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(lifter.parameters(), 1e-3)
    for _ in range(200):
        rows = torch.randint(len(poses), (128,), generator=g)
        views = second_views(lifter(poses[rows]).angle, draw_noise(128, g))
        loss = prior.requires_grad_(False)(project(turn(views.rotation, true[rows]))).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return lifter(poses).angle.detach()


def test_a_killed_training_continues_to_the_same_numbers(trained, tmp_path):
    structure, poses, prior, _ = trained

    def start():
        seed_everything(0)
        model = LiftingModel(Lifter(7, 16), prior)
        return model, torch.optim.Adam(model.lifter.parameters(), 1e-3), torch.Generator().manual_seed(0)

    def run(model, optimiser, generator, steps):
        for step in steps:
            total = model(poses[8 * step : 8 * step + 8], generator).total
            optimiser.zero_grad()
            total.backward()
            optimiser.step()
        return total.item()

    unbroken = run(*start(), range(8))
    model, optimiser, generator = start()
    run(model, optimiser, generator, range(4))
    parts = {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "generator": generator.get_state()}
    torch.save(parts, tmp_path / "half.pt")
    model, optimiser, generator = start()
    parts = torch.load(tmp_path / "half.pt", weights_only=True)
    model.load_state_dict(parts["model"])
    optimiser.load_state_dict(parts["optimiser"])
    generator.set_state(parts["generator"])
    assert run(model, optimiser, generator, range(4, 8)) == unbroken


def test_wrong_parts_are_refused(trained):
    structure, poses, prior, _ = trained
    with pytest.raises(PosebookError, match="lifter has 17 joints, the prior 7"):
        LiftingModel(Lifter(width=8), prior)
    model = LiftingModel(Lifter(7, 8), prior)
    with pytest.raises(PosebookError, match="at least 2 poses"):
        model(poses[:1])
    with pytest.raises(PosebookError, match=r"\(N, 7, 2\)"):
        model(poses[:, :6])
    with pytest.raises(PosebookError, match="elevation must be one of"):
        Readings(elevation="none")
