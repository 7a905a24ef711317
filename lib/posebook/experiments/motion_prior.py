"""VIBE's motion prior in training: windows of recorded motion, a discriminator, and its own optimiser.

Source: specs/vibe.md 2.1, 2.2: least-squares GAN, one discriminator step per generator step, both losses computed from
one forward pass, the generator stepped first.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from posebook.data.dataset import real_source
from posebook.errors import PosebookError
from posebook.models.motion_discriminator import MotionDiscriminator, body_pose
from posebook.models.temporal_losses import discriminator_losses
from posebook.motion import MOTIONS, list_clips
from posebook.motion.kept import kept_clip

WEIGHT_DECAY = 1e-4


class MotionWindows:
    """Body poses of a motion source's *training* clips, to draw windows from.

    Args:
        motion: "procedural", "cmu", or a prepared real dataset with body parameters, whose own people then move.
        length: frames of a window. device: where windows go.

    Raises:
        PosebookError: no clip is as long as a window.
    """

    def __init__(self, motion: str, length: int, device="cpu"):
        clips = [poses for poses in training_poses(motion, length) if len(poses) >= length]
        if not clips:
            raise PosebookError(f"{motion}: expected training clips of {length} frames at least, found none.")
        self.poses = torch.from_numpy(np.concatenate(clips)).to(device)  # (frames, 69)
        ends = np.cumsum([len(poses) for poses in clips])
        starts = [np.arange(end - len(poses), end - length + 1) for poses, end in zip(clips, ends, strict=True)]
        self.starts = torch.from_numpy(np.concatenate(starts)).to(device)
        self.inside = torch.arange(length, device=device)

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """(count, length, 69) axis-angles, radians."""
        picked = torch.randint(len(self.starts), (count,), generator=generator, device=self.starts.device)
        return self.poses[self.starts[picked].unsqueeze(1) + self.inside]


def training_poses(motion: str, length: int) -> list[np.ndarray]:
    """(frames, 69) axis-angles of every training clip; of real datasets those of `length` frames at least."""
    if motion in MOTIONS:
        return [kept_clip(motion, info.name).body_pose for info in list_clips(motion) if info.split == "train"]
    return real_source().training_poses(motion, length)


class MotionPrior:
    """Discriminator with its optimiser. Its step of one batch is taken when the next one comes: generator first.

    Args:
        pooling, hidden: of the discriminator. windows: recorded motion. learning_rate: of Adam.
    """

    def __init__(self, pooling: str, hidden: int, windows: MotionWindows, learning_rate: float):
        self.windows = windows
        self.network = MotionDiscriminator(pooling, hidden, hidden).to(windows.poses.device)
        self.optimizer = torch.optim.Adam(self.network.parameters(), learning_rate, weight_decay=WEIGHT_DECAY)
        self._waiting: tuple[Tensor, Tensor] | None = None

    def scores(self, theta: Tensor, generator: torch.Generator) -> Tensor:
        """Scores (N, 1) of predicted windows (N, T, 85), for the generator; takes the step that waits before."""
        self.step()
        fake = body_pose(theta)
        self._waiting = self.windows.draw(len(fake), generator), fake.detach()
        for parameter in self.network.parameters():
            parameter.requires_grad_(False)  # the generator's pass leaves no gradients here
        return self.network(fake)

    def state_dict(self) -> dict[str, Any]:
        """Weights, the optimiser's state, and the batch that waits: recorded and predicted (N, T, 69), or None."""
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict(),
                "waiting": self._waiting}  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Be as the prior was whose `state_dict` this is; its tensors may lie on another device."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        device, waiting = self.windows.poses.device, state["waiting"]
        self._waiting = None if waiting is None else tuple(poses.to(device) for poses in waiting)

    def step(self) -> float | None:
        """One update on the windows that wait; its loss, or None if there are none."""
        if self._waiting is None:
            return None
        for parameter in self.network.parameters():
            parameter.requires_grad_(True)
        real, fake = self._waiting
        value = discriminator_losses(self.network(real), self.network(fake)).total
        self.optimizer.zero_grad()
        value.backward()
        self.optimizer.step()
        self._waiting = None
        return float(value.detach())
