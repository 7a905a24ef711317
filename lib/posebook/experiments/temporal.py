"""Chapter 4: what frames before and after add, how smooth the answer is, and which part of a temporal network does it.

All variants see the same features of the same windows in the same order, start from the same regressor, that of the
single-frame network, and train as long. Part of the sequences teach by 2D joints alone, as in the papers.
"""

from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from posebook.data.body_batches import BodyBatches
from posebook.data.windows import windows
from posebook.experiments.bodies import Judge, chunks
from posebook.experiments.hmr import Frames, Truth, digest, truth_of, weights_digest
from posebook.experiments.motion_prior import MotionPrior, MotionWindows
from posebook.experiments.outcome import Outcome, count_parameters, gflop_of, ms_per_image, remember, training_memory_mb
from posebook.joint_layer import JointLayer
from posebook.models.hmr import BodyOutput, Regressor
from posebook.models.motion_discriminator import MotionDiscriminator
from posebook.models.spin_body import free_spin_body
from posebook.models.tcmr import TCMR
from posebook.models.tcmr_clip import tcmr_clip
from posebook.models.temporal_losses import frame_of, temporal_losses
from posebook.models.vibe import VIBE, vibe_clip
from posebook.profile import Profile
from posebook.sequences import sequence_ranges
from posebook.train import Budget, fit, make_fabric, seed_everything

UNUSED = ("hmr_images", "hmr_batch", "hmr_learning_rate", "init", "depth", "width", "strides")  # told by hmr's weights
CRITIC = "critic."  # names of the discriminator's weights beside the network's
HEADS = ("fc1", "fc2", "decpose", "decshape", "deccam", "init_pose", "init_shape", "init_cam")  # of the regressor


@dataclass(frozen=True)
class Variant:
    """One row to train."""

    row: str  # name in tables
    form: str = "vibe"  # or "tcmr"
    prior: str = ""  # pooling of the motion discriminator; "" trains without one
    residual: bool = True  # the frame's own feature is added to the encoder's answer
    bidirectional: bool = False
    forecast: bool = True  # TCMR's two extra GRUs
    only_3d: bool = False  # sequences without 3D labels are left out of the batch
    halves: bool = False  # windows half as long, twice as many of them
    core: bool = False  # trained by default


class ClipData(NamedTuple):
    """Sequences as temporal networks learn from them."""

    features: Tensor  # (N, F)
    truth: Truth  # (N, ...)
    windows: Tensor  # (W, T) rows
    only_2d: Tensor  # (W,) bool: these windows have no 3D labels

    def halved(self) -> "ClipData":
        """The same frames in windows half as long."""
        first, second = self.windows.chunk(2, 1)
        return self._replace(windows=torch.cat((first, second)), only_2d=self.only_2d.repeat(2))


def variants() -> list[Variant]:
    """All rows of the chapter; those with `core` are trained by default."""
    return [
        Variant("VIBE", prior="attention", core=True),
        Variant("VIBE, no motion prior"),
        Variant("TCMR", "tcmr", residual=False, core=True),
        Variant("VIBE, concat pooling", prior="concat"),
        Variant("VIBE, last pooling", prior="last"),
        Variant("VIBE, no residual", prior="attention", residual=False),
        Variant("VIBE, both directions", prior="attention", bidirectional=True),
        Variant("VIBE, 3D windows only", prior="attention", only_3d=True),
        Variant("VIBE, windows half as long", prior="attention", halves=True),
        Variant("TCMR, residual", "tcmr", residual=True),
        Variant("TCMR, no forecast", "tcmr", residual=False, forecast=False),
    ]


def clip_data(frames: Frames, bodies: BodyBatches, length: int, stride: int, only_2d: float = 0.0) -> ClipData:
    """Features, targets and windows of a dataset of sequences.

    Args:
        frames: of the single-frame network. bodies: the same dataset. length, stride: of the windows, frames.
        only_2d: share of the sequences, the first ones, whose 3D labels are not used.
    """
    joints = free_spin_body("full", vertices=False).to(bodies.device)
    with torch.no_grad():
        parts = [truth_of(batch, joints, bodies.size) for batch in chunks(bodies)]
    truth = Truth(*(torch.cat(field) for field in zip(*parts, strict=True)))
    names = bodies.dataset.texts["sequence"]
    first = windows(names, length, stride)[:, 0]  # (W,)
    rows = torch.from_numpy(first[:, None] + np.arange(length)).to(bodies.device)
    order = {name: i for i, name in enumerate(dict.fromkeys(names))}
    without = torch.tensor([order[names[i]] < only_2d * len(order) for i in first], device=bodies.device)
    return ClipData(torch.from_numpy(frames.features).to(bodies.device), truth, rows, without)


def build_model(variant: Variant, profile: Profile, hmr_state: dict[str, Tensor]) -> nn.Module:
    """Network of a variant; its regressor is the single-frame network's."""
    t = profile.temporal
    heads = {k: v for k, v in hmr_state.items() if k.split(".")[0] in HEADS}
    means = (heads["init_pose"][0], heads["init_shape"][0], heads["init_cam"][0])
    features = heads["fc1.weight"].shape[1] - sum(len(mean) for mean in means)
    regressor = Regressor(free_spin_body("full", vertices=False), *means, features=features, hidden=t.regressor_hidden)
    regressor.load_state_dict(heads)
    if variant.form == "tcmr":
        return TCMR(regressor, hidden=t.hidden, window=t.window, attention_size=t.attention_size,
                    pose_forecast=variant.forecast, residual=variant.residual)  # fmt: skip
    return VIBE(regressor, t.hidden, bidirectional=variant.bidirectional, use_residual=variant.residual)


def trained_model(variant: Variant, profile: Profile, hmr_state: dict[str, Tensor], outcome: Outcome) -> nn.Module:
    """Network of a variant with its trained weights, in eval mode."""
    model = build_model(variant, profile, hmr_state).eval()
    model.load_state_dict({k: v for k, v in outcome.state.items() if not k.startswith(CRITIC)})
    return model


def trained_critic(variant: Variant, profile: Profile, outcome: Outcome) -> MotionDiscriminator:
    """The motion discriminator that taught a variant, in eval mode."""
    size = profile.temporal.discriminator_hidden
    critic = MotionDiscriminator(variant.prior, size, size).eval()
    critic.load_state_dict({k.removeprefix(CRITIC): v for k, v in outcome.state.items() if k.startswith(CRITIC)})
    return critic


class WindowLoss:
    """Training loss of a variant over windows; keeps the motion prior beside the network.

    Args:
        variant, data: what is trained, on what. prior: None without a discriminator.
    """

    def __init__(self, variant: Variant, data: ClipData, prior: MotionPrior | None):
        self.variant, self.data, self.prior = variant, data, prior

    def __call__(self, net: nn.Module, rows: np.ndarray, generator: torch.Generator) -> Tensor:
        """(network, window numbers, generator) -> scalar."""
        d, picked = self.data, torch.from_numpy(rows).to(self.data.windows.device)
        picked = torch.cat((picked[d.only_2d[picked]], picked[~d.only_2d[picked]]))  # 2D windows first
        if self.variant.only_3d:
            picked = picked[~d.only_2d[picked]]
        if not len(picked):
            return d.features.new_zeros((), requires_grad=True)
        found, frames = self.answer(net, d.windows[picked])
        truth = Truth(*(field[frames] for field in d.truth))
        taught = ~d.only_2d[picked]  # (N,) with 3D labels
        scores = None if self.prior is None else self.prior.scores(found.theta, generator)
        return temporal_losses(found, truth.targets(taught), truth.kp_2d[~taught], scores).total

    def answer(self, net: nn.Module, frames: Tensor) -> tuple[BodyOutput, Tensor]:
        """Bodies of windows, and the rows (N, T or 3) that they are compared with."""
        found = net(self.data.features[frames])
        if self.variant.form == "vibe":
            return found, frames
        return found.body, frame_of(frames, frames.shape[1] // 2, found.body.theta.shape[1])


@torch.no_grad()
def predict(net: nn.Module, variant: Variant, features: Tensor, sequence: np.ndarray, window: int | None,
            repeat_ends: bool = True) -> BodyOutput:  # fmt: skip
    """Every frame of every sequence: VIBE in windows side by side, TCMR in one window for every frame.

    Args:
        features: (N, F). sequence: (N,) names. window: VIBE's, frames; None takes each sequence as one.
        repeat_ends: TCMR's windows reach over the ends of a sequence by its first and last frame again and again; False
            as the official evaluation does: there they hold the predicted frame alone, 15 of 32 frames here.
    """
    net.eval()
    parts = []
    for first, stop in sequence_ranges(sequence):
        clip = features[first:stop]
        if variant.form == "vibe":
            parts.append(vibe_clip(net, clip, window))
            continue
        parts.append(tcmr_clip(net, clip, repeat_ends=repeat_ends).body)
    return BodyOutput(*(None if field[0] is None else torch.cat(field) for field in zip(*parts, strict=True)))


@torch.no_grad()
def score(rotations: Tensor, betas: Tensor, bodies: BodyBatches, judge: Judge,
          mesh: bool = True) -> dict[str, np.ndarray]:  # fmt: skip
    """What `Judge` says of bodies (N, 24, 3, 3) relative rotations and (N, 10), in the order of a dataset's rows."""
    layer = JointLayer(judge.body).to(bodies.device)
    parts, start = [], 0
    for batch in chunks(bodies):
        own = slice(start, start + len(batch.betas))
        relative = rotations[own].to(bodies.device)
        parts.append(judge.score(betas[own].to(bodies.device), layer.to_global(relative), relative, start, batch, mesh))
        start = own.stop
    return {name: torch.cat([p[name] for p in parts]).float().cpu().numpy() for name in parts[0]}


def train_variant(variant: Variant, profile: Profile, motion: str, hmr: Outcome, train: ClipData, test: ClipData,
                  bodies: BodyBatches, judge: Judge, seed: int, device: str) -> Outcome:  # fmt: skip
    """Train one variant and score the test sequences; from the cache if it was done before.

    Args:
        motion: source of the motion prior. hmr: the single-frame network. train, test: see `clip_data`.
        bodies: of the test set.
    """
    t = profile.temporal
    sizes = {name: value for name, value in asdict(t).items() if name not in UNUSED}
    learnt_from = [digest(train.features, train.windows), digest(test.features), weights_digest(hmr.state)]
    key = {"variant": asdict(variant), "sizes": sizes, "motion": motion, "seed": seed, "on": device,
           "data": [bodies.dataset.manifest["data_version"], *learnt_from]}  # fmt: skip

    def make() -> Outcome:
        seed_everything(seed)
        model = build_model(variant, profile, hmr.state)
        data, times = (train.halved(), 2) if variant.halves else (train, 1)
        window = t.window // times
        prior = None
        if variant.prior:
            windows_of = MotionWindows(motion, window, train.features.device)
            prior = MotionPrior(variant.prior, t.discriminator_hidden, windows_of, t.discriminator_rate)
        budget = Budget(t.windows_seen * times, t.batch * times, t.learning_rate)
        loss = WindowLoss(variant, data, prior)
        also = () if prior is None else (prior,)
        history = fit(model, loss, len(data.windows), budget, seed, make_fabric(device), variant.row, also=also)
        found = predict(model, variant, test.features, bodies.dataset.texts["sequence"], window)
        predictions = score(found.rotmat, found.theta[:, 75:], bodies, judge)
        critic = {} if prior is None else {CRITIC + k: v for k, v in prior.network.state_dict().items()}
        return Outcome(variant.row, predictions, history, *costs(model, variant, test, budget),
                       model.state_dict() | critic, training_memory_mb(device))  # fmt: skip

    return remember(key, make, __name__)


@torch.no_grad()
def costs(model: nn.Module, variant: Variant, test: ClipData, budget: Budget) -> tuple[int, float, int, float]:
    """Trainable numbers, GFLOP a frame, windows seen, milliseconds a frame, all from features to joints."""
    clip = test.features[test.windows[0]]
    names = np.zeros(len(clip))
    gflop = gflop_of(lambda: predict(model, variant, clip, names, len(clip))) / len(clip)
    if variant.form == "vibe":  # torch does not count its own GRU; TCMR's clips go through ours
        gflop += 2e-9 * sum(p.numel() for name, p in model.encoder.gru.named_parameters() if "weight" in name)
    speed = ms_per_image(lambda features: predict(model, variant, features, names, len(clip)), clip)
    return count_parameters(model), gflop, budget.images_seen, speed
