"""Pictures that stay where the user has them: cut out and scaled when they are asked for.

A crop is the stored square box of the whole picture, scaled to size x size; both pictures' pixels are continuous with
(0, 0) the corner, so points move by (p - corner) * size / side. Beyond the picture there is black.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from posebook.errors import PosebookError


class VideoPictures:
    """Frames of video files by number; going forwards in one file is cheap, going back starts it anew."""

    def __init__(self):
        self.path, self.frames, self.next, self.last = None, None, 0, None

    def read(self, path: Path, number: int) -> np.ndarray:
        """(H, W, 3) uint8 of frame `number`, counted from 0; PosebookError if there is none."""
        if self.path == path and number == self.next - 1:
            return self.last
        if self.path != path or number < self.next:
            from posebook.video.frames import VideoFile  # here: few datasets hold videos

            self.path, self.frames, self.next = path, iter(VideoFile(path)), 0
        while self.next <= number:
            self.last = next(self.frames, None)
            if self.last is None:
                self.path = None
                raise PosebookError(f"{path} has no frame {number}; it ends after {self.next}. Get the file again.")
            self.next += 1
        return self.last


class CroppedImages:
    """(N, S, S, 3) uint8 pictures as an array would give them, read from files on demand.

    Args:
        source: folder that the paths start at.
        paths: N paths below it; `video.avi#7` is frame 7 of a video.
        boxes: (N, 4) square boxes x, y, side, side in pixels of the whole picture.
        size: S.
    """

    dtype, ndim = np.dtype(np.uint8), 4

    def __init__(self, source: Path, paths: Sequence[str], boxes: np.ndarray, size: int):
        self.source, self.paths, self.boxes = source, paths, boxes
        self.shape = (len(paths), size, size, 3)
        self.videos = VideoPictures()

    def __len__(self) -> int:
        return self.shape[0]

    def whole(self, i: int) -> np.ndarray:
        """(H, W, 3) uint8 picture i as it is on disk.

        Raises:
            PosebookError: the file is missing or no picture.
        """
        name = self.paths[i]
        path, _, number = name.partition("#")
        if not path:
            raise PosebookError(f"Row {i} has no picture: the dataset has labels only.")
        file = self.source / path
        if not file.is_file():
            raise PosebookError(f"The picture {file} of row {i} is missing. Unpack the dataset's pictures there "
                                "(its script lists what is missing), or prepare from where they are.")  # fmt: skip
        if number:
            return self.videos.read(file, int(number))
        try:
            with Image.open(file) as picture:
                return np.array(picture.convert("RGB"))
        except OSError as error:
            raise PosebookError(f"{file} is not a picture that can be read: {error}. Unpack it again.") from None

    def crop(self, i: int) -> np.ndarray:
        """(S, S, 3) uint8 crop i."""
        from posebook.video.crop import square_crop  # here: it brings the video package

        return square_crop(self.whole(i), self.boxes[i], self.shape[1], margin=1.0).image

    def __getitem__(self, key) -> np.ndarray:
        first, rest = (key[0], key[1:]) if isinstance(key, tuple) else (key, ())
        rows = np.arange(len(self))[first]
        if np.ndim(rows) == 0:
            return self.crop(int(rows))[rest]
        pictures = np.zeros((len(rows), *self.shape[1:]), np.uint8)
        for target, i in zip(pictures, rows, strict=True):
            target[:] = self.crop(int(i))
        return pictures[(slice(None), *rest)]
