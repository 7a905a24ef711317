"""Chapter 2: which picture feeds a body-model regressor best, how good parts must be, which losses and labels it needs.

Every variant sees the same number of pictures in the same order, with the same optimiser and mirroring, from random
weights. Exceptions are named in the row: the RGB trunk, and RGB with stage 1's training time added.
"""

from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import Tensor

from posebook.body import load_body
from posebook.data.body_batches import BodyBatch, BodyBatches
from posebook.data.degrade import degrade
from posebook.data.inputs import channels, network_input
from posebook.errors import PosebookError
from posebook.experiments.bodies import BATCH, Judge, chunks
from posebook.experiments.outcome import (
    Outcome,
    count_gflop,
    count_parameters,
    ms_per_image,
    remember,
    training_memory_mb,
)
from posebook.experiments.segmentation import StageOne, stage_one_key
from posebook.joint_layer import JointLayer
from posebook.models.nbf import NeuralBodyFitting, encode, split_latent
from posebook.models.nbf_losses import LossMix, nbf_loss
from posebook.models.resnet import ResNet
from posebook.profile import Profile
from posebook.rotations import project_to_rotation
from posebook.train import Budget, fit, make_fabric, seed_everything
from posebook.trunk import RESNET, load_trunk

DEMO = LossMix(latent=1.0, joints2d=1.0)  # the released demo's mix


@dataclass(frozen=True)
class Variant:
    """One row to train."""

    row: str  # name in tables
    picture: str  # of posebook.data.inputs.INPUTS
    source: str = "true"  # whose part maps and joints: "true", "predicted" or "weak" (a badly trained stage 1)
    encoding: str = "palette"  # or "one-hot"
    mix: LossMix = DEMO
    labelled: float = 1.0  # share of training pictures with 3D labels; the rest teach by 2D joints
    target: str = "global"  # rotations: in the camera frame, or "relative" to the parent
    degraded: float = 0.0  # dial of the mixed degradation, in training and test
    init: str = "scratch"
    share: float = 1.0  # of the images seen; not 1 only in the row at equal training time
    core: bool = False  # trained by default

    @property
    def oracle(self) -> tuple[str, ...]:
        """True quantities that the row is given at test time."""
        if self.picture == "rgb" or self.source != "true":
            return ()
        return ("2D joints",) if self.picture == "joints" else ("part labels",)


def variants(profile: Profile) -> list[Variant]:
    """All rows of the chapter; those with `core` are trained by default, after stage 1's two folds."""
    twelve = Variant("12 parts", "parts12", core=True)
    rows = [
        Variant("RGB", "rgb", core=True),
        Variant("silhouette", "silhouette", core=True),
        twelve,
        Variant("12 parts, predicted", "parts12", "predicted", core=True),
        Variant("3 parts", "parts3"),
        Variant("6 parts", "parts6"),
        Variant("24 parts", "parts24"),
        Variant("24 joints", "joints"),
        Variant("silhouette, predicted", "silhouette", "predicted"),
        Variant("3 parts, predicted", "parts3", "predicted"),
        Variant("6 parts, predicted", "parts6", "predicted"),
        Variant("24 parts, predicted", "parts24", "predicted"),
        Variant("24 joints, predicted", "joints", "predicted"),
        Variant("12 parts, one-hot", "parts12", encoding="one-hot"),
        Variant("RGB, equal time", "rgb", share=1 + profile.segmentation.equal_time),
        Variant("12 parts, weakly predicted", "parts12", "weak"),
        Variant("12 parts, relative rotations", "parts12", target="relative"),
    ]
    if (profile.fitting.depth, profile.fitting.width) == (RESNET["depth"], RESNET["width"]):  # no paper-size trunk
        rows.append(Variant("RGB, trunk", "rgb", init="trunk"))
    mixes = {"latent": (1, 0, 0), "3D": (0, 1, 0), "2D": (0, 0, 1), "latent + 3D": (1, 1, 0), "3D + 2D": (0, 1, 1)}
    rows += [replace(twelve, row=f"12 parts, {n} loss", mix=LossMix(*w), core=False) for n, w in mixes.items()]
    rows += [replace(twelve, row=f"12 parts, {s:.0%} 3D labels", labelled=s, core=False) for s in (0.2, 0.05, 0.01)]
    rows += [replace(twelve, row=f"12 parts, degraded {a:g}", degraded=a, core=False) for a in (0.25, 0.5, 1.0)]
    return rows


def has_labels(count: int, share: float, seed: int = 0) -> np.ndarray:
    """(count,) bool: which training pictures have 3D labels; a smaller share is a subset of a larger one."""
    return np.random.default_rng(seed).random(count) < share


def mean_latent(train: BodyBatches, target: str, labelled: Tensor | None = None) -> Tensor:
    """(226,) training mean of the numbers that the network predicts offsets from.

    Args:
        train: all training bodies.
        target: kind of rotations.
        labelled: (N,) bool, bodies that count: those with 3D labels.

    Raises:
        PosebookError: no body counts.
    """
    if labelled is not None and not labelled.any():
        raise PosebookError("The mean needs at least one training picture with 3D labels, got none. Raise the share.")
    betas = torch.from_numpy(np.array(train.dataset.arrays["betas"]))
    numbers = encode(betas, torch.from_numpy(train.rotations if target == "global" else train.relative))
    return (numbers if labelled is None else numbers[labelled.cpu()]).mean(0)


def build_model(variant: Variant, profile: Profile, mean: Tensor, layer: JointLayer | None = None) -> NeuralBodyFitting:
    """Network of a variant, with the trunk's weights if it starts from them."""
    f = profile.fitting
    trunk = ResNet(f.depth, f.width, pool=f.pool, strides=f.strides, stride_on=f.stride_on,
                   in_channels=channels(variant.picture, variant.encoding))  # fmt: skip
    if variant.init == "trunk":
        trunk.load_state_dict(load_trunk("resnet", profile).state)
    return NeuralBodyFitting(trunk, layer or JointLayer(load_body()), mean, variant.target)


def picture_of(variant: Variant, batch: BodyBatch) -> Tensor:
    """What a variant's network sees of a batch: (B, C, H, W) in [-1, 1], channels last in memory."""
    drawn = network_input(variant.picture, batch.image, batch.labels, batch.seen, variant.encoding)
    return drawn.contiguous(memory_format=torch.channels_last)


def seen_by(variant: Variant, stages: dict[str, StageOne], train: BodyBatches, test: BodyBatches):
    """Training and test batches with the part maps and joints that a variant is shown."""
    if variant.picture == "rgb" or variant.source == "true":
        return train, test
    stage = stages[variant.source]
    return train.showing(stage.train_labels, stage.train_joints), test.showing(stage.test_labels, stage.test_joints)


@torch.no_grad()
def predict(model: NeuralBodyFitting, variant: Variant, test: BodyBatches, judge: Judge, kind: str = "mixed",
            amount: float | None = None, mesh: bool = True) -> dict[str, np.ndarray]:  # fmt: skip
    """Fit all test pictures.

    Args:
        model: trained. variant: what it sees. test: with the maps to see. judge: of the same test set.
        kind, amount: degradation of the maps it sees; default the variant's own.
        mesh: False leaves out PVE, which takes most of the time.

    Returns:
        joints3d (N, 17, 3) metres, relative to the body's rest place; pve (N,) mm; err_quat (N,) degrees;
        betas (N, 10); pose (N, 24, 3) axis-angle.
    """
    model.eval()
    amount = variant.degraded if amount is None else amount
    generator = torch.Generator(test.device).manual_seed(0)
    parts = []
    for i, batch in enumerate(chunks(test)):
        if amount:
            batch = batch._replace(labels=degrade(batch.labels, kind, amount, generator))
        out = model(picture_of(variant, batch))
        parts.append(judge.score(out.betas, out.rotations, out.relative, i * BATCH, batch, mesh))
    return {name: torch.cat([p[name] for p in parts]).float().cpu().numpy() for name in parts[0]}


def training_loss(variant: Variant, train: BodyBatches, labelled: Tensor):
    """Loss of a variant on rows of its training batches, for `posebook.train.fit`."""

    def loss(net, rows, generator):
        batch = train.augmented(rows, generator)
        if variant.degraded:
            amount = variant.degraded
            batch = batch._replace(labels=degrade(batch.labels, "mixed", amount, generator))
        inner = getattr(net, "module", net)
        offsets = inner.offsets(batch.betas, batch.rotations, batch.relative)
        truth = batch.joints3d, batch.root, batch.K, batch.pixels, train.size
        return nbf_loss(net(picture_of(variant, batch)), offsets, *truth, variant.mix, labelled[rows])

    return loss


def train_variant(variant: Variant, profile: Profile, stages: dict[str, StageOne], train: BodyBatches,
                  test: BodyBatches, judge: Judge, seed: int, device: str) -> Outcome:  # fmt: skip
    """Train one variant and fit the test pictures; from the cache if it was done before.

    Args:
        stages: "predicted" and "weak": stage 1's maps, of the same seed; only what the variant needs.
    """
    f = profile.fitting
    versions = [b.dataset.manifest["data_version"] for b in (train, test)]
    key = {"variant": asdict(variant), "profile": f, "data": versions, "seed": seed, "on": device}
    shares = {"predicted": 1.0, "weak": profile.segmentation.weak_share}
    key |= stage_one_key(profile, shares[variant.source]) if variant.source in shares else {}
    key |= {"trunk": load_trunk("resnet", profile).card["sha256"]} if variant.init == "trunk" else {}

    def make() -> Outcome:
        seed_everything(seed)
        own_train, own_test = seen_by(variant, stages, train, test)
        labelled = torch.from_numpy(has_labels(len(train), variant.labelled)).to(train.device)
        model = build_model(variant, profile, mean_latent(train, variant.target, labelled))
        budget = Budget(round(f.images_seen * variant.share), f.batch, f.learning_rate)
        loss = training_loss(variant, own_train, labelled)
        history = fit(model, loss, len(train), budget, seed, make_fabric(device), variant.row)
        predictions = predict(model, variant, own_test, judge)
        deep = channels(variant.picture, variant.encoding)
        speed = ms_per_image(model, picture_of(variant, own_test.get(slice(0, 32))))
        costs = (count_parameters(model), count_gflop(model, train.size, deep), budget.images_seen, speed)
        return Outcome(variant.row, predictions, history, *costs, model.state_dict(), training_memory_mb(device))

    return remember(key, make, __name__)


def mean_body(train: BodyBatches, test: BodyBatches, judge: Judge) -> dict[str, np.ndarray]:
    """The training mean of the 226 numbers for everyone: what a network says before it has learnt anything."""
    betas, matrices = split_latent(mean_latent(train, "global").unsqueeze(0))
    rotations = project_to_rotation(matrices).to(test.device)
    relative = judge.joints17.layer.to_relative(rotations)
    parts = []
    for i, batch in enumerate(chunks(test)):
        mean = [a.to(test.device).expand(len(batch.root), *a.shape[1:]) for a in (betas, rotations, relative)]
        parts.append(judge.score(*mean, i * BATCH, batch))
    return {name: torch.cat([p[name] for p in parts]).cpu().numpy() for name in parts[0]}
