"""Writing pictures as MP4 or GIF, one at a time; a file appears under its name only when it is whole."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from posebook.cache import atomic_path
from posebook.errors import PosebookError
from posebook.video.stream import pyav

QUALITY = 20  # H.264's constant rate factor: 0 is lossless, 51 worst


def write_mp4(path: str | Path, pictures: Iterable[np.ndarray], fps: float, quality: int = QUALITY) -> int:
    """H.264 in 4:2:0, which every browser plays and JupyterLab shows.

    Args:
        path: of the file.
        pictures: (H, W, 3) uint8 of one size; an odd side is widened by a copy of its last row or column.
        fps: frames per second.
        quality: constant rate factor, smaller is better.

    Returns:
        Number of frames.

    Raises:
        PosebookError: no PyAV, no picture, sizes that differ.
    """
    av = pyav()
    with atomic_path(path) as temporary:
        with av.open(str(temporary), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream, count = None, 0
            for count, pixels in enumerate(_same_size(pictures), 1):  # noqa: B007
                even = np.pad(pixels, [(0, side % 2) for side in pixels.shape[:2]] + [(0, 0)], mode="edge")
                if stream is None:
                    stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(65535))
                    stream.height, stream.width = even.shape[:2]
                    stream.pix_fmt, stream.options = "yuv420p", {"crf": str(quality), "preset": "veryfast"}
                container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
            if stream is None:
                raise PosebookError(f"{path}: expected at least one picture to write, got none.")
            container.mux(stream.encode())
    return count


def write_gif(path: str | Path, pictures: Iterable[np.ndarray], fps: float) -> int:
    """Animated GIF in a loop, 256 colours a picture; shown where no video is, e.g. on GitHub.

    GIF counts hundredths of a second: times are rounded so that the whole lasts as long as it should. Above 50 fps
    viewers slow down, so pictures are left out.

    Args:
        path: of the file.
        pictures: (H, W, 3) uint8 of one size.
        fps: frames per second.

    Returns:
        Number of frames written.

    Raises:
        PosebookError: no picture, sizes that differ, fps not positive.
    """
    if not fps > 0:
        raise PosebookError(f"fps must be positive, got {fps}.")
    kept = _timed(_same_size(pictures), fps)
    first = next(kept, None)
    if first is None:
        raise PosebookError(f"{path}: expected at least one picture to write, got none.")
    written = [1]

    def others() -> Iterator[Image.Image]:
        for picture in kept:
            written[0] += 1
            yield picture

    with atomic_path(path) as temporary:
        first.save(temporary, format="GIF", save_all=True, append_images=others(), loop=0, optimize=False)
    return written[0]


def _timed(pictures: Iterable[np.ndarray], fps: float) -> Iterator[Image.Image]:
    every = int(np.ceil(fps / 50))
    for i, pixels in enumerate(pictures):
        if i % every == 0:
            k = i // every
            picture = Image.fromarray(pixels).quantize(256, dither=Image.Dither.NONE)
            picture.info["duration"] = 10 * (round(100 * (k + 1) * every / fps) - round(100 * k * every / fps))
            yield picture


def _same_size(pictures: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    shape = None
    for i, pixels in enumerate(pictures):
        pixels = np.asarray(pixels)
        shape = shape or pixels.shape
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.shape != shape:
            raise PosebookError(
                f"Picture {i}: expected (H, W, 3) uint8 of the first one's size {shape}, got {pixels.shape} "
                f"{pixels.dtype}. Scale all pictures to one size before writing."
            )
        yield np.ascontiguousarray(pixels)
