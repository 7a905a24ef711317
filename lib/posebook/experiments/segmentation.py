"""Chapter 2, stage 1: body parts (and joints) from RGB, in two folds.

Stage 2 never learns from maps of pictures that stage 1 was trained on: fold 0 learns from one half of the training
pictures, fold 1 from the other, and each segments the half that it has not seen. Rendered pictures have nothing to do
with their neighbours: fold 0's are those with even numbers. Pictures of a real dataset next to each other show the same
person a moment apart, so its folds have nobody and no scene in common. Fold 0 also segments the test pictures, so that
their maps are as good as those that stage 2 has learnt from.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from posebook.body import part_groups
from posebook.data import groups
from posebook.data.body_batches import PARTS, BodyBatches
from posebook.data.dataset import Dataset
from posebook.experiments.outcome import (
    Outcome,
    count_gflop,
    count_parameters,
    ms_per_image,
    remember,
    training_memory_mb,
)
from posebook.metrics import confusion_matrix, part_scores
from posebook.models.decode import softmax_cells
from posebook.models.refinenet import Segmenter, normalise, upsample_logits
from posebook.pixels import grid_to_pixels
from posebook.profile import Profile
from posebook.sources import MOTIONS
from posebook.train import Budget, fit, make_fabric, seed_everything
from posebook.trunk import heat_loss

NBF_PARTS = 12  # the paper's granularity: labels are the most likely ones at this level first
JOINTS = 24
FOLDS = (0, 1)
SALT = "posebook-fold-1"
HEAT_WEIGHT = 0.25  # of the joints' loss: parts are what stage 1 is for, joints a second input to compare with


class StageOne(NamedTuple):
    """What both folds say of pictures they were not trained on."""

    train_labels: np.ndarray  # (N, H, W) uint8, 24-part labels
    train_joints: np.ndarray  # (N, 24, 2) crop pixels
    test_labels: np.ndarray  # (M, H, W) uint8
    test_joints: np.ndarray  # (M, 24, 2)
    outcomes: tuple[Outcome, Outcome]  # trainings of the folds: costs, histories, weights

    @property
    def minutes(self) -> float:
        """Training of both folds."""
        return sum(o.history.minutes for o in self.outcomes)


def build_segmenter(profile: Profile) -> Segmenter:
    """Stage 1 of a profile: 24 parts and background, and heat maps of 24 joints."""
    s = profile.segmentation
    return Segmenter(classes=PARTS + 1, depth=s.depth, width=s.width, widths=s.decoder, pool=s.pool,
                     stride_on=s.stride_on, heat_maps=JOINTS)  # fmt: skip


def likeliest_labels(logits: Tensor, parts: int = NBF_PARTS) -> Tensor:
    """24-part labels that are the most likely ones at a coarser level first: the group, then the part within it.

    Args:
        logits: (B, 25, H, W).
        parts: level at which the choice must be the most likely one.

    Returns:
        (B, H, W) uint8; `part_groups(parts)[labels]` is the arg-max of the groups' summed probabilities.
    """
    groups = torch.from_numpy(part_groups(parts)).to(logits.device)  # (25,)
    member = F.one_hot(groups).to(logits.dtype)  # (25, parts + 1)
    probability = logits.softmax(1)
    best = torch.einsum("bchw,cg->bghw", probability, member).argmax(1)  # (B, H, W)
    inside = member[:, best].permute(1, 0, 2, 3)  # (B, 25, H, W): is the class in the best group
    return (probability * inside).argmax(1).to(torch.uint8)


def stage_one_loss(segmenter: Segmenter, batch, size: int) -> Tensor:
    """Cross-entropy of part labels at the picture's size, plus that of the joints' heat maps."""
    found = segmenter(normalise(batch.image))
    parts = F.cross_entropy(upsample_logits(found.logits, size), batch.parts.long())
    return parts + HEAT_WEIGHT * heat_loss(found.heat.unsqueeze(2), batch.pixels, size)


@torch.no_grad()
def segment(segmenter: Segmenter, batches: BodyBatches, rows: np.ndarray, batch_size: int = 32):
    """Labels (N, H, W) uint8 and joints (N, 24, 2) of some rows, in their order."""
    segmenter.eval()
    labels, joints = [], []
    for start in range(0, len(rows), batch_size):
        found = segmenter(normalise(batches.get(rows[start : start + batch_size]).image))
        labels.append(likeliest_labels(upsample_logits(found.logits, batches.size)).cpu())
        cells = softmax_cells(found.heat.unsqueeze(2), radius=(2, 2, 0))[..., :2]
        joints.append(grid_to_pixels(cells, found.heat.shape[-1], batches.size).float().cpu())
    return torch.cat(labels).numpy(), torch.cat(joints).numpy()


def folds_of(dataset: Dataset) -> np.ndarray:
    """(N,) which fold learns from each picture, one of FOLDS; both have some if there are two pictures at least.

    Of a real dataset with one person only its clips are cut, of one with a single clip its first and second half.
    """
    rows, texts = np.arange(len(dataset)), dataset.texts
    if dataset.manifest["motion_name"] in MOTIONS:
        return rows % len(FOLDS)
    for names in (groups_of(texts), np.asarray(texts["clip"][:])):
        order = groups.shuffled(names, SALT)
        if len(order) > 1:
            return 1 - np.isin(names, order[::2])  # every second one in the order of the hashes
    return rows * len(FOLDS) // len(rows)


def groups_of(texts: Mapping[str, np.ndarray]) -> np.ndarray:
    """(N,) str: name of every row's group, which shares no person and no clip with the others.

    Args:
        texts: subject, clip: (N,) of a dataset; an empty subject is nobody known.
    """
    subject, clip = (np.asarray(texts[name][:]) for name in ("subject", "clip"))
    return groups.groups_of(np.where(subject == "", clip, subject), clip)


def stage_one_key(profile: Profile, share: float) -> dict:
    """What maps depend on of a profile; budgets of other rows, which stand in the same place, do not count."""
    sizes = asdict(profile.segmentation)
    return {"stage 1": {k: v for k, v in sizes.items() if k not in ("weak_share", "equal_time")} | {"share": share}}


def train_fold(fold: int, profile: Profile, train: BodyBatches, test: BodyBatches, seed: int, device: str,
               share: float = 1.0) -> Outcome:  # fmt: skip
    """Train one fold on its half of `folds_of` and segment the other half, and the test pictures with fold 0."""
    s = profile.segmentation
    versions = [b.dataset.manifest["data_version"] for b in (train, test)]
    key = {"stage": 1, "fold": fold, "data": versions, "seed": seed, "on": device} | stage_one_key(profile, share)

    def make() -> Outcome:
        seed_everything(seed * len(FOLDS) + fold)
        segmenter = build_segmenter(profile)
        own, others = (np.flatnonzero(folds_of(train.dataset) == number) for number in (fold, 1 - fold))
        budget = Budget(round(s.images_seen * share), s.batch, s.learning_rate)

        def loss(net, rows, generator):
            return stage_one_loss(net, train.augmented(own[rows], generator), train.size)

        name = f"stage 1, fold {fold}" + ("" if share == 1 else f", {share:g} of the budget")
        history = fit(segmenter, loss, len(own), budget, seed, make_fabric(device), name)
        found = dict(zip(("train_labels", "train_joints"), segment(segmenter, train, others), strict=True))
        if fold == 0:
            on_test = segment(segmenter, test, np.arange(len(test)))
            found |= dict(zip(("test_labels", "test_joints"), on_test, strict=True))
        speed = ms_per_image(segmenter, normalise(test.get(slice(0, 32)).image))
        costs = (count_parameters(segmenter), count_gflop(segmenter, train.size), budget.images_seen, speed)
        return Outcome(name, found, history, *costs, segmenter.state_dict(), training_memory_mb(device))

    return remember(key, make, __name__)


def train_stage_one(profile: Profile, train: BodyBatches, test: BodyBatches, seed: int, device: str,
                    share: float = 1.0) -> StageOne:  # fmt: skip
    """Both folds; from the cache where they were trained before.

    Args:
        share: of the profile's images seen; under 1 makes a worse segmentation on purpose.
    """
    first, second = (train_fold(fold, profile, train, test, seed, device, share) for fold in FOLDS)
    folds = folds_of(train.dataset)
    labels = np.empty(train.dataset.arrays["parts"].shape, np.uint8)
    joints = np.empty(train.dataset.arrays["joints2d"].shape, np.float32)
    for fold, outcome in zip(FOLDS, (first, second), strict=True):
        labels[folds != fold] = outcome.predictions["train_labels"]
        joints[folds != fold] = outcome.predictions["train_joints"]
    test_maps = first.predictions["test_labels"], first.predictions["test_joints"]
    return StageOne(labels, joints, *test_maps, (first, second))


def map_scores(labels, truth, parts: int = NBF_PARTS):
    """`PartScores` of 24-part label maps (N, H, W) at a coarser level, all pictures counted together."""
    groups = part_groups(parts)
    return part_scores(confusion_matrix(groups[np.asarray(labels)], groups[np.asarray(truth)], parts + 1))
