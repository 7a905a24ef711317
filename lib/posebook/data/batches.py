"""Batches of tensors for training and prediction, with the two augmentations that all variants share.

Mirroring is exact for a crop: u -> W - u, left and right joints swapped, relative depth unchanged.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from posebook.data.dataset import Dataset, need
from posebook.joints import HAND21, JointSet, joint_set
from posebook.ranks import rand_rows

FIELDS = {"h36m17": ("joints2d_h36m17", "joints3d_h36m17"), "smpl24": ("joints2d", "joints3d"),
          "hand21": ("joints2d", "joints3d")}  # fmt: skip


class Batch(NamedTuple):
    """Images with their joints."""

    image: Tensor  # (B, 3, H, W) float in [0, 1], channels last in memory
    pixels: Tensor  # (B, J, 2) crop pixels
    relative_depth: Tensor  # (B, J) metres, relative to the root
    joints3d: Tensor  # (B, J, 3) metres, camera frame (not mirrored: with augmentation use the two fields above)


class Batches:
    """Rows of a dataset as batches on a device.

    Args:
        dataset: any dataset in the sample schema.
        device: where the tensors go.
        joints: name of the joint set, "h36m17", "smpl24" or "hand21"; its first joint is the root.

    Raises:
        PosebookError: the dataset lacks pictures or these joints.

    Right hands are never mirrored: the mirror shows a left hand.
    """

    def __init__(self, dataset: Dataset, device: str | torch.device = "cpu", joints: str = "h36m17"):
        self.dataset, self.device = dataset, torch.device(device)
        self.joint_set: JointSet = joint_set(joints)
        self.fields = FIELDS[joints]
        need(dataset, ("image", *self.fields), f"training or prediction of {joints} joints")
        self.size = dataset.arrays["image"].shape[1]

    def __len__(self) -> int:
        return len(self.dataset)

    def get(self, rows: np.ndarray | slice) -> Batch:
        """Batch of some rows, as they are."""
        image = torch.from_numpy(np.array(self.dataset.arrays["image"][rows])).to(self.device)
        pixels, joints3d = (
            torch.from_numpy(np.array(self.dataset.arrays[f][rows])).to(self.device) for f in self.fields
        )
        depth = joints3d[..., 2] - joints3d[:, :1, 2]
        return Batch(image.permute(0, 3, 1, 2).float() / 255, pixels, depth, joints3d)

    def augmented(self, rows: np.ndarray, generator: torch.Generator) -> Batch:
        """Batch with every body mirrored with probability 1/2 and each colour channel scaled by U(0.8, 1.2)."""
        batch = self.get(rows)
        hand = self.joint_set is HAND21
        return at_random(batch, batch if hand else mirrored(batch, self.joint_set, self.size), generator)


def at_random(batch, turned, generator: torch.Generator):
    """Of every row the batch's or, with probability 1/2, its mirror's; each colour channel scaled by U(0.8, 1.2).

    Args:
        batch, turned: NamedTuples of one kind of tensors (B, ...), first of them the image (B, 3, H, W) in [0, 1].
        generator: on the image's device.

    Returns:
        NamedTuple of the same kind; the image channels last in memory.
    """
    image = batch[0]
    mirror = rand_rows(len(image), generator=generator, device=image.device) < 0.5
    scale = 0.8 + 0.4 * rand_rows(len(image), 3, 1, 1, generator=generator, device=image.device)
    pick = [torch.where(mirror.view(-1, *[1] * (a.ndim - 1)), b, a) for a, b in zip(batch, turned, strict=True)]
    image = (pick[0] * scale).clamp(0, 1).contiguous(memory_format=torch.channels_last)
    return type(batch)(image, *pick[1:])


def mirrored(batch: Batch, joints: JointSet, size: int) -> Batch:
    """The batch as seen in a mirror: picture reversed, u -> size - u, left and right joints swapped."""
    flip = list(joints.flip)
    pixels = batch.pixels[:, flip] * torch.tensor([-1.0, 1.0]).to(batch.pixels)
    pixels = pixels + torch.tensor([float(size), 0.0]).to(batch.pixels)
    return Batch(batch.image.flip(-1), pixels, batch.relative_depth[:, flip], batch.joints3d)
