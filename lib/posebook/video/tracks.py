"""Who is who: boxes of single frames linked into tracks, as SORT does.

Per frame: predict every track's box with constant velocity, match predictions and detections so that the sum of their
intersections over union is largest (Hungarian algorithm), and start a track at each box that is left. Appearance plays
no part: two people who cross while one hides the other, or who turn round there, can be exchanged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from posebook.errors import PosebookError
from posebook.video.boxes import UNLINKED, BoxTable, by_frame

MIN_IOU = 0.3
MAX_GAP = 15  # frames that a track may be unseen: half a second
MEMORY = 0.6  # share of the old velocity kept at each new box


class Track(NamedTuple):
    """One person."""

    track: int
    frames: np.ndarray  # (n,) int64, increasing; numbers may be missing
    boxes: np.ndarray  # (n, 4) x, y, width, height, continuous pixels
    filled: np.ndarray  # (n,) bool, True where a gap was interpolated

    @property
    def gaps(self) -> list[tuple[int, int]]:
        """(first, last) missing frame of each gap between the first and the last box."""
        jumps = np.flatnonzero(np.diff(self.frames) > 1)
        return [(int(self.frames[i]) + 1, int(self.frames[i + 1]) - 1) for i in jumps]

    @property
    def stretches(self) -> list[slice]:
        """Rows of each run of frames without a gap."""
        edges = [0, *(np.flatnonzero(np.diff(self.frames) > 1) + 1).tolist(), len(self.frames)]
        return [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]


@dataclass
class _Open:
    """A track that is still being followed."""

    frames: list[int]
    boxes: list[np.ndarray]
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2))  # of the centre, pixels a frame

    def predicted(self, frame: int) -> np.ndarray:
        """Box at `frame` if it keeps its velocity and size."""
        moved = self.boxes[-1].copy()
        moved[:2] += self.velocity * (frame - self.frames[-1])
        return moved

    def add(self, frame: int, box: np.ndarray) -> None:
        """Go on at `frame` with `box`."""
        middle, last = box[:2] + box[2:] / 2, self.boxes[-1][:2] + self.boxes[-1][2:] / 2
        seen = (middle - last) / (frame - self.frames[-1])
        self.velocity = seen if len(self.frames) == 1 else MEMORY * self.velocity + (1 - MEMORY) * seen
        self.frames.append(frame)
        self.boxes.append(box)


def iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of every pair of boxes: (N, 4), (M, 4) -> (N, M)."""
    a, b = np.asarray(first, dtype=float).reshape(-1, 1, 4), np.asarray(second, dtype=float).reshape(1, -1, 4)
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    return shared / (a[..., 2:].prod(-1) + b[..., 2:].prod(-1) - shared)


def link(boxes: Sequence, min_iou: float = MIN_IOU, max_gap: int = MAX_GAP, min_length: int = 1) -> list[Track]:
    """Link the boxes of successive frames.

    Args:
        boxes: one (n, 4) or (n, 5: + score) a frame, in order; (0, 4) or None where nobody was found.
        min_iou: a prediction and a box that overlap less are different people.
        max_gap: frames that a person may be unseen before the track ends.
        min_length: tracks with fewer boxes are dropped, e.g. false alarms of one frame.

    Returns:
        Tracks numbered from 0 in order of their first frame, then from left to right. Gaps are left open (`fill_gaps`).

    Raises:
        PosebookError: boxes that are no (n, 4) or (n, 5), or without extent.
    """
    found, following = [], []
    for frame, rows in enumerate(boxes):
        new = _checked(rows, frame)
        following = [track for track in following if frame - track.frames[-1] <= max_gap + 1]
        taken = set()
        if following and len(new):
            overlap = iou(np.stack([track.predicted(frame) for track in following]), new)
            for i, k in zip(*linear_sum_assignment(-overlap), strict=True):
                if overlap[i, k] >= min_iou:
                    following[i].add(frame, new[k])
                    taken.add(k)
        fresh = [_Open([frame], [new[k]]) for k in np.argsort(new[:, 0], kind="stable") if k not in taken]
        found, following = found + fresh, following + fresh
    kept = [track for track in found if len(track.frames) >= min_length]
    return [_closed(i, track.frames, track.boxes) for i, track in enumerate(kept)]


def tracks_of(table: BoxTable, **linking) -> list[Track]:
    """Tracks of a table of boxes: those it names, or `link`ed if it names none.

    Args:
        table: of `posebook.video.boxes`.
        linking: arguments of `link`.

    Raises:
        PosebookError: some boxes with a track and some without.
    """
    linked = table.track != UNLINKED
    if not linked.any():
        return link(by_frame(table), **linking)
    if not linked.all():
        raise PosebookError(f"{(~linked).sum()} of {len(linked)} boxes have no track. Name all of them or none.")
    rows = {int(track): table.track == track for track in np.unique(table.track)}
    return [_closed(track, table.frame[own], table.box[own]) for track, own in rows.items()]


def fill_gaps(track: Track, max_gap: int = MAX_GAP) -> Track:
    """Fill gaps of at most `max_gap` frames by boxes on the straight line between their two sides.

    Returns:
        The track with `filled` set there; longer gaps stay, and are listed by `gaps`.
    """
    missing = [np.arange(a, b + 1) for a, b in track.gaps if b - a + 1 <= max_gap]
    if not missing:
        return track
    frames = np.sort(np.concatenate([track.frames, *missing]))
    boxes = np.stack([np.interp(frames, track.frames, column) for column in track.boxes.T], axis=1)
    old = dict(zip(track.frames.tolist(), track.filled, strict=True))
    return Track(track.track, frames, boxes, np.array([old.get(int(frame), True) for frame in frames]))


def _checked(rows, frame: int) -> np.ndarray:
    rows = np.zeros((0, 4)) if rows is None or not len(rows) else np.asarray(rows, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] not in (4, 5) or not np.isfinite(rows[:, :4]).all() or (rows[:, 2:4] <= 0).any():
        raise PosebookError(
            f"Frame {frame}: expected boxes (n, 4) or (n, 5), x, y, width, height above 0 and perhaps a score; got "
            f"shape {rows.shape}: {rows.tolist()[:2]}."
        )
    return rows[:, :4]


def _closed(number: int, frames, boxes) -> Track:
    frames = np.asarray(frames, dtype=np.int64)
    return Track(number, frames, np.asarray(boxes, dtype=np.float64), np.zeros(len(frames), dtype=bool))
