"""What a model said about each person of a video, and the file it is kept in: NPZ without pickle.

The file holds `fps`, `tracks` (the numbers), and for each track k: `k/frames`, `k/boxes`, `k/filled`, `k/affines`,
`k/sizes`, `k/gaps`, and `k/outputs/<name>` for every array of the model. `numpy.load(path)` opens it anywhere.
"""

import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from posebook.cache import atomic_path
from posebook.errors import PosebookError

FIELDS = ("frames", "boxes", "filled", "affines", "sizes")


class TrackResult(NamedTuple):
    """One person; row i of every array belongs to frame `frames[i]`."""

    track: int
    frames: np.ndarray  # (n,) int64, of the video, increasing
    boxes: np.ndarray  # (n, 4) x, y, width, height as cropped: filled and smoothed, continuous pixels
    filled: np.ndarray  # (n,) bool: nobody was found there, the box was interpolated
    affines: np.ndarray  # (n, 2, 3) picture pixels -> crop pixels
    sizes: np.ndarray  # (n, 2) width, height of the picture
    gaps: list[tuple[int, int]]  # (first, last) frame of the gaps that stayed open; the model started anew after each
    outputs: dict[str, np.ndarray]  # name -> (n, ...)


class VideoResults(NamedTuple):
    """A file read back."""

    tracks: list[TrackResult]
    fps: float


def write_results(path: str | Path, tracks: list[TrackResult], fps: float) -> None:
    """Write all tracks to one NPZ file, atomically."""
    arrays = {"fps": np.array(float(fps)), "tracks": np.array([t.track for t in tracks], dtype=np.int64)}
    for result in tracks:
        arrays |= {f"{result.track}/{name}": getattr(result, name) for name in FIELDS}
        arrays[f"{result.track}/gaps"] = np.array(result.gaps, dtype=np.int64).reshape(-1, 2)
        arrays |= {f"{result.track}/outputs/{name}": values for name, values in result.outputs.items()}
    objects = [name for name, values in arrays.items() if values.dtype.hasobject]
    if objects:
        raise PosebookError(
            f"{objects[0]} holds Python objects; expected numbers. Return arrays of one type and shape."
        )
    with atomic_path(path) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, **arrays)


def read_results(path: str | Path) -> VideoResults:
    """Read what `write_results` wrote.

    Raises:
        PosebookError: no such file, or another kind of file.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
        return VideoResults([_track(int(k), arrays) for k in arrays["tracks"]], float(arrays["fps"]))
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise PosebookError(f"{path}: expected an NPZ file of write_results: {error}") from None


def _track(track: int, arrays: dict[str, np.ndarray]) -> TrackResult:
    own = {name: arrays[f"{track}/{name}"] for name in FIELDS}
    gaps = [(int(a), int(b)) for a, b in arrays[f"{track}/gaps"]]
    start = f"{track}/outputs/"
    outputs = {name.removeprefix(start): values for name, values in arrays.items() if name.startswith(start)}
    return TrackResult(track, **own, gaps=gaps, outputs=outputs)
