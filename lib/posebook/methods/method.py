"""Any trained network as one thing: crops of a person in, an answer out; whose weights it has, and how it is drawn."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.methods.answers import BodyAnswer, PictureAnswer, Placed, View, place
from posebook.video import box_table, run_video
from posebook.video.run import Boxes

BATCH = 16  # crops that a network without memory gets at once
DEPTH_MARGIN = 1.25  # side of I2L-MeshNet's widened box over the person: the default root depth is for it


@dataclass(frozen=True)
class Method:
    """A network with weights.

    `model` takes (T, 3, size, size) in [0, 1], RGB, frames of one person in order, and gives `answer`, T rows.
    """

    name: str  # in legends
    source: str  # whose weights, in one line
    answer: type[PictureAnswer] | type[BodyAnswer]
    model: Callable[[Tensor], PictureAnswer | BodyAnswer]
    size: int  # of the crop, pixels
    margin: float  # side of the crop over the longer side of the box
    bones: tuple[tuple[int, int], ...]  # pairs of joints
    faces: np.ndarray | None = None  # (F, 3); None: no mesh
    regressor17: Tensor | None = None  # (17, V) joints of h36m17 from the mesh, for scoring
    whole_clip: bool = False  # frames before and after are read
    warning: str = ""  # what its picture must not be taken for
    networks: tuple[nn.Module, ...] = ()  # all that `model` runs
    device: str | torch.device = "cpu"  # where they are

    @torch.no_grad()
    def __call__(self, crops: Tensor) -> PictureAnswer | BodyAnswer:
        """`model` on the method's device."""
        return self.model(crops.to(self.device))

    def on(self, device: str | torch.device) -> "Method":
        """The method on another device; its networks are moved, not copied."""
        for network in self.networks:
            network.to(device)
        return replace(self, device=device)


class Looked(NamedTuple):
    """A method's answers for the frames of one person."""

    method: Method
    answer: PictureAnswer | BodyAnswer  # T rows
    to_crop: np.ndarray  # (T, 2, 3) picture pixels to crop pixels
    sizes: np.ndarray  # (T, 2) width and height of the pictures
    frames: np.ndarray  # (T,)

    def placed(self, row: int, focal: float, root_depth: float) -> Placed:
        """Row `row` under an assumed focal length in pixels and root depth in metres."""
        width, height = (int(n) for n in self.sizes[row])
        view = View(torch.from_numpy(self.to_crop[row]), focal, root_depth, width, height)
        return place(self.answer, row, view)


def look(method: Method, source, boxes: Boxes) -> Looked:
    """Run a method on the frames of one person.

    Args:
        method: any.
        source: what `posebook.video.open_frames` takes: a picture file, a folder, a video, a list of arrays.
        boxes: as `run_video`; of several people the one that is in most frames is taken.

    Raises:
        PosebookError: as `run_video`; nobody was found.
    """
    batch = None if method.whole_clip else BATCH
    tracks = run_video(source, method, method.size, boxes, batch=batch, margin=method.margin, steady_boxes=False)
    if not tracks:
        raise PosebookError("Nobody was found in these pictures. Pass a box: x, y, width, height in pixels.")
    track = max(tracks, key=lambda t: len(t.frames))
    fields = {name: torch.from_numpy(track.outputs[name]) if name in track.outputs else None
              for name in method.answer._fields}  # fmt: skip
    return Looked(method, method.answer(**fields), track.affines, track.sizes, track.frames)


def same_box(box, frames: int):
    """One box (x, y, width, height) for all frames, as a table for `look`."""
    box = np.asarray(box, dtype=np.float64)
    if box.shape != (4,):
        raise PosebookError(f"Expected a box x, y, width, height in pixels, got {box.tolist()}.")
    return box_table(np.arange(frames), np.tile(box, (frames, 1)), np.zeros(frames))
