"""Batches of pictures with the body's parameters: what networks that fit a body learn from.

Mirroring: u -> W - u, x -> -x, left and right parts and joints exchanged, R -> M R M. The picture and its labels are
exact; a body posed by mirrored rotations lies within millimetres of the mirrored joints: no body is quite symmetric.
"""

import copy
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from posebook.body import load_assets, load_body
from posebook.data.batches import at_random
from posebook.data.dataset import Dataset, need
from posebook.errors import PosebookError
from posebook.joint_layer import JointLayer
from posebook.joints import SMPL24
from posebook.own_body import FREE, VARIABLE, body_in_use
from posebook.rotations import axis_angle_to_matrix, mirrored_rotations

PARTS = 24
NEEDED = ("image", "parts", "joints2d", "joints3d", "K", "betas", "global_orient", "body_pose")  # of a dataset
PART_FLIP = (0, *(joint + 1 for joint in SMPL24.flip))  # label of the other side


class BodyBatch(NamedTuple):
    """Pictures, labels and true bodies; metres and radians, camera frame."""

    image: Tensor  # (B, 3, H, W) float in [0, 1]
    labels: Tensor  # (B, H, W) uint8, 24-part labels the network may see: true ones, or a network's
    seen: Tensor  # (B, 24, 2) crop pixels of joints the network may see: true ones, or a network's
    parts: Tensor  # (B, H, W) uint8 true part labels
    pixels: Tensor  # (B, 24, 2) crop pixels, true
    joints3d: Tensor  # (B, 24, 3) relative to the pelvis
    root: Tensor  # (B, 3) the pelvis
    K: Tensor  # (B, 3, 3) of the crop, pixels
    betas: Tensor  # (B, 10)
    rotations: Tensor  # (B, 24, 3, 3) in the camera frame
    relative: Tensor  # (B, 24, 3, 3) relative to the parent; number 0 is the global orientation


class BodyBatches:
    """Rows of a dataset with its bodies, as batches on a device.

    Args:
        dataset: any dataset in the sample schema with body parameters.
        device: where the tensors go.
        labels: (N, H, W) uint8 24-part labels to see instead of the true ones, say a network's.
        joints2d: (N, 24, 2) crop pixels to see instead of the true ones.
        layer: the body that the parameters are of; the one in use if None (`posebook.own_body`).

    Raises:
        PosebookError: labels or joints that do not belong to this dataset, a dataset that lacks labels, or one whose
            parameters are of another body than the one in use.
    """

    def __init__(self, dataset: Dataset, device: str | torch.device = "cpu", labels: np.ndarray | None = None,
                 joints2d: np.ndarray | None = None, layer: JointLayer | None = None):  # fmt: skip
        need(dataset, NEEDED if labels is None else tuple(f for f in NEEDED if f != "parts"), "fitting a body")
        if layer is None:
            check_body(dataset)
        self.dataset, self.device = dataset, torch.device(device)
        self.size = dataset.arrays["image"].shape[1]
        self.labels = self._own(labels, "parts", "labels")
        self.seen = self._own(joints2d, "joints2d", "joints2d")
        self.rotations, self.relative = parameters(dataset, layer or JointLayer(load_body()))

    def _own(self, given: np.ndarray | None, field: str, name: str) -> np.ndarray:
        stored = self.dataset.arrays[field]
        if given is not None and given.shape != stored.shape:
            raise PosebookError(f"{name}: expected {stored.shape}, one for each picture of this dataset, got "
                                f"{given.shape}. Predict them for this very dataset.")  # fmt: skip
        return stored if given is None else given

    def __len__(self) -> int:
        return len(self.dataset)

    def showing(self, labels: np.ndarray, joints2d: np.ndarray) -> "BodyBatches":
        """The same bodies, with other part maps (N, H, W) and joints (N, 24, 2) to see."""
        other = copy.copy(self)
        other.labels, other.seen = other._own(labels, "parts", "labels"), other._own(joints2d, "joints2d", "joints2d")
        return other

    def get(self, rows: np.ndarray | slice) -> BodyBatch:
        """Batch of some rows, as they are."""
        arrays = self.dataset.arrays

        def tensor(values):
            return torch.from_numpy(np.array(values[rows])).to(self.device)

        joints = tensor(arrays["joints3d"])
        image = tensor(arrays["image"]).permute(0, 3, 1, 2).float() / 255
        return BodyBatch(
            image, tensor(self.labels), tensor(self.seen).float(), tensor(arrays["parts"]), tensor(arrays["joints2d"]),
            joints - joints[:, :1], joints[:, 0], tensor(arrays["K"]), tensor(arrays["betas"]),
            tensor(self.rotations), tensor(self.relative),
        )  # fmt: skip

    def augmented(self, rows: np.ndarray, generator: torch.Generator) -> BodyBatch:
        """Batch with every row mirrored with probability 1/2 and each colour channel scaled by U(0.8, 1.2)."""
        batch = self.get(rows)
        return at_random(batch, mirrored_bodies(batch, self.size), generator)


def check_body(dataset: Dataset) -> None:
    """PosebookError where a dataset says that its parameters are of another body than the one in use."""
    own = dataset.manifest.get("body")
    if own and own != load_assets("full").hash:
        raise PosebookError(f"{dataset.describe()}: its parameters are of another body than the one in use "
                            f"({body_in_use()}). `posebook run --dataset` and `posebook train` choose the right one; "
                            f"for a notebook set {VARIABLE} to your converted SMPL_NEUTRAL.npz, or to {FREE}, before "
                            "its kernel starts.")  # fmt: skip


def parameters(dataset: Dataset, layer: JointLayer) -> tuple[np.ndarray, np.ndarray]:
    """Rotations of a dataset's bodies, (N, 24, 3, 3) in the camera frame and (N, 24, 3, 3) relative to the parent."""
    arrays = dataset.arrays
    pose = np.concatenate([arrays["global_orient"], arrays["body_pose"]], 1).reshape(len(dataset), -1, 3)
    relative = axis_angle_to_matrix(torch.from_numpy(pose))
    return layer.to_global(relative).numpy(), relative.numpy()


def mirrored_bodies(batch: BodyBatch, size: int) -> BodyBatch:
    """The batch as seen in a mirror.

    Args:
        batch: any.
        size: pixels of the crop.
    """
    flip = list(SMPL24.flip)
    swap = torch.tensor(PART_FLIP, dtype=torch.uint8, device=batch.parts.device)
    minus = torch.tensor([-1.0, 1.0, 1.0], device=batch.root.device)
    turn = torch.tensor([[-1.0, 0, size], [0, 1, 0], [0, 0, 1]], device=batch.K.device)  # u -> size - u
    K = turn @ batch.K @ torch.diag(minus)  # takes mirrored points
    labels, parts = (swap[maps.flip(-1).long()] for maps in (batch.labels, batch.parts))
    seen, pixels = (points[:, flip] * minus[:2] + torch.tensor([size, 0.0], device=minus.device)
                    for points in (batch.seen, batch.pixels))  # fmt: skip
    rotations, relative = (mirrored_rotations(r, flip) for r in (batch.rotations, batch.relative))
    return BodyBatch(batch.image.flip(-1), labels, seen, parts, pixels, batch.joints3d[:, flip] * minus,
                     batch.root * minus, K, batch.betas, rotations, relative)  # fmt: skip
