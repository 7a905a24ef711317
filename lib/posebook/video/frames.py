"""Reading pictures one at a time: a video file, a folder of pictures, or arrays. Never all of them in memory.

Video files go through PyAV (BSD licence; its wheels bring FFmpeg): it also writes the H.264 that browsers play, which
OpenCV's wheels do not.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from posebook.errors import PosebookError
from posebook.video.stream import open_stream, pyav

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
FOLDER_FPS = 30.0  # of pictures that say nothing about time


class Frames:
    """Pictures (H, W, 3) uint8 RGB in order; can be gone through again and again.

    Attributes:
        fps: frames per second, the mean of a file with a variable rate.
        count: pictures, or None where a file does not say.
        name: for messages.
    """

    fps: float
    count: int | None
    name: str

    def __iter__(self) -> Iterator[np.ndarray]:
        raise NotImplementedError


class VideoFile(Frames):
    """A video file; pictures turned as the file's rotation says.

    Raises:
        PosebookError: no PyAV, no file, no video in it.
    """

    def __init__(self, path: str | Path, fps: float | None = None):
        self.path, self.name = Path(path), str(path)
        with open_stream(self.path) as (_, stream):
            rate = fps or stream.average_rate or stream.guessed_rate
            self.count = stream.frames or None
        if not rate:
            raise PosebookError(f"{self.name} does not say its frame rate; pass fps=.")
        self.fps = float(rate)

    def __iter__(self) -> Iterator[np.ndarray]:
        with open_stream(self.path) as (container, stream):
            try:
                for picture in container.decode(stream):
                    pixels = picture.to_ndarray(format="rgb24")
                    turns = round((getattr(picture, "rotation", 0) or 0) / 90) % 4
                    yield np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels
            except pyav().error.FFmpegError as error:
                raise PosebookError(f"{self.name}: the video cannot be decoded here: {error}") from None


class FrameFiles(Frames):
    """Picture files in the given order; grey and transparent ones become RGB, turned ones upright.

    Raises:
        PosebookError: a file that is no picture, when it is reached.
    """

    def __init__(self, paths: Sequence[Path], fps: float | None = None):
        self.paths, self.count = list(paths), len(paths)
        self.name, self.fps = str(paths[0]), float(fps or FOLDER_FPS)

    def __iter__(self) -> Iterator[np.ndarray]:
        for path in self.paths:
            try:
                with Image.open(path) as picture:
                    yield np.array(ImageOps.exif_transpose(picture).convert("RGB"))
            except OSError as error:
                raise PosebookError(f"{path}: not a picture that can be read: {error}") from None


class FrameArrays(Frames):
    """Pictures in memory: (T, H, W, 3) uint8, or a list of (H, W, 3).

    Raises:
        PosebookError: none, or other shapes or types.
    """

    def __init__(self, pictures: Sequence[np.ndarray], fps: float | None = None):
        if not hasattr(pictures, "__len__"):
            raise PosebookError(
                f"Expected a path or a list of pictures, got {type(pictures).__name__}. Pictures may be gone through "
                "twice: pass a list, or a subclass of posebook.video.Frames that starts anew each time."
            )
        self.pictures, self.name = pictures, "the list of pictures"
        self.fps, self.count = float(fps or FOLDER_FPS), len(pictures)
        if not self.count:
            raise PosebookError("Expected at least one picture, got none.")

    def __iter__(self) -> Iterator[np.ndarray]:
        for i, picture in enumerate(self.pictures):
            picture = np.asarray(picture)
            if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
                raise PosebookError(f"Picture {i}: expected (H, W, 3) uint8, got {picture.shape} {picture.dtype}.")
            yield picture


def open_frames(source, fps: float | None = None) -> Frames:
    """Pictures of a video file, a folder, arrays, or `Frames`.

    Pictures of a folder come in natural order, frame2 before frame10.

    Args:
        source: path, (T, H, W, 3) uint8, list of (H, W, 3) uint8, or Frames.
        fps: frames per second, where the source does not know better: folders and arrays are taken for 30 without it,
            and it overrides what a file says.

    Raises:
        PosebookError: nothing there, or nothing that can be read.
    """
    if fps is not None and not fps > 0:
        raise PosebookError(f"fps must be positive, got {fps}.")
    if isinstance(source, Frames):
        return source
    if not isinstance(source, str | Path):
        return FrameArrays(source, fps)
    path = Path(source)
    if path.is_dir():
        pictures = sorted((p for p in path.iterdir() if p.suffix.lower() in PICTURES), key=natural)
        if not pictures:
            raise PosebookError(f"{path} holds no pictures ({', '.join(PICTURES)}).")
        return FrameFiles(pictures, fps)
    if not path.is_file():
        raise PosebookError(f"No video or folder of pictures at {path}.")
    return FrameFiles([path], fps) if path.suffix.lower() in PICTURES else VideoFile(path, fps)


def natural(path: Path) -> list:
    """Sort key in which frame2 comes before frame10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", path.name.lower())]
