"""Datasets on disk: one folder of memory-mapped arrays, an index and a manifest.

A folder under construction is called `<name>.partial`; every finished chunk of rows leaves a marker there, so a killed
run goes on where it stopped. The folder gets its final name only when every chunk is there: a half-made dataset cannot
be opened. Space is reserved before rendering starts, so a full disk is an error at once and not a crash in the middle.
"""

import hashlib
import json
import os
import shutil
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from posebook.body import load_assets
from posebook.cache import cache_dir, locked, write_text
from posebook.data.sample import ARRAY_FIELDS, TEXT_FIELDS
from posebook.data.synthetic import Painter, Row, View, draw_view, heading, seed_words, split_pool
from posebook.errors import PosebookError
from posebook.motion.kept import kept_clip, motion_version
from posebook.profile import DataProfile
from posebook.progress import Progress
from posebook.splits import split_hash

SCHEMA = 1  # of the folder layout and of how pictures are made; raise it when either changes
CHUNK = 64  # rows rendered between two markers
SPARE = 64 * 2**20  # bytes that must stay free


@dataclass(frozen=True)
class Recipe:
    """All that determines a dataset."""

    motion: str
    split: str
    kind: str  # "stills" or "sequences"
    count: int  # of stills or sequences
    profile: DataProfile

    @property
    def frames(self) -> int:
        """Frames of one view."""
        return 1 if self.kind == "stills" else self.profile.frames

    @property
    def rows(self) -> int:
        """Pictures."""
        return self.count * self.frames

    def identity(self) -> dict:
        """Fields that the data version hashes; the number of other splits' images does not belong to it."""
        looks = {
            k: v for k, v in asdict(self.profile).items() if k in ("image_size", "level", "azimuth", "margin", "seed")
        }
        sources = {"body": load_assets("full").hash, "motion": motion_version(self.motion), "split": split_hash()}
        own = {"motion_name": self.motion, "split_name": self.split, "kind": self.kind, "count": self.count}
        return {"schema": SCHEMA, "frames": self.frames, **looks, **sources, **own}

    def version(self) -> str:
        """Data version: hash of the identity."""
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).hexdigest()[:12]

    def folder(self) -> Path:
        """Where it lives in the cache."""
        return cache_dir("data") / f"{self.motion}-{self.split}-{self.kind}-{self.rows}-{self.version()}"


def view_id(recipe: Recipe, i: int) -> str:
    """Id of still or sequence i."""
    return f"{recipe.motion}-{recipe.split}-{recipe.kind}-{i:06d}"


def views(recipe: Recipe) -> list[View]:
    """Draw every view; cheap, so done again wherever it is needed."""
    pool = split_pool(recipe.motion, recipe.split)
    return [draw_view(view_id(recipe, i), pool, recipe.frames, recipe.profile, i) for i in range(recipe.count)]


def rows_of(recipe: Recipe, drawn: list[View], start: int, stop: int) -> list[Row]:
    """Rows start..stop-1 of the dataset."""
    rows = []
    for row in range(start, stop):
        i, t = divmod(row, recipe.frames)
        clip = kept_clip(recipe.motion, drawn[i].clip)
        rows.append(Row(drawn[i], clip, drawn[i].start + t, drawn[i].start + recipe.frames // 2))
    return rows


def array_shape(field: str, recipe: Recipe) -> tuple[int, ...]:
    """Shape of a stored array."""
    size = recipe.profile.image_size
    return (recipe.rows, *(size if n == "H" else n for n in ARRAY_FIELDS[field][0]))


def open_arrays(folder: Path, recipe: Recipe, mode: str) -> dict[str, np.memmap]:
    """Memory maps of every field."""
    return {
        field: np.memmap(folder / f"{field}.bin", dtype, mode, shape=array_shape(field, recipe))
        for field, (_, dtype) in ARRAY_FIELDS.items()
    }


def reserve(folder: Path, recipe: Recipe) -> None:
    """Make the array files at full size, with their blocks allocated.

    Raises:
        PosebookError: when the disk has no room for them.
    """
    sizes = {f: int(np.prod(array_shape(f, recipe))) * np.dtype(ARRAY_FIELDS[f][1]).itemsize for f in ARRAY_FIELDS}
    folder.mkdir(parents=True, exist_ok=True)
    missing = sum(size for f, size in sizes.items() if not (folder / f"{f}.bin").exists())
    free = shutil.disk_usage(folder).free
    if missing + SPARE > free:
        raise PosebookError(
            f"Expected {(missing + SPARE) / 1e6:.0f} MB free for {recipe.rows} images in {folder.parent}, found "
            f"{free / 1e6:.0f} MB. Free some space, run `posebook cache --clear data`, or set POSEBOOK_CACHE."
        )
    for field, size in sizes.items():
        if (folder / f"{field}.bin").exists():
            continue
        with open(folder / f"{field}.tmp", "wb") as stream:
            try:
                allocate(stream, size)
            except OSError as error:
                raise PosebookError(f"Could not reserve {size} bytes for {folder / field}: {error}.") from error
        os.replace(folder / f"{field}.tmp", folder / f"{field}.bin")


def allocate(stream, size: int) -> None:
    """Give an empty file its size and, where the system can (Linux), its blocks."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(stream.fileno(), 0, size)
    else:
        stream.truncate(size)


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_worker: dict = {}  # this process's recipe, views and painter; filled once by `start_worker`


def start_worker(recipe: Recipe) -> None:
    """Prepare a rendering process."""
    torch.set_num_threads(1)
    _worker.update(recipe=recipe, views=views(recipe), painter=Painter(recipe.profile))


def render_chunk(folder: Path, chunk: int) -> int:
    """Render one chunk into the arrays, flush, leave its marker."""
    recipe = _worker["recipe"]
    start, stop = chunk * CHUNK, min((chunk + 1) * CHUNK, recipe.rows)
    pictures = _worker["painter"].paint(rows_of(recipe, _worker["views"], start, stop))
    for field, array in open_arrays(folder, recipe, "r+").items():
        array[start:stop] = np.stack([p[field] for p in pictures])
        array.flush()
    (folder / f"chunk-{chunk:06d}.done").touch()
    return stop - start


def build(recipe: Recipe, workers: int | None = None) -> Path:
    """Render what is missing of a dataset and put the folder in place.

    Raises:
        PosebookError: for a full disk or a rendering process that was killed; what is finished is kept.
    """
    final = recipe.folder()
    if not final.exists():
        with locked(final):  # a second process that wants the same images waits for them
            if not final.exists():
                render_missing(recipe, final, workers or cores())
    return final


def render_missing(recipe: Recipe, final: Path, workers: int) -> None:
    """Render the chunks that have no marker yet, then finish."""
    partial = final.with_name(final.name + ".partial")
    reserve(partial, recipe)
    chunks = range(-(-recipe.rows // CHUNK))
    todo = [c for c in chunks if not (partial / f"chunk-{c:06d}.done").exists()]
    bar = Progress(recipe.rows, f"Rendering {recipe.motion} {recipe.split} {recipe.kind}", "images")
    bar.update(min((len(chunks) - len(todo)) * CHUNK, recipe.rows) if todo != list(chunks) else 0)
    try:
        render_all(partial, recipe, todo, workers, bar)
    except BrokenProcessPool as error:
        raise PosebookError(
            f"A rendering process died (killed, out of memory, or its error is above) with {bar.done} of {recipe.rows} "
            "images done. Run the same command again: it goes on from there."
        ) from error
    finally:
        bar.close()
    finish(partial, final, recipe)


def render_all(folder: Path, recipe: Recipe, todo: list[int], workers: int, bar) -> None:
    """Render chunks in as many processes as make sense."""
    if workers == 1 or len(todo) <= 2:
        threads = torch.get_num_threads()
        start_worker(recipe)
        for chunk in todo:
            bar.update(render_chunk(folder, chunk))
        torch.set_num_threads(threads)
        return
    spawn = get_context("spawn")  # torch's threads do not survive a fork
    with ProcessPoolExecutor(workers, spawn, initializer=start_worker, initargs=(recipe,)) as pool:
        for future in as_completed([pool.submit(render_chunk, folder, c) for c in todo]):
            bar.update(future.result())


def finish(partial: Path, final: Path, recipe: Recipe) -> None:
    """Write index and manifest, drop the markers, rename."""
    drawn = views(recipe)
    texts = {field: [] for field in TEXT_FIELDS}
    frames = []
    for i, view in enumerate(drawn):
        action = kept_clip(recipe.motion, view.clip).action
        for t in range(recipe.frames):
            name = view_id(recipe, i)
            values = (f"{name}-{t:03d}", f"person-{view.subject:03d}", action, name, view.clip)
            for field, value in zip(TEXT_FIELDS, values, strict=True):
                texts[field].append(value)
            frames.append(view.start + t)
    np.savez(partial / "index.npz", frame=np.array(frames), **{k: np.array(v) for k, v in texts.items()})
    write_text(partial / "manifest.json", json.dumps(manifest(recipe, drawn), indent=1))
    for marker in partial.glob("chunk-*.done"):
        marker.unlink()
    partial.rename(final)


def reached_azimuth(recipe: Recipe, drawn: list[View]) -> np.ndarray:
    """Degrees between heading and camera in every picture, (N,): drawn for the middle frame, changed by turning."""
    angles = []
    for view in drawn:
        turns = [heading(a) for a in kept_clip(recipe.motion, view.clip).global_orient[view.start :][: recipe.frames]]
        angles.append(view.azimuth + turns[recipe.frames // 2] - np.array(turns))
    return np.degrees(np.angle(np.exp(1j * np.concatenate(angles))))


def manifest(recipe: Recipe, drawn: list[View]) -> dict:
    """What a reader must know about a dataset, in plain numbers."""
    azimuth = reached_azimuth(recipe, drawn)
    clips = sorted({v.clip for v in drawn})
    return {
        **recipe.identity(),
        "data_version": recipe.version(),
        "images": recipe.rows,
        "fps": 30.0,
        "subjects": sorted({v.subject for v in drawn}),
        "backgrounds": sorted({v.background for v in drawn}),
        "clips": clips,
        "motion_subjects": sorted({kept_clip(recipe.motion, c).subject for c in clips}),
        "missing_fields": [],  # of the sample schema; the synthetic sets have them all
        "azimuth_reached_degrees": [float(azimuth.min()), float(azimuth.max())],
        "membership": "sha256 hash of subject, clip and background ids: posebook.splits",
        "seed_words_example": seed_words("view", recipe.profile.seed, view_id(recipe, 0)),
    }
