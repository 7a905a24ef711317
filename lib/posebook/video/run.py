"""A model on a video: find people, follow them, crop them, run the model on each, smooth, and keep the answers."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from posebook.errors import PosebookError
from posebook.smoothing import smooth, smooth_vectors
from posebook.video.box_smoothing import smooth_boxes
from posebook.video.boxes import BoxTable, read_boxes
from posebook.video.crop import MARGIN, square_crop
from posebook.video.detect import person_detector
from posebook.video.frames import Frames, open_frames
from posebook.video.results import TrackResult, write_results
from posebook.video.tracks import MAX_GAP, Track, fill_gaps, link, tracks_of

Boxes = BoxTable | str | Path | Callable | None
Smoothing = str | Mapping[str, str | Callable] | None


def run_video(
    source,
    model: Callable,
    size: int,
    boxes: Boxes = None,
    smoothing: Smoothing = None,
    batch: int | None = None,
    margin: float = MARGIN,
    fps: float | None = None,
    max_gap: int = MAX_GAP,
    min_length: int = 1,
    steady_boxes: bool = True,
    output: str | Path | None = None,
) -> list[TrackResult]:
    """Run a model on every person of a video.

    The video is read once, or twice if people have to be found; only the crops are kept in memory (uint8). A gap of
    more than `max_gap` frames ends what the model sees as one sequence, and so does nothing else: clips of any length,
    down to one frame, go to the model as they are.

    Args:
        source: video file, folder of pictures, arrays: see `open_frames`. Pictures may differ in size; boxes are in
            the pixels of their own picture.
        model: (T, 3, S, S) float32 in [0, 1] on the CPU, frames of one person in order -> NamedTuple or dict of
            tensors or arrays with T rows each. Entries that are None are left out. Put networks into eval mode.
        size: S, pixels of the crop's side.
        boxes: table or file of boxes, linked or not; or a detector, image -> (N, 4) or (N, 5); None takes
            `person_detector()`.
        smoothing: a filter of posebook.smoothing for all outputs of floating point, or output name -> filter name, or
            function (values, fps) -> values. Outputs (T, J, 3, 3) are filtered as rotations, others number by number.
        batch: frames that the model gets at once; a whole sequence by default, which a temporal model needs.
        margin: of the square crop round the longer side of a box.
        fps: where the source does not know it.
        max_gap: frames; shorter gaps are filled by boxes in between.
        min_length: tracks with fewer boxes are dropped.
        steady_boxes: smooth boxes over time first.
        output: NPZ file to write.

    Returns:
        One result a track; [] if nobody was found.

    Raises:
        PosebookError: input that does not fit, boxes beyond the video, an output without one row a frame.
    """
    frames = open_frames(source, fps)
    tracks = [fill_gaps(t, max_gap) for t in _tracks(frames, boxes, max_gap) if len(t.frames) >= min_length]
    tracks = [smooth_boxes(track) for track in tracks] if steady_boxes else tracks
    seen = _crops(frames, tracks, size, margin)
    results = []
    for track, (crops, affines, sizes) in zip(tracks, seen, strict=True):
        parts = [_predicted(model, crops[rows], batch) for rows in track.stretches]
        parts = [_smoothed(part, smoothing, frames.fps) for part in parts]
        outputs = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        results.append(TrackResult(track.track, track.frames, track.boxes, track.filled, affines, sizes, track.gaps,
                                   outputs))  # fmt: skip
    if output is not None:
        write_results(output, results, frames.fps)
    return results


def _tracks(frames: Frames, boxes: Boxes, max_gap: int) -> list[Track]:
    if isinstance(boxes, str | Path):
        boxes = read_boxes(boxes)
    if isinstance(boxes, BoxTable):
        return tracks_of(boxes, max_gap=max_gap)
    detector = person_detector() if boxes is None else boxes
    if not callable(detector):
        raise PosebookError(
            f"boxes: expected a BoxTable, the path of a box file, a detector or None; got {type(boxes).__name__}. "
            "posebook.video.box_table makes a table of arrays."
        )
    return link([detector(picture) for picture in frames], max_gap=max_gap)


def _crops(frames: Frames, tracks: list[Track], size: int, margin: float) -> list[tuple]:
    """Per track crops (n, S, S, 3) uint8, affines (n, 2, 3) and picture sizes (n, 2), in one pass over the video."""
    wanted: dict[int, list[tuple[int, int]]] = {}
    for i, track in enumerate(tracks):
        for row, frame in enumerate(track.frames.tolist()):
            wanted.setdefault(frame, []).append((i, row))
    counts = [len(track.frames) for track in tracks]
    seen = [(np.empty((n, size, size, 3), np.uint8), np.empty((n, 2, 3)), np.empty((n, 2), np.int64)) for n in counts]
    last, count = max(wanted, default=-1), 0
    for count, picture in enumerate(frames, 1):
        for i, row in wanted.get(count - 1, []):
            crops, affines, sizes = seen[i]
            crops[row], affines[row] = square_crop(picture, tracks[i].boxes[row], size, margin)
            sizes[row] = picture.shape[1::-1]
    if last >= count:
        raise PosebookError(
            f"There is a box for frame {last}, but only frames 0 to {count - 1} in {frames.name}. Do the boxes "
            "belong to this video, and do they count from 0?"
        )
    return seen


@torch.no_grad()
def _predicted(model: Callable, crops: np.ndarray, batch: int | None) -> dict[str, np.ndarray]:
    """Outputs of one sequence (T, S, S, 3), T rows each."""
    if batch is not None and batch < 1:
        raise PosebookError(f"batch: expected at least 1 frame, got {batch}.")
    parts = []
    for start in range(0, len(crops), batch or len(crops)):
        rows = torch.from_numpy(crops[start : start + (batch or len(crops))])
        parts.append(_named(model(rows.permute(0, 3, 1, 2).float() / 255), len(rows)))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _named(answer, count: int) -> dict[str, np.ndarray]:
    fields = answer._asdict() if hasattr(answer, "_asdict") else answer
    if not isinstance(fields, Mapping):
        raise PosebookError(f"model: expected a NamedTuple or a dict of arrays, got {type(answer).__name__}.")
    arrays = {
        name: values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
        for name, values in fields.items()
        if values is not None
    }
    for name, values in arrays.items():
        if values.shape[:1] != (count,):
            raise PosebookError(f"model: {name} has shape {values.shape}, expected ({count}, ...): one row a frame.")
    return arrays


def _smoothed(outputs: dict[str, np.ndarray], smoothing: Smoothing, fps: float) -> dict[str, np.ndarray]:
    if smoothing is None:
        return outputs
    if isinstance(smoothing, str):
        smoothing = {name: smoothing for name, values in outputs.items() if np.issubdtype(values.dtype, np.floating)}
    unknown = [name for name in smoothing if name not in outputs]
    if unknown:
        raise PosebookError(f"smoothing: the model has no output {unknown[0]!r}; it has {', '.join(outputs)}.")
    return outputs | {name: _filtered(outputs[name], how, fps) for name, how in smoothing.items()}


def _filtered(values: np.ndarray, how: str | Callable, fps: float) -> np.ndarray:
    values = torch.from_numpy(values)
    if callable(how):
        return np.asarray(how(values, fps))
    turns = values.dim() >= 3 and values.shape[-2:] == (3, 3)
    return (smooth if turns else smooth_vectors)(values, fps, how).numpy()
