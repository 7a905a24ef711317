"""Boxes of people in a video, and the file they travel in.

Boxes are x, y, width, height in continuous pixels: (0, 0) is the corner of the picture, (x, y) the box's upper left.

The file is CSV with a header, one box a line, columns in any order:

    frame,track,x,y,width,height
    0,1,412.5,80,95,240
    1,1,413.0,81,95,239

`frame` counts from 0, `track` is a whole number from 0 that names the person; empty or -1 means "not linked yet". A
column `score` may follow. A `.json` file holds the same as a list of objects with these keys, or as an object of
columns. Rows may come in any order; a person has at most one box a frame, and may be missing from frames.
"""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from posebook.cache import write_text
from posebook.errors import PosebookError

COLUMNS = ("frame", "track", "x", "y", "width", "height")
UNLINKED = -1


class BoxTable(NamedTuple):
    """N boxes, sorted by frame, then track."""

    frame: np.ndarray  # (N,) int64
    track: np.ndarray  # (N,) int64, UNLINKED where nobody has said who it is
    box: np.ndarray  # (N, 4) float64
    score: np.ndarray  # (N,) float64, NaN where unknown


def box_table(frame, box, track=None, score=None) -> BoxTable:
    """Check and sort boxes.

    Args:
        frame: (N,) whole numbers from 0.
        box: (N, 4) x, y, width, height, continuous pixels.
        track: (N,) whole numbers from 0, or UNLINKED; None links nobody.
        score: (N,) any scale, larger is surer.

    Raises:
        PosebookError: lengths that differ, values out of range, a track with two boxes in a frame.
    """
    frame = _whole(frame, "frame", 0)
    track = np.full(len(frame), UNLINKED) if track is None else _whole(track, "track", UNLINKED)
    score = np.full(len(frame), np.nan) if score is None else np.asarray(score, dtype=np.float64)
    box = np.asarray(box, dtype=np.float64).reshape(-1, 4) if not len(frame) else np.asarray(box, dtype=np.float64)
    if box.shape != (len(frame), 4) or track.shape != frame.shape or score.shape != frame.shape:
        raise PosebookError(
            f"Expected {len(frame)} boxes (N, 4), tracks (N,) and scores (N,), one a frame number; got {box.shape}, "
            f"{track.shape} and {score.shape}."
        )
    bad = ~np.isfinite(box).all(1) | (box[:, 2:] <= 0).any(1)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise PosebookError(
            f"Box {row} (frame {frame[row]}) is {box[row].tolist()}: expected finite x, y and a width and height above "
            "0. Leave boxes out where there are none."
        )
    order = np.lexsort((track, frame))
    table = BoxTable(frame[order], track[order], box[order], score[order])
    same = (np.diff(table.frame) == 0) & (np.diff(table.track) == 0) & (table.track[1:] != UNLINKED)
    if same.any():
        row = int(np.flatnonzero(same)[0])
        raise PosebookError(f"Track {table.track[row]} has two boxes in frame {table.frame[row]}; expected one.")
    return table


def read_boxes(path: str | Path) -> BoxTable:
    """Read a CSV or JSON file of boxes (see the head of this module).

    Raises:
        PosebookError: a missing file, missing columns, a cell that is no number: with the line, and as `box_table`.
    """
    path = Path(path)
    if not path.is_file():
        raise PosebookError(f"No box file at {path}. Expected CSV or JSON with {', '.join(COLUMNS)}.")
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = _json_rows(text) if path.suffix.lower() == ".json" else list(csv.DictReader(text.splitlines()))
    except (ValueError, csv.Error) as error:
        raise PosebookError(
            f"{path}: not a {path.suffix.lstrip('.').upper() or 'CSV'} file of boxes: {error}"
        ) from None
    place, start = ("entry", 0) if path.suffix.lower() == ".json" else ("line", 2)
    cells = [_row(row, f"{path}, {place} {i}") for i, row in enumerate(rows, start)]
    values = np.array(cells, dtype=np.float64).reshape(-1, 7)
    try:
        return box_table(values[:, 0], values[:, 2:6], values[:, 1], values[:, 6])
    except PosebookError as error:
        raise PosebookError(f"{path}: {error}") from None


def write_boxes(path: str | Path, table: BoxTable) -> None:
    """Write CSV, or JSON where the name ends so; atomically. `read_boxes` gives the same table back."""
    scored = not np.isnan(table.score).all()
    rows = [
        dict(zip(COLUMNS, (int(frame), int(track), *map(float, box)), strict=True))
        | ({"score": None if np.isnan(score) else float(score)} if scored else {})
        for frame, track, box, score in zip(*table, strict=True)
    ]
    if Path(path).suffix.lower() == ".json":
        write_text(path, json.dumps(rows, indent=1) + "\n")
        return
    header = [*COLUMNS, *(["score"] if scored else [])]
    lines = [",".join("" if row[name] is None else repr(row[name]) for name in header) for row in rows]
    write_text(path, "\n".join([",".join(header), *lines]) + "\n")


def by_frame(table: BoxTable) -> list[np.ndarray]:
    """Boxes (n, 4) of every frame up to the last that has one; (0, 4) where there are none."""
    count = int(table.frame[-1]) + 1 if len(table.frame) else 0
    edges = np.searchsorted(table.frame, np.arange(count + 1))
    return [table.box[a:b] for a, b in zip(edges[:-1], edges[1:], strict=True)]


def _json_rows(text: str) -> list[dict]:
    data = json.loads(text)
    if isinstance(data, Mapping) and all(isinstance(column, list) for column in data.values()):
        return [dict(zip(data, cells, strict=True)) for cells in zip(*data.values(), strict=True)]
    if isinstance(data, list) and all(isinstance(row, Mapping) for row in data):
        return data
    raise ValueError("expected a list of objects, or an object of columns")


def _row(row: Mapping, place: str) -> list[float]:
    missing = [name for name in COLUMNS if name not in row and name != "track"]
    if missing:
        raise PosebookError(f"{place}: no {', '.join(missing)}; expected the columns {', '.join(COLUMNS)}.")
    defaults = {"track": UNLINKED, "score": np.nan}
    cells = []
    for name in (*COLUMNS, "score"):
        cell = row.get(name)
        empty = cell is None or (isinstance(cell, str) and not cell.strip())
        try:
            cells.append(float(defaults[name] if empty and name in defaults else cell))
        except (TypeError, ValueError):
            raise PosebookError(f"{place}: {name} is {cell!r}, expected a number.") from None
    return cells


def _whole(values, name: str, least: int) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or not (np.isfinite(values) & (values == np.round(values)) & (values >= least)).all():
        raise PosebookError(f"{name}: expected whole numbers from {least}, (N,); got {values.tolist()[:5]}.")
    return values.astype(np.int64)
