"""PredictionExplorer: predicted over true skeletons, from the worst frame to the best."""

import ipywidgets as widgets
import numpy as np
import torch

from posebook.errors import PosebookError
from posebook.explorers.base import UNDISTORTED, WIDE, Explorer, host, live, move
from posebook.joints import H36M17, JointSet
from posebook.metrics import mpjpe, root_relative
from posebook.plots.images import image_grid
from posebook.plots.skeleton import bone_points, skeleton_figure
from posebook.plots.style import cube, upright


class PredictionExplorer(Explorer):
    """Pairs of skeletons, both with their root at 0, sorted by MPJPE.

    Attributes:
        rank: slider, 0 is the worst frame.
        order: (N,) frame of each rank. errors: (N,) mm of each frame.
        caption: Label with the frame's name and error. picture: its image, where images were given.

    Args:
        pred, target: (N, J, 3) metres, camera frame.
        names: N texts, e.g. sequence and frame.
        images: (N, H, W, 3) uint8, or anything that indexes like it.
    """

    def __init__(self, pred, target, joint_set: JointSet = H36M17, names=None, images=None):
        pred, target = torch.from_numpy(host(pred)), torch.from_numpy(host(target))
        if pred.shape != target.shape or pred.shape[1:] != (len(joint_set), 3):
            raise PosebookError(
                f"Expected pred and target (N, {len(joint_set)}, 3), got {tuple(pred.shape)} and {tuple(target.shape)}."
            )
        self.joint_set, self.names, self.images = joint_set, names, images
        self.pairs = [root_relative(x, joint_set.root) for x in (pred, target)]
        self.errors = mpjpe(*self.pairs, "none").numpy()
        self.order = np.argsort(-self.errors, kind="stable")
        self.rank = widgets.IntSlider(0, 0, len(self.order) - 1, description="worst … best", style=WIDE)
        self.caption, self.picture = widgets.Label(), widgets.Image(format="png", layout=UNDISTORTED)
        self.figure = live(skeleton_figure([p[0].numpy() for p in self.pairs], joint_set, ["predicted", "true"]))
        self.watch([self.rank], self.update)
        shown = [self.figure] if images is None else [self.picture, self.figure]
        super().__init__([widgets.HBox([self.rank, self.caption]), widgets.HBox(shown)])
        self.update()

    @property
    def frame(self) -> int:
        """The frame shown."""
        return int(self.order[self.rank.value])

    def update(self) -> None:
        """Show the frame of the slider's rank."""
        pair = [upright(x[self.frame].numpy(), "camera") for x in self.pairs]
        with self.figure.batch_update():
            for trace, joints in zip(self.figure.data[:2], pair, strict=True):  # legend entries follow
                move(trace, bone_points(joints, self.joint_set)[0])
            for axis, span in zip("xyz", cube(np.concatenate(pair)), strict=True):
                self.figure.layout.scene[f"{axis}axis"].range = span.tolist()
        name = f"frame {self.frame}" if self.names is None else str(self.names[self.frame])
        self.caption.value = f"{name}: {self.errors[self.frame]:.1f} mm, {self.rank.value + 1} of {len(self.order)}"
        if self.images is not None:
            self.picture.value = image_grid([self.images[self.frame]], [name], size=3.2)
