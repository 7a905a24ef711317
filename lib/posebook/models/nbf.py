"""Neural Body Fitting's second stage: a picture of body parts to 226 numbers, to a body inside the network.

226 = 10 betas + 24 x 9 rotation matrix entries, row by row, predicted as offsets from the training mean.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.joint_layer import JOINTS, JointLayer
from posebook.models.resnet import ResNet
from posebook.rotations import project_to_rotation

BETAS = 10
LATENT = BETAS + 9 * JOINTS  # 226
TARGETS = ("global", "relative")
HEAD_STD = 0.02  # specs/nbf.md section 3


class NBFOutput(NamedTuple):
    """A fitted body. Rotations are proper ones but for `latent`, which the latent loss compares."""

    latent: Tensor  # (B, 226) offsets from the mean, before any clean-up
    betas: Tensor  # (B, 10)
    rotations: Tensor  # (B, 24, 3, 3) of every joint in the camera frame
    relative: Tensor  # (B, 24, 3, 3) relative to the parent; number 0 is the global orientation
    joints: Tensor  # (B, 24, 3) metres, camera frame, relative to the pelvis


class NeuralBodyFitting(nn.Module):
    """Trunk, one linear layer, rotation clean-up, joints of the body.

    Args:
        trunk: a `ResNet`; the paper's is ResNet(50, pool=2, strides=(2, 2, 2, 1), stride_on="1x1").
        layer: the body's joints. It has no weights to train.
        mean: (226,) mean of `encode(betas, rotations)` over the training set.
        target: "global" (the released demo's: matrices in the camera frame) or "relative" to the parent.
        fix_determinant: False lets reflections pass, as the released code does.

    Raises:
        PosebookError: unknown target, mean of another length.

    Source: specs/nbf.md sections 3 and 4.
    """

    def __init__(self, trunk: ResNet, layer: JointLayer, mean: Tensor, target: str = "global",
                 fix_determinant: bool = True):  # fmt: skip
        super().__init__()
        if target not in TARGETS:
            raise PosebookError(f"target must be one of {', '.join(TARGETS)}, got {target!r}.")
        if tuple(mean.shape) != (LATENT,):
            raise PosebookError(f"mean: expected ({LATENT},), the mean of posebook.models.nbf.encode over the training "
                                f"set; got {tuple(mean.shape)}.")  # fmt: skip
        self.trunk, self.layer = trunk, layer
        self.target, self.fix_determinant = target, fix_determinant
        self.head = nn.Linear(trunk.out_channels, LATENT)
        nn.init.normal_(self.head.weight, std=HEAD_STD)
        nn.init.zeros_(self.head.bias)
        self.register_buffer("mean", mean.clone().float())

    def forward(self, picture: Tensor) -> NBFOutput:
        """Fit a body to each picture.

        Args:
            picture: (B, C, H, W) in [-1, 1], what `posebook.data.inputs` draws.

        Returns:
            NBFOutput.
        """
        latent = self.head(self.trunk(picture).pooled)  # (B, 226)
        return self.decode(latent)

    def decode(self, latent: Tensor) -> NBFOutput:
        """Offsets (B, 226) to betas, rotations and joints."""
        betas, matrices = split_latent(latent + self.mean)
        clean = project_to_rotation(matrices, self.fix_determinant)  # (B, 24, 3, 3)
        if self.target == "global":
            rotations, relative = clean, self.layer.to_relative(clean)
        else:
            rotations, relative = self.layer.to_global(clean), clean
        return NBFOutput(latent, betas, rotations, relative, self.layer(betas, rotations))

    def offsets(self, betas: Tensor, rotations: Tensor, relative: Tensor) -> Tensor:
        """(B, 226) what the head should say for true parameters; of the two kinds of rotation it takes its target's."""
        return encode(betas, rotations if self.target == "global" else relative) - self.mean


def encode(betas: Tensor, rotations: Tensor) -> Tensor:
    """(B, 10) and (B, 24, 3, 3) to the 226 numbers: shape first, then matrices row by row."""
    return torch.cat((betas, rotations.flatten(1)), 1)


def split_latent(numbers: Tensor) -> tuple[Tensor, Tensor]:
    """Inverse of `encode`: (B, 226) to betas (B, 10) and matrices (B, 24, 3, 3), not yet rotations."""
    return numbers[:, :BETAS], numbers[:, BETAS:].unflatten(1, (JOINTS, 3, 3))
