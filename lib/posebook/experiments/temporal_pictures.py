"""Chapter 4, features frozen or not: VIBE trained on from pictures, its feature network with it or left alone.

VIBE freezes its features and says that training all together might be better. At this size one can try: two copies of
one trained network go on for the same windows, in the same order; one of them may change its feature network too.
"""

import copy
from dataclasses import asdict

import torch
from torch import Tensor, nn

from posebook.data.body_batches import BodyBatches
from posebook.experiments.bodies import Judge, chunks
from posebook.experiments.hmr import digest, weights_digest
from posebook.experiments.outcome import (
    Outcome,
    count_gflop,
    count_parameters,
    ms_per_image,
    remember,
    training_memory_mb,
)
from posebook.experiments.temporal import ClipData, Variant, WindowLoss, predict, score, trained_model
from posebook.models.hmr import HMR, BodyOutput
from posebook.models.vibe import VIBE
from posebook.profile import Profile
from posebook.train import Budget, fit, make_fabric, seed_everything

START = "VIBE, no motion prior"  # whose weights both rows start from
FROZEN, TOGETHER = f"{START}, trained on", f"{START}, trained on with its features"
SLOWER = 0.2  # of the chapter's learning rate: the network is trained already
WINDOWS = 8  # a batch; each is 16 pictures


class PictureVIBE(nn.Module):
    """Windows of pictures to bodies. Its feature network keeps the batch statistics that it was trained with.

    Args:
        hmr: gives the features. vibe: reads them. frozen: the feature network learns nothing.
    """

    def __init__(self, hmr: HMR, vibe: VIBE, frozen: bool):
        super().__init__()
        self.hmr, self.vibe = hmr.requires_grad_(False), vibe
        if not frozen:
            for name, part in hmr.named_children():
                part.requires_grad_(name.startswith(("conv", "bn", "layer")))  # its own regressor is not used

    def train(self, mode: bool = True) -> "PictureVIBE":
        """As any module's, but for the batch statistics: 16 pictures of one window are not a fair sample."""
        super().train(mode)
        self.hmr.eval()
        return self

    def forward(self, images: Tensor) -> BodyOutput:
        """(N, T, 3, H, W) in [0, 1] -> BodyOutput with leading dimensions (N, T)."""
        features = self.hmr.feature_extractor(images.flatten(0, 1)).unflatten(0, tuple(images.shape[:2]))
        return self.vibe(features)


class PictureLoss(WindowLoss):
    """As WindowLoss, from pictures.

    Args:
        bodies: the data set that `data` was made of.
    """

    def __init__(self, variant: Variant, data: ClipData, bodies: BodyBatches):
        super().__init__(variant, data, None)
        self.bodies = bodies

    def answer(self, net: nn.Module, frames: Tensor) -> tuple[BodyOutput, Tensor]:
        """Bodies of windows (N, T), and the rows that they are compared with."""
        images = self.bodies.get(frames.flatten().cpu().numpy()).image
        return net(images.unflatten(0, tuple(frames.shape))), frames


def train_on(frozen: bool, profile: Profile, hmr: Outcome, network: HMR, start: Outcome, train: ClipData,
             pictures: BodyBatches, bodies: BodyBatches, judge: Judge, seed: int, device: str) -> Outcome:  # fmt: skip
    """Train VIBE on from pictures and score the test sequences; from the cache if it was done before.

    Args:
        frozen: the feature network stays as it is. hmr, network: its weights, and a network with them, which stays
            untouched. start: the outcome of the variant START. train, pictures: windows of a set, and the set itself.
        bodies, judge: of the test set.
    """
    t, row = profile.temporal, FROZEN if frozen else TOGETHER
    key = {"row": row, "sizes": asdict(t), "seed": seed, "on": device, "test": bodies.dataset.manifest["data_version"],
           "data": digest(train.features, train.windows), "start": weights_digest(start.state)}  # fmt: skip

    def make() -> Outcome:
        seed_everything(seed)
        variant = Variant(START)
        own = copy.deepcopy(network)
        model = PictureVIBE(own, trained_model(variant, profile, hmr.state, start), frozen)
        budget = Budget(t.windows_from_pictures, WINDOWS, t.learning_rate * SLOWER)
        history = fit(model, PictureLoss(variant, train, pictures), len(train.windows), budget, seed,
                      make_fabric(device), row)  # fmt: skip
        features = look_again(own, bodies)
        found = predict(model.vibe, variant, features, bodies.dataset.texts["sequence"], t.window)
        image = bodies.get(slice(0, t.window)).image
        speed = ms_per_image(lambda pictures: model(pictures.unsqueeze(0)), image)
        gflop = count_gflop(own, bodies.size)
        return Outcome(row, score(found.rotmat, found.theta[:, 75:], bodies, judge), history, count_parameters(model),
                       gflop, budget.images_seen, speed, model.state_dict(), training_memory_mb(device))  # fmt: skip

    return remember(key, make, __name__)


@torch.no_grad()
def look_again(network: HMR, bodies: BodyBatches) -> Tensor:
    """(N, F) features of every picture of a data set, on its device; the network is in eval mode."""
    return torch.cat([network.feature_extractor(batch.image) for batch in chunks(bodies)])
