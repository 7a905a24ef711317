"""Chapter 5: depth without labels. The prior of 2D poses, and lifters from true 2D (ElePose's stage).

No network starts from another chapter's: the method's claim is that it needs no labels.
"""

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from posebook.experiments.lifting_sets import Flat, Setting
from posebook.experiments.outcome import (
    Outcome,
    checkpoint_path,
    count_parameters,
    gflop_of,
    ms_per_image,
    remember,
    training_memory_mb,
)
from posebook.models.selfsup import Lifter, LiftingModel, LossWeights, PosePrior, Readings, prior_step
from posebook.profile import Profile
from posebook.train import Budget, History, fit, make_fabric, seed_everything

START = 0.2  # of the budget: what is trained before the world is exchanged
LONG = 3  # the lifter and its twin are trained as many times as long as the variations
PARTS = ("whole", "start", "one world", "the other")  # of a lifter's training; each has its own checkpoint
TERMS = ("two_d", "three_d", "deformation", "flow", "bones", "base")


@dataclass(frozen=True)
class Variant:
    """One lifter to train."""

    row: str  # name in tables
    without: str = ""  # loss term left out, one of TERMS
    elevation: str = "learned"  # or "fixed"
    whiten: bool = True  # the flow sees whitened coefficients
    prior_share: float = 1.0  # of the bag that the prior is fitted to
    worlds: int = 2  # 2 tries near and far both ways and keeps the better by its own loss; 1 leaves it to luck
    supervised: bool = False  # true depths in place of all losses
    length: int = 1  # times the profile's `poses_seen`
    core: bool = False  # trained by default


def variants() -> list[Variant]:
    """Lifters of the chapter's own motion; those with `core` are trained by default."""
    ablations = [
        Variant("lifter, fixed elevation", elevation="fixed", worlds=1),
        *(Variant(f"lifter, without {name}", without=name, worlds=1) for name in TERMS),
        Variant("lifter, flow not whitened", whiten=False, worlds=1),
        Variant("lifter, a tenth of the prior", prior_share=0.1, worlds=1),
    ]  # judged against one world, near and far exchanged or not: the second training would decide nothing here
    return [
        Variant("lifter", length=LONG, core=True),
        Variant("lifter, supervised twin", supervised=True, length=LONG, core=True),
        Variant("lifter, a third as long"),
        Variant("lifter, one world", worlds=1),
        *ablations,
    ]


def hand_variants() -> list[Variant]:
    """Lifters of hands."""
    return [Variant("hand, lifter"), Variant("hand, supervised twin", supervised=True)]


def train_prior(variant: Variant, profile: Profile, setting: Setting, seed: int, device: str) -> PosePrior:
    """The flow of a variant; variants that agree in all that concerns it share it."""
    p = profile.lifting
    sizes = {name: getattr(p, name) for name in ("flow_hidden", "blocks", "prior_poses", "batch", "prior_rate")}
    key = {"network": "prior", "whiten": variant.whiten, "share": variant.prior_share, "sizes": sizes, "seed": seed,
           "data": setting.versions[0], "structure": setting.structure.joints.name, "on": device}  # fmt: skip
    least = setting.structure.coefficients + 2  # fewer have no basis
    poses = setting.bag.poses[: max(round(len(setting.bag.poses) * variant.prior_share), least)]
    seed_everything(seed)
    prior = PosePrior(setting.structure, variant.whiten, p.flow_hidden, p.blocks, seed=seed)
    prior.fit_basis(poses.cpu())

    def make() -> Outcome:
        budget = Budget(p.prior_poses, p.batch, p.prior_rate)
        history = fit(prior, lambda net, rows, _: prior_step(net, poses[rows]), len(poses), budget, seed,
                      make_fabric(device), "prior of 2D poses", checkpoint_path(key, __name__))  # fmt: skip
        return Outcome("prior", {}, history, count_parameters(prior), 0.0, budget.images_seen, 0.0, prior.state_dict(),
                       training_memory_mb(device))  # fmt: skip

    prior.load_state_dict(remember(key, make, __name__).state)
    return prior.to(setting.bag.poses.device).eval()


def build_model(variant: Variant, profile: Profile, prior: PosePrior) -> LiftingModel:
    """Lifter and frozen prior of a variant."""
    weights = LossWeights().without(variant.without) if variant.without else LossWeights()
    lifter = Lifter(len(prior.structure.joints), profile.lifting.width)
    return LiftingModel(lifter, prior, weights, Readings(elevation=variant.elevation))


def train_variant(variant: Variant, profile: Profile, setting: Setting, seed: int, device: str) -> Outcome:
    """Train one lifter on true 2D poses and lift the test poses; from the cache if it was done before.

    Returns:
        Outcome; predictions: as `predict`, and own_loss (worlds,) over all training poses, the kept world's first.
    """
    p = profile.lifting
    sizes = {name: value for name, value in asdict(p).items() if not name.startswith("image")}
    key = {"variant": asdict(variant), "sizes": sizes, "data": setting.versions, "seed": seed, "on": device,
           "structure": setting.structure.joints.name}  # fmt: skip

    def make() -> Outcome:
        prior = train_prior(variant, profile, setting, seed, device)
        seed_everything(seed)
        model = build_model(variant, profile, prior)
        kept = lambda part: checkpoint_path(key | {"part": part}, __name__)  # noqa: E731
        budget = Budget(variant.length * p.poses_seen, p.batch, p.learning_rate)
        trained = train_worlds(variant, model, setting.train, budget, seed, device, kept)
        for part in PARTS:
            kept(part).unlink(missing_ok=True)
        few = setting.test.poses[:32]
        costs = count_parameters(model.lifter), gflop_of(lambda: trained.model.predict(few[:1])), trained.poses_seen
        found = predict(trained.model, setting.test.poses, setting.metres) | {"own_loss": np.array(trained.own_loss)}
        return Outcome(variant.row, found, trained.history, *costs, ms_per_image(trained.model.predict, few),
                       trained.model.state_dict(), training_memory_mb(device))  # fmt: skip

    return remember(key, make, __name__)


class Trained(NamedTuple):
    """A lifter, and how it came about."""

    model: LiftingModel
    history: History  # of the kept world, its start included; minutes of both
    own_loss: tuple[float, ...]  # of each world over all training poses, the kept one first
    poses_seen: int  # in both worlds


def train_worlds(variant: Variant, model: LiftingModel, train: Flat, budget: Budget, seed: int, device: str,
                 kept: Callable[[str], Path]) -> Trained:  # fmt: skip
    """Train a lifter; without labels in both worlds that a short start may lead to.

    To a far camera nothing changes when near and far are exchanged and, with them, the camera's up and down. The first
    steps decide by luck, and no later step turns back. Perspective tells the worlds apart, a little: so after a short
    start the training goes on from the lifter as it is *and* from its mirror, and the lower loss is kept. No label is
    asked.

    Args:
        kept: part of the training -> its checkpoint.
    """
    poses, depth = train.poses, train.depth

    def loss(net: nn.Module, rows: np.ndarray, generator: torch.Generator) -> Tensor:
        if variant.supervised:
            return (net.lifter(poses[rows]).depth - depth[rows])[:, 1:].abs().mean()
        return net(poses[rows], generator).total

    def run(part: str, net: LiftingModel, spent: Budget) -> History:
        name = variant.row if part == "whole" else f"{variant.row}, {part}"
        return fit(net, loss, len(poses), spent, seed, make_fabric(device), name, kept(part))

    if variant.supervised or variant.worlds == 1:
        return Trained(model, run("whole", model, budget), (own_loss(model, poses),), budget.images_seen)
    short = replace(budget, images_seen=max(round(START * budget.images_seen), budget.batch))
    start = run("start", model, short)
    worlds = {"one world": copy.deepcopy(model), "the other": mirrored(model)}
    histories = {name: run(name, net, budget) for name, net in worlds.items()}
    losses = {name: own_loss(net, poses) for name, net in worlds.items()}
    best, other = sorted(losses, key=losses.get)
    images = [*start.images, *(start.images[-1] + count for count in histories[best].images)]
    minutes = start.minutes + sum(history.minutes for history in histories.values())
    history = History(images, [*start.losses, *histories[best].losses], minutes)
    return Trained(worlds[best], history, (losses[best], losses[other]), short.images_seen + 2 * budget.images_seen)


def mirrored(model: LiftingModel) -> LiftingModel:
    """A lifter that says minus every depth and angle of the given one: near is far, and the camera looks up."""
    other = copy.deepcopy(model)
    with torch.no_grad():
        for head in (other.lifter.depth, other.lifter.angles):
            head.weight.neg_(), head.bias.neg_()
    return other


@torch.no_grad()
def own_loss(model: LiftingModel, poses: Tensor) -> float:
    """The loss that a lifter minimises, over all poses (N, J, 2) under the same turns for every lifter."""
    return float(model.eval()(poses, torch.Generator().manual_seed(0)).total)


@torch.no_grad()
def predict(model: LiftingModel, poses: Tensor, metres: float) -> dict[str, np.ndarray]:
    """joints3d (N, J, 3) in about metres, root at 0; angle (N,) radians, the lifter's elevation."""
    model.eval()
    points, angle = model.predict(poses), model.lifter(poses).angle
    return {"joints3d": (points * metres).cpu().numpy(), "angle": angle.cpu().numpy()}
