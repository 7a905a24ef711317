"""The whole loop: each term reaches the networks it should; a tiny overfit; state that resumes."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.selfsup import ImageModel, LossWeights, PosePrior, Readings, normalise
from posebook.train import Budget, fit, seed_everything

SIZE = 24
NETWORKS = ("painter", "reader", "discriminator", "lifting.lifter")


@pytest.fixture(scope="module")
def parts(toy):
    """A prior and its bag in [-1, 1], and images: drawings of other poses in colour."""
    structure, _, toy_poses = toy
    bag = 5 * toy_poses(200) + torch.tensor([0.0, 0.4])
    seed_everything(0)
    prior = PosePrior(structure, hidden=16, blocks=2).fit_basis(normalise(bag, structure))
    others = 5 * toy_poses(16, seed=5) + torch.tensor([0.0, 0.4])
    drawn = make(prior, bag).draw(others)
    return prior, bag, (drawn * torch.tensor([0.5, -0.5, 1.0]).view(3, 1, 1)).float()


def make(prior, bag, **options):
    """A tiny model."""
    seed_everything(0)
    sizes = {"painter_width": 4, "reader_width": 4, "discriminator_width": 4, "lifter_width": 16, "pool": 4}
    return ImageModel(prior, bag, SIZE, **(sizes | options))


def reached(model, value):
    """Names of the networks that a value has a gradient for."""
    model.zero_grad(set_to_none=True)
    value.backward(retain_graph=True)
    some = lambda n: any(p.grad is not None and p.grad.any() for p in model.get_submodule(n).parameters())  # noqa: E731
    return {name for name in NETWORKS if some(name)}


@pytest.mark.parametrize(
    ("readings", "skeleton", "pose"),
    [
        ({}, {"reader"}, {"painter", "lifting.lifter"}),
        ({"picture_gradient": "attached"}, {"reader", "painter"}, {"painter", "lifting.lifter"}),
        ({"pose_gradient": "attached"}, {"reader"}, {"painter", "reader", "lifting.lifter"}),
        ({"pose_gradient": "stopped"}, {"reader"}, {"lifting.lifter"}),
    ],
)
def test_each_term_reaches_its_networks(parts, readings, skeleton, pose):
    prior, bag, images = parts
    model = make(prior, bag, readings=Readings(**readings))
    step = model(images[:4], bag[:4], torch.Generator().manual_seed(0))
    assert reached(model, step.pictures.skeleton) == skeleton
    assert reached(model, step.pictures.adversarial) == {"painter"}
    assert reached(model, step.discriminator) == {"discriminator"}
    assert reached(model, step.poses.three_d) == pose
    assert all(not p.requires_grad for p in model.lifting.prior.parameters())


def test_total_is_the_weighted_sum(parts):
    prior, bag, images = parts
    model = make(prior, bag, weights=LossWeights(skeleton=2.0))
    p, q, d, total, *_ = model(images[:4], bag[:4], torch.Generator().manual_seed(0))
    lifted = q.two_d + q.three_d + q.deformation + q.flow + 50 * q.bones
    torch.testing.assert_close(total, 2 * p.skeleton + 10 * p.adversarial + d + lifted)


def test_other_readings_run(parts):
    prior, bag, images = parts
    readings = Readings("fixed", "paper", "image", "log", "encoder", "squared", "attached", "stopped")
    step = make(prior, bag, readings=readings)(images[:4], bag[:4], torch.Generator().manual_seed(0))
    assert step.total.isfinite() and step.painted.shape == (4, 1, SIZE, SIZE)


def test_image_networks_alone_have_no_pose_terms(parts):
    prior, bag, images = parts
    model = make(prior, bag, with_lifter=False)
    step = model(images[:4], bag[:4], torch.Generator().manual_seed(0))
    assert step.poses is None and step.cycle is None
    assert reached(model, step.total) == {"painter", "reader", "discriminator"}


def test_reader_and_lifter_are_joined_by_the_bags_scale(parts):
    prior, bag, _ = parts
    joined = make(prior, bag).normalised(bag)
    torch.testing.assert_close(joined, normalise(bag, prior.structure))


def test_a_tiny_training_learns_to_read(parts):
    """40 steps: drawn skeletons are read better, the sum falls; the adversary may win."""
    prior, bag, images = parts
    model = make(prior, bag)
    error = lambda: (model.reader(model.draw(bag)) - bag).square().mean().item()  # noqa: E731
    before = error()

    def loss(wrapped, rows, generator):
        drawn = bag[torch.randint(len(bag), (len(rows),), generator=generator)]
        return wrapped(images[rows], drawn, generator).total

    history = fit(model, loss, len(images), Budget(40 * 8, 8, 5e-3))
    assert error() < 0.7 * before
    assert history.losses[-1] < 0.5 * history.losses[0]
    found = model.predict(images)
    assert found.points.shape == (16, 7, 3) and found.pose.abs().max() <= 1


def test_state_holds_all_that_a_resumed_training_needs(parts):
    prior, bag, images = parts
    first = make(prior, bag)
    first(images[:4], bag[:4], torch.Generator().manual_seed(0))
    second = make(prior, 2 * bag)  # another scale, an empty pool
    second.load_state_dict(first.state_dict())
    pair = [m(images[4:8], bag[4:8], torch.Generator().manual_seed(1)).total.item() for m in (first, second)]
    assert pair[0] == pair[1]


def test_wrong_parts_are_refused(parts):
    prior, bag, images = parts
    with pytest.raises(PosebookError, match=r"\[-1, 1\]"):
        make(prior, 100 * bag)
    with pytest.raises(PosebookError, match=r"\(N, 7, 2\)"):
        make(prior, bag[:, :5])
    model = make(prior, bag)
    with pytest.raises(PosebookError, match="Expected images"):
        model(torch.zeros(4, 3, 32, 32), bag[:4])
    with pytest.raises(PosebookError, match="at least 2 poses"):
        model(images[:1], bag[:1])
