"""PyAV, imported when it is needed, and an open video stream."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from posebook.errors import PosebookError

REMEDY = "Install it with `pip install posebook[video]`, or use a folder of pictures, or a GIF for output."


def pyav():
    """The module `av`.

    Raises:
        PosebookError: it is not installed.
    """
    try:
        import av
    except ImportError:
        raise PosebookError(f"Video files need PyAV. {REMEDY}") from None
    return av


@contextmanager
def open_stream(path: Path) -> Iterator[tuple]:
    """(container, first video stream) of a file, closed in the end.

    Raises:
        PosebookError: no PyAV, a file that is no video.
    """
    av = pyav()
    try:
        container = av.open(str(path))
    except (av.error.FFmpegError, OSError) as error:
        raise PosebookError(f"{path}: not a video that can be read: {error}") from None
    with container:
        if not container.streams.video:
            raise PosebookError(f"{path}: there is no video in this file.")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        yield container, stream
