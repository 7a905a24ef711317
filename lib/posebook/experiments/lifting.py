"""Chapter 5: depth without labels. The prior of 2D poses, and lifters from true 2D (ElePose's stage).

No network starts from another chapter's: the method's claim is that it needs no labels.
"""

from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn

from posebook.experiments.lifting_sets import Setting
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
from posebook.train import Budget, fit, make_fabric, seed_everything

LOOKS_DOWN = 10.0  # degrees; what a lifter that knows its cameras hang above starts from
TERMS = ("two_d", "three_d", "deformation", "flow", "bones", "base")


@dataclass(frozen=True)
class Variant:
    """One lifter to train."""

    row: str  # name in tables
    without: str = ""  # loss term left out, one of TERMS
    elevation: str = "learned"  # or "fixed"
    whiten: bool = True  # the flow sees whitened coefficients
    prior_share: float = 1.0  # of the bag that the prior is fitted to
    camera: str = "above"  # cameras look down on the whole, as is known without labels; "" knows nothing
    supervised: bool = False  # true depths in place of all losses
    core: bool = False  # trained by default


def variants() -> list[Variant]:
    """Lifters of the chapter's own motion; those with `core` are trained by default."""
    rows = [
        Variant("lifter", core=True),
        Variant("lifter, supervised twin", supervised=True, core=True),
        Variant("lifter, without flow", without="flow"),
        Variant("lifter, fixed elevation", elevation="fixed"),
        Variant("lifter, camera not known", camera=""),
    ]
    rows += [Variant(f"lifter, without {name}", without=name) for name in TERMS if name != "flow"]
    return [
        *rows,
        Variant("lifter, flow not whitened", whiten=False),
        Variant("lifter, a tenth of the prior", prior_share=0.1),
    ]


def hand_variants() -> list[Variant]:
    """Lifters of hands, which are turned any way: no camera is above."""
    return [Variant("hand, lifter", camera=""), Variant("hand, supervised twin", camera="", supervised=True)]


def tell_camera(lifter: Lifter, camera: str) -> None:
    """Start the angle head at cameras that look down, or leave it as it is.

    Near and far exchanged, up and down of the camera exchanged: to a far camera both worlds look the same, and without
    a hint the first steps' luck decides between them. One number settles it; the head is free to leave it.
    """
    if camera == "above":
        nn.init.constant_(lifter.angles.bias, -np.radians(LOOKS_DOWN))


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
    tell_camera(lifter, variant.camera)
    return LiftingModel(lifter, prior, weights, Readings(elevation=variant.elevation))


def train_variant(variant: Variant, profile: Profile, setting: Setting, seed: int, device: str) -> Outcome:
    """Train one lifter on true 2D poses and lift the test poses; from the cache if it was done before."""
    p = profile.lifting
    sizes = {name: value for name, value in asdict(p).items() if not name.startswith("image")}
    key = {"variant": asdict(variant), "sizes": sizes, "data": setting.versions, "seed": seed, "on": device,
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
        history = fit(model, loss, len(poses), budget, seed, make_fabric(device), variant.row,
                      checkpoint_path(key, __name__))  # fmt: skip
        few = setting.test.poses[:32]
        costs = count_parameters(model.lifter), gflop_of(lambda: model.predict(few[:1])), budget.images_seen
        return Outcome(variant.row, predict(model, setting.test.poses, setting.metres), history, *costs,
                       ms_per_image(model.predict, few), model.state_dict(), training_memory_mb(device))  # fmt: skip

    return remember(key, make, __name__)


@torch.no_grad()
def predict(model: LiftingModel, poses: Tensor, metres: float) -> dict[str, np.ndarray]:
    """joints3d (N, J, 3) in about metres, root at 0; angle (N,) radians, the lifter's elevation."""
    model.eval()
    points, angle = model.predict(poses), model.lifter(poses).angle
    return {"joints3d": (points * metres).cpu().numpy(), "angle": angle.cpu().numpy()}
