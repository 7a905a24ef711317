"""Where datasets keep masks of the person or hand beside their pictures, cut as the pictures are.

FreiHAND: `training/mask/%08d.jpg` of each hand, bright on it, the same for its four backgrounds. UP-3D:
`%05d_render_light.png`, the fitted body on white. Mask files of Human3.6M and MPI-INF-3DHP are not read: no paper here
uses them, and the second's code of colours is not known to us. Source: specs/data.md sections 1.4 and 1.8.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from posebook.data.real.images import CroppedImages

BRIGHT, WHITE = 127, 250  # levels of 255: above the first is a hand, from the second on is background


class Rule(NamedTuple):
    """How a dataset's masks are found and read."""

    path: Callable[[str, str], str]  # of picture and clip, below the source folder
    inside: Callable[[np.ndarray], np.ndarray]  # (H, W, 3) uint8 -> (H, W) bool


RULES = {
    "freihand": Rule(lambda image, clip: f"training/mask/{clip.removeprefix('hand-')}.jpg",
                     lambda picture: picture.mean(-1) > BRIGHT),
    "up3d": Rule(lambda image, clip: image.replace("_image.png", "_render_light.png"),
                 lambda picture: picture.min(-1) < WHITE),
}  # fmt: skip


class MaskPaths:
    """N paths of mask files, worked out when they are asked for.

    Args:
        path: of a Rule. pictures, clips: N texts each.
    """

    def __init__(self, path: Callable[[str, str], str], pictures: Sequence[str], clips: Sequence[str]):
        self.path, self.pictures, self.clips = path, pictures, clips

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, i: int) -> str:
        return self.path(self.pictures[i], self.clips[i])


class CroppedMasks(CroppedImages):
    """(N, S, S) bool masks as an array would give them, read from files on demand; False beyond the picture.

    Args:
        rule: of the dataset. The rest: as `CroppedImages`.
    """

    def __init__(self, rule: Rule, source: Path, paths: MaskPaths, boxes: np.ndarray, size: int):
        super().__init__(source, paths, boxes, size)
        self.rule, self.shape, self.ndim, self.dtype = rule, (len(paths), size, size), 3, np.dtype(bool)

    def whole(self, i: int) -> np.ndarray:
        """(H, W, 3) uint8: 255 inside the mask of row i, 0 elsewhere; PosebookError as for pictures."""
        inside = self.rule.inside(super().whole(i))
        return np.repeat(np.where(inside, 255, 0).astype(np.uint8)[..., None], 3, -1)

    def crop(self, i: int) -> np.ndarray:
        """(S, S) bool."""
        return super().crop(i)[..., 0] > BRIGHT

    def __getitem__(self, key) -> np.ndarray:
        return super().__getitem__(key).astype(bool)


def masks_of(name: str, source: Path, pictures: Sequence[str], clips: Sequence[str], boxes: np.ndarray,
             size: int) -> CroppedMasks | None:  # fmt: skip
    """Masks of a prepared split; None where the dataset has none, or its first row's file is not there."""
    rule = RULES.get(name)
    if rule is None or not len(pictures):
        return None
    paths = MaskPaths(rule.path, pictures, clips)
    return CroppedMasks(rule, source, paths, boxes, size) if (source / paths[0]).is_file() else None
