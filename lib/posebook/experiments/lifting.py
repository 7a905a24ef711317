"""Chapter 5: depth without labels. A prior of 2D poses, lifters from 2D, and the pipeline from pictures.

Pictures and the bag of unpaired poses come from the two halves of the training clips *and* people: nobody and no motion
is in both. No network starts from another chapter's: the method's claim is that it needs no labels.
"""

from dataclasses import asdict, dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from posebook.data.dataset import Dataset
from posebook.data.halves import open_disjoint_stills
from posebook.experiments.outcome import Outcome, count_parameters, gflop_of, ms_per_image, remember, training_memory_mb
from posebook.models.selfsup import (
    BODY17,
    Lifter,
    LiftingModel,
    LossWeights,
    PosePrior,
    Readings,
    Structure,
    lift,
    mean_scale,
    normalise,
    prior_step,
)
from posebook.profile import Profile
from posebook.train import Budget, fit, make_fabric, seed_everything

FIELDS = {"h36m17": ("joints2d_h36m17", "joints3d_h36m17"), "hand21": ("joints2d", "joints3d")}
METRE = (
    0.6  # metres that one unit of lifted poses stands for, about the mean root - head distance; scores are scale-free
)
TERMS = ("two_d", "three_d", "deformation", "flow", "bones", "base")


@dataclass(frozen=True)
class Variant:
    """One lifter to train."""

    row: str  # name in tables
    without: str = ""  # loss term left out, one of TERMS
    elevation: str = "learned"  # or "fixed"
    whiten: bool = True  # the flow sees whitened coefficients
    prior_share: float = 1.0  # of the bag that the prior is fitted to
    supervised: bool = False  # true depths in place of all losses
    core: bool = False  # trained by default


class Flat(NamedTuple):
    """2D poses of a dataset as the lifter reads them, and what is true of them."""

    poses: Tensor  # (N, J, 2) normalised
    depth: Tensor  # (N, J) true depths in the lifter's unit
    joints: Tensor  # (N, J, 3) metres, root at 0


@dataclass
class Setting:
    """Structure and sets that all variants of a chapter share."""

    structure: Structure
    bag: Flat
    train: Flat
    test: Flat
    versions: list[str] = field(default_factory=list)  # of the data


def variants() -> list[Variant]:
    """All lifters of the chapter; those with `core` are trained by default."""
    rows = [
        Variant("lifter", core=True),
        Variant("supervised twin", supervised=True, core=True),
        Variant("lifter, fixed elevation", elevation="fixed", core=True),
        Variant("lifter, without flow", without="flow", core=True),
    ]
    rows += [Variant(f"lifter, without {name}", without=name) for name in TERMS if name != "flow"]
    return [
        *rows,
        Variant("lifter, flow not whitened", whiten=False),
        Variant("lifter, a tenth of the prior", prior_share=0.1),
    ]


def open_setting(motion: str, profile: Profile, test: Dataset, device="cpu", structure: Structure = BODY17) -> Setting:
    """Bag, training poses and test poses of bodies.

    Args:
        motion: source of the training clips. test: any dataset in the sample schema.
        structure: its bone means are replaced by those of the bag's bodies at rest: a table of measured people.
    """
    halves = [open_disjoint_stills(motion, half, profile.lifting.stills, profile) for half in ("motion", "pictures")]
    bag = halves[0]
    points = torch.from_numpy(np.array(bag.arrays[FIELDS[structure.joints.name][1]]))
    scale = mean_scale(pixels_of(bag, structure), structure)
    sets = [flat(d, structure, scale, device) for d in (*halves, test)]
    versions = [d.manifest["data_version"] for d in (*halves, test)]
    return Setting(structure.with_bones_of(points), *sets, versions)


def pixels_of(dataset: Dataset, structure: Structure) -> Tensor:
    """(N, J, 2) crop pixels."""
    return torch.from_numpy(np.array(dataset.arrays[FIELDS[structure.joints.name][0]]))


def flat(dataset: Dataset, structure: Structure, scale: Tensor, device="cpu") -> Flat:
    """A dataset's true 2D as the lifter's input, with its true depths.

    A pose at distance Z seen with focal length f has X = u Z / f. The unit is u / scale at depth 0: one unit is
    Z scale / f metres, and a joint's depth offset is z f / (Z scale).

    Args:
        scale: pixels; of the bag, for all sets: crops are made by one rule.
    """
    joints = torch.from_numpy(np.array(dataset.arrays[FIELDS[structure.joints.name][1]]))
    focal = torch.from_numpy(np.array(dataset.arrays["K"]))[:, :1, 0]
    rooted = joints - joints[:, [structure.root]]
    depth = rooted[..., 2] * focal / (joints[:, [structure.root], 2] * scale)
    poses = normalise(pixels_of(dataset, structure), structure, scale)
    return Flat(poses.to(device), depth.to(device), rooted.to(device))


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
                      make_fabric(device), "prior of 2D poses")  # fmt: skip
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
    """Train one lifter on true 2D poses and lift the test poses; from the cache if it was done before."""
    p = profile.lifting
    key = {"variant": asdict(variant), "sizes": asdict(p), "data": setting.versions, "seed": seed, "on": device,
           "structure": setting.structure.joints.name}  # fmt: skip

    def make() -> Outcome:
        prior = train_prior(variant, profile, setting, seed, device)
        seed_everything(seed)
        model = build_model(variant, profile, prior)
        poses, depth = setting.train.poses, setting.train.depth

        def loss(net: nn.Module, rows: np.ndarray, generator: torch.Generator) -> Tensor:
            if variant.supervised:
                return (net.lifter(poses[rows]).depth - depth[rows])[:, 1:].abs().mean()
            return net(poses[rows], generator).total

        budget = Budget(p.poses_seen, p.batch, p.learning_rate)
        history = fit(model, loss, len(poses), budget, seed, make_fabric(device), variant.row)
        few = setting.test.poses[:32]
        costs = count_parameters(model.lifter), gflop_of(lambda: model.predict(few[:1])), budget.images_seen
        return Outcome(variant.row, predict(model, setting.test.poses), history, *costs,
                       ms_per_image(model.predict, few), model.state_dict(), training_memory_mb(device))  # fmt: skip

    return remember(key, make, __name__)


@torch.no_grad()
def predict(model: LiftingModel, poses: Tensor) -> dict[str, np.ndarray]:
    """joints3d (N, J, 3) in about metres, root at 0; angle (N,) radians, the lifter's elevation."""
    model.eval()
    points, angle = model.predict(poses), model.lifter(poses).angle
    return {"joints3d": (points * METRE).cpu().numpy(), "angle": angle.cpu().numpy()}


def constant_depth(setting: Setting) -> np.ndarray:
    """All joints as far as the root: what a picture says without depth."""
    return (lift(setting.test.poses, torch.zeros_like(setting.test.depth)) * METRE).cpu().numpy()


def mean_depth(setting: Setting) -> np.ndarray:
    """Every joint at its mean depth over the training people, which are labels that no lifter here has."""
    depth = setting.train.depth.mean(0).expand(len(setting.test.poses), -1)
    return (lift(setting.test.poses, depth) * METRE).cpu().numpy()
