"""Losses of Neural Body Fitting: on the 226 numbers, on 3D joints, on projected joints, in any weighted mix.

Source: specs/nbf.md section 5. The released demo's mix is latent 1 + 2D 1.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from posebook.cameras import project
from posebook.errors import PosebookError
from posebook.models.nbf import NBFOutput

KINDS = ("euclidean", "squared", "geman-mcclure", "tukey")
TUKEY = 4.685  # 95 % efficiency on normal residuals
MAD_TO_STD = 1.4826
TINY = 1e-8  # keeps the gradient of a length finite at zero


@dataclass(frozen=True)
class LossMix:
    """Weights of the three losses and what becomes of a distance."""

    latent: float = 1.0
    joints3d: float = 0.0
    joints2d: float = 1.0
    robust: str = "euclidean"  # of the joint losses
    scale: float = 0.1  # of Geman-McClure, in the loss's own unit

    def __post_init__(self):
        if self.robust not in KINDS:
            raise PosebookError(f"robust must be one of {', '.join(KINDS)}, got {self.robust!r}.")
        weights = (self.latent, self.joints3d, self.joints2d)
        if min(weights) < 0 or sum(weights) <= 0 or self.scale <= 0:
            raise PosebookError(f"Loss weights must be >= 0, not all 0, and scale > 0; got {weights}, {self.scale}.")


def robust_distance(residual: Tensor, kind: str, scale: float = 0.1) -> Tensor:
    """What a residual costs.

    euclidean |r|; squared |r|^2; Geman-McClure |r|^2 / (|r|^2 + scale^2); Tukey's biweight of e = |r| / (1.4826 MAD),
    (1 - (1 - (e / 4.685)^2)^3) / 6 below e = 4.685 and 1/6 beyond, with one MAD per joint over the batch.

    Args:
        residual: (B, J, D).
        kind: one of KINDS.
        scale: of Geman-McClure, same unit as the residual.

    Returns:
        (B, J).
    """
    square = residual.square().sum(-1)
    if kind == "squared":
        return square
    if kind == "geman-mcclure":
        return square / (square + scale**2)
    distance = (square + TINY**2).sqrt()
    if kind == "euclidean":
        return distance
    if kind == "tukey":
        middle = distance.detach().median(0).values
        spread = (distance.detach() - middle).abs().median(0).values
        share = (distance / (TUKEY * MAD_TO_STD * spread.clamp(min=TINY))).clamp(max=1)
        return (1 - (1 - share.square()) ** 3) / 6
    raise PosebookError(f"Unknown loss {kind!r}: expected one of {', '.join(KINDS)}.")


def masked_mean(values: Tensor, valid: Tensor | None) -> Tensor:
    """Mean over the samples (B,) marked valid; 0, with a gradient of 0, where none is."""
    per_sample = values.flatten(1).mean(1)
    if valid is None:
        return per_sample.mean()
    return torch.where(valid, per_sample, 0.0).sum() / valid.sum().clamp(min=1)


def latent_loss(latent: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
    """L1 mean over the 226 numbers, before rotations are cleaned up.

    Args:
        latent, target: (B, 226) offsets from the mean.
        valid: (B,) bool, pictures with 3D labels.
    """
    return masked_mean((latent - target).abs(), valid)


def joints3d_loss(joints: Tensor, target: Tensor, valid: Tensor | None = None, kind: str = "squared",
                  scale: float = 0.1) -> Tensor:  # fmt: skip
    """Distance of joints, relative to the pelvis, no further alignment.

    Args:
        joints, target: (B, 24, 3) metres.
        valid: (B,) bool, pictures with 3D labels.
        kind, scale: see `robust_distance`.
    """
    if valid is not None:  # before anything else: Tukey's spread is that of the pictures that count
        joints, target = joints[valid], target[valid]
    if not len(joints):
        return joints.sum()  # 0, with a gradient of 0
    return robust_distance(joints - target, kind, scale).mean()


def joints2d_loss(joints: Tensor, root: Tensor, K: Tensor, pixels: Tensor, size: int, kind: str = "euclidean",
                  scale: float = 0.1) -> Tensor:  # fmt: skip
    """Distance of projected joints in half pictures (pixel / (size / 2) - 1), so that 1 is half the crop.

    Args:
        joints: (B, 24, 3) metres, relative to the pelvis, camera frame.
        root: (B, 3) metres, the pelvis; the true one in training, as in the released code, which predicts none.
        K: (B, 3, 3) pixels. pixels: (B, 24, 2) true joints. size: pixels of the crop.
        kind, scale: see `robust_distance`.
    """
    found = project(joints + root.unsqueeze(1), K)
    return robust_distance((found - pixels) * (2 / size), kind, scale).mean()


def nbf_loss(output: NBFOutput, offsets: Tensor, joints: Tensor, root: Tensor, K: Tensor, pixels: Tensor, size: int,
             mix: LossMix, labelled: Tensor | None = None) -> Tensor:  # fmt: skip
    """Weighted sum of the losses of a mix; those of weight 0 are not computed.

    Args:
        output: of the network.
        offsets: (B, 226) from `NeuralBodyFitting.offsets`.
        joints: (B, 24, 3) true joints relative to the pelvis. root, K, pixels, size: as in `joints2d_loss`.
        mix: weights.
        labelled: (B,) bool, pictures with 3D labels; the others teach by 2D alone. None: all.
    """
    total = output.joints.new_zeros(())
    if mix.latent:
        total = total + mix.latent * latent_loss(output.latent, offsets, labelled)
    if mix.joints3d:
        total = total + mix.joints3d * joints3d_loss(output.joints, joints, labelled, mix.robust, mix.scale)
    if mix.joints2d:
        total = total + mix.joints2d * joints2d_loss(output.joints, root, K, pixels, size, mix.robust, mix.scale)
    return total
