"""Chapter 4's network for single frames: trained on stills, then frozen; its features are all that video networks see.

It learns from clips of the half "pictures", the video networks from clips of the half "motion": there its features are
as good or as bad as on test clips.
"""

import hashlib
import json
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from posebook.cache import atomic_path, cache_dir
from posebook.cameras import project
from posebook.data.body_batches import BodyBatch, BodyBatches
from posebook.experiments.outcome import (
    Outcome,
    count_gflop,
    count_parameters,
    ms_per_image,
    remember,
    training_memory_mb,
)
from posebook.models.hmr import HMR, BodyOutput
from posebook.models.spin_body import free_spin_body
from posebook.models.temporal_losses import BodyTargets, temporal_losses
from posebook.profile import Profile
from posebook.progress import Progress
from posebook.rotations import matrix_to_axis_angle, matrix_to_rotation_6d, project_to_rotation
from posebook.train import Budget, fit, make_fabric, seed_everything
from posebook.trunk import load_trunk

ROW = "single frames"
CAMERA = (0.9, 0.0, 0.0)  # scale and shift that the regressor starts from, crop coordinates; SPIN's
CHUNK = 64
PELVIS = 8  # of the 49 joints
HMR_SIZES = ("depth", "width", "strides", "regressor_hidden", "hmr_images", "hmr_batch", "hmr_learning_rate", "init")


class Truth(NamedTuple):
    """True bodies as the losses of chapter 4 want them; metres, camera frame."""

    kp_2d: Tensor  # (B, 49, 3) x and y of the crop, -1..1, and confidence
    kp_3d: Tensor  # (B, 49, 3) relative to the pelvis
    theta: Tensor  # (B, 85) camera (zeros), axis-angle, betas

    def targets(self, with_3d: Tensor | slice = slice(None)) -> BodyTargets:
        """Targets of windows (N, T, ...), or of those of them that have 3D labels."""
        points, joints, theta = (field[with_3d] for field in self)
        all_frames = torch.ones_like(theta[..., 0])
        return BodyTargets(points, joints, theta, all_frames, all_frames)


class Frames(NamedTuple):
    """What the network says of every picture of a dataset."""

    features: np.ndarray  # (N, F)
    rotations: np.ndarray  # (N, 24, 3, 3) relative to the parent
    betas: np.ndarray  # (N, 10)


def truth_of(batch: BodyBatch, joints: torch.nn.Module, size: int) -> Truth:
    """Targets of a batch: 49 joints of the true body, and where they are seen in a crop of `size` pixels.

    Args:
        joints: (betas, relative rotations) -> (None, (B, 49, 3)), see `spin_body`.
    """
    _, found = joints(batch.betas, batch.relative)
    rooted = found - found[:, PELVIS : PELVIS + 1]
    pixels = project(rooted + batch.root.unsqueeze(1), batch.K)
    seen = torch.cat((pixels * (2 / size) - 1, torch.ones_like(pixels[..., :1])), -1)
    pose = matrix_to_axis_angle(batch.relative).flatten(1)
    return Truth(seen, rooted, torch.cat((pose.new_zeros(len(pose), 3), pose, batch.betas), 1))


def mean_start(bodies: BodyBatches, rows: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """Mean pose (144,), betas (10,) and camera (3,) of training rows: what the regressor starts from."""
    rotations = project_to_rotation(torch.from_numpy(bodies.relative[rows]).mean(0))  # (24, 3, 3)
    betas = torch.from_numpy(np.array(bodies.dataset.arrays["betas"][rows])).mean(0)
    return matrix_to_rotation_6d(rotations).flatten(), betas, torch.tensor(CAMERA)


def build_hmr(profile: Profile, start: tuple[Tensor, Tensor, Tensor]) -> HMR:
    """The network of a profile; its body answers with joints only."""
    t = profile.temporal
    trunk = {"depth": t.depth, "width": t.width, "strides": t.strides}
    return HMR(free_spin_body("full", vertices=False), *start, trunk=trunk, hidden=t.regressor_hidden)


def start_state(model: HMR, profile: Profile) -> None:
    """Load the pretrained trunk if the profile says so."""
    if profile.temporal.init == "trunk":
        own, state = model.state_dict(), load_trunk("resnet", profile).state
        model.load_state_dict({k: v for k, v in state.items() if k in own}, strict=False)


def train_hmr(profile: Profile, bodies: BodyBatches, rows: np.ndarray, seed: int, device: str) -> Outcome:
    """Train on some rows of the stills; from the cache if it was done before.

    Args:
        bodies: the training stills. rows: those of the half "pictures".

    Returns:
        Outcome without predictions: `frames` asks it about any dataset.
    """
    t = profile.temporal
    sizes = {name: getattr(t, name) for name in HMR_SIZES}
    key = {"network": "hmr", "sizes": sizes, "data": bodies.dataset.manifest["data_version"], "seed": seed,
           "rows": hashlib.sha256(rows.tobytes()).hexdigest()[:12], "on": device}  # fmt: skip
    key |= {"trunk": load_trunk("resnet", profile).card["sha256"]} if t.init == "trunk" else {}

    def make() -> Outcome:
        seed_everything(seed)
        model = build_hmr(profile, mean_start(bodies, rows))
        start_state(model, profile)
        joints = free_spin_body("full", vertices=False).to(bodies.device)
        budget = Budget(t.hmr_images, t.hmr_batch, t.hmr_learning_rate)

        def loss(net, picked, generator):
            batch = bodies.augmented(np.sort(rows[picked]), generator)
            truth = Truth(*(field.unsqueeze(1) for field in truth_of(batch, joints, bodies.size)))  # windows of 1
            return temporal_losses(net(batch.image).unflatten((len(picked), 1)), truth.targets()).total

        history = fit(model, loss, len(rows), budget, seed, make_fabric(device), ROW)
        image = bodies.get(slice(0, 32)).image
        costs = count_parameters(model), count_gflop(model, bodies.size), budget.images_seen
        return Outcome(ROW, {}, history, *costs, ms_per_image(model, image), model.state_dict(),
                       training_memory_mb(device))  # fmt: skip

    return remember(key, make, __name__)


def digest(*values: Tensor) -> str:
    """Hash of tensors."""
    return hashlib.sha256(b"".join(v.cpu().contiguous().numpy().tobytes() for v in values)).hexdigest()[:16]


def weights_digest(state: dict[str, Tensor]) -> str:
    """Hash of a network's weights, whatever their order: a file gives them back in another one."""
    return digest(*(state[name] for name in sorted(state)))


@torch.no_grad()
def frames(outcome: Outcome, model: HMR, bodies: BodyBatches) -> Frames:
    """Features and bodies of every picture of a dataset; computed once, kept in the cache.

    Args:
        outcome: its weights name the cache's entry. model: with these weights, in eval mode, on the pictures' device.
    """
    entry = json.dumps([weights_digest(outcome.state), bodies.dataset.manifest["data_version"]])
    path = cache_dir("features") / f"{hashlib.sha256(entry.encode()).hexdigest()[:24]}.npz"
    if not path.exists():
        bar, parts = Progress(len(bodies), "Features", "images"), []
        for start in range(0, len(bodies), CHUNK):
            parts.append(look(model, bodies.get(slice(start, start + CHUNK)).image))
            bar.update(len(parts[-1].features))
        bar.close()
        with atomic_path(path) as temporary, open(temporary, "wb") as stream:
            np.savez(stream, **{name: np.concatenate([getattr(p, name) for p in parts]) for name in Frames._fields})
    with np.load(path, allow_pickle=False) as arrays:
        return Frames(**{name: arrays[name] for name in Frames._fields})


def look(model: HMR, image: Tensor) -> Frames:
    """Features and bodies of a batch (B, 3, H, W) in [0, 1]."""
    features = model.feature_extractor(image)
    found: BodyOutput = model.regress(features)
    return Frames(*(a.cpu().numpy() for a in (features, found.rotmat, found.theta[:, 75:])))
