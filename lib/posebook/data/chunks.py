"""Making datasets on disk: one folder of memory-mapped arrays, an index and a manifest, in chunks that can be resumed.

A folder under construction is called `<name>.partial`; every finished chunk of rows leaves a marker there, so a killed
run goes on where it stopped. The folder gets its final name only when every chunk is there: a half-made dataset cannot
be opened. Space is reserved before rendering starts, so a full disk is an error at once and not a crash in the middle.
"""

import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from posebook.cache import locked, write_text
from posebook.errors import PosebookError
from posebook.progress import Progress

CHUNK = 64  # rows rendered between two markers
SPARE = 64 * 2**20  # bytes that must stay free

Fields = dict[str, tuple[tuple[int | str, ...], str]]  # stored field -> shape after N ("H": image size), dtype on disk


class Plan(Protocol):
    """What determines a dataset, and how its rows are made. Travels to other processes."""

    fields: Fields

    @property
    def rows(self) -> int:
        """Pictures."""

    @property
    def image_size(self) -> int:
        """Pixels."""

    def folder(self) -> Path:
        """Where the finished dataset lives."""

    def title(self) -> str:
        """Words for the progress bar."""

    def painter(self) -> Callable[[int, int], list[dict]]:
        """Made once per process: renders rows start..stop-1, each a dict of the stored fields."""

    def index(self) -> dict[str, np.ndarray]:
        """Texts and numbers of all rows."""

    def manifest(self) -> dict:
        """What a reader must know, in plain numbers; with "images" and "image_size"."""


def array_shape(dims: tuple[int | str, ...], rows: int, size: int) -> tuple[int, ...]:
    """Shape of a stored array of `rows` pictures with `size` pixels."""
    return (rows, *(size if n == "H" else n for n in dims))


def open_arrays(folder: Path, plan: Plan, mode: str) -> dict[str, np.memmap]:
    """Memory maps of every field."""
    return {
        field: np.memmap(folder / f"{field}.bin", dtype, mode, shape=array_shape(dims, plan.rows, plan.image_size))
        for field, (dims, dtype) in plan.fields.items()
    }


def reserve(folder: Path, plan: Plan) -> None:
    """Make the array files at full size, with their blocks allocated.

    Raises:
        PosebookError: when the disk has no room for them.
    """
    shapes = {f: array_shape(dims, plan.rows, plan.image_size) for f, (dims, _) in plan.fields.items()}
    sizes = {f: int(np.prod(shape)) * np.dtype(plan.fields[f][1]).itemsize for f, shape in shapes.items()}
    folder.mkdir(parents=True, exist_ok=True)
    missing = sum(size for f, size in sizes.items() if not (folder / f"{f}.bin").exists())
    free = shutil.disk_usage(folder).free
    if missing + SPARE > free:
        raise PosebookError(
            f"Expected {(missing + SPARE) / 1e6:.0f} MB free for {plan.rows} images in {folder.parent}, found "
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


_worker: dict = {}  # this process's plan and painter; filled once by `start_worker`


def start_worker(plan: Plan) -> None:
    """Prepare a rendering process."""
    torch.set_num_threads(1)
    _worker.update(plan=plan, paint=plan.painter())


def render_chunk(folder: Path, chunk: int) -> int:
    """Render one chunk into the arrays, flush, leave its marker."""
    plan = _worker["plan"]
    start, stop = chunk * CHUNK, min((chunk + 1) * CHUNK, plan.rows)
    pictures = _worker["paint"](start, stop)
    for field, array in open_arrays(folder, plan, "r+").items():
        array[start:stop] = np.stack([p[field] for p in pictures])
        array.flush()
    (folder / f"chunk-{chunk:06d}.done").touch()
    return stop - start


def build(plan: Plan, workers: int | None = None) -> Path:
    """Render what is missing of a dataset and put the folder in place.

    Raises:
        PosebookError: for a full disk or a rendering process that was killed; what is finished is kept.
    """
    final = plan.folder()
    if not final.exists():
        with locked(final):  # a second process that wants the same images waits for them
            if not final.exists():
                render_missing(plan, final, workers or cores())
    return final


def render_missing(plan: Plan, final: Path, workers: int) -> None:
    """Render the chunks that have no marker yet, then finish."""
    partial = final.with_name(final.name + ".partial")
    reserve(partial, plan)
    chunks = range(-(-plan.rows // CHUNK))
    todo = [c for c in chunks if not (partial / f"chunk-{c:06d}.done").exists()]
    bar = Progress(plan.rows, f"Rendering {plan.title()}", "images")
    bar.update(min((len(chunks) - len(todo)) * CHUNK, plan.rows) if todo != list(chunks) else 0)
    try:
        render_all(partial, plan, todo, workers, bar)
    except BrokenProcessPool as error:
        raise PosebookError(
            f"A rendering process died (killed, out of memory, or its error is above) with {bar.done} of {plan.rows} "
            "images done. Run the same command again: it goes on from there."
        ) from error
    finally:
        bar.close()
    finish(partial, final, plan)


def render_all(folder: Path, plan: Plan, todo: list[int], workers: int, bar) -> None:
    """Render chunks in as many processes as make sense."""
    if workers == 1 or len(todo) <= 2:
        threads = torch.get_num_threads()
        start_worker(plan)
        for chunk in todo:
            bar.update(render_chunk(folder, chunk))
        torch.set_num_threads(threads)
        return
    spawn = get_context("spawn")  # torch's threads do not survive a fork
    with ProcessPoolExecutor(workers, spawn, initializer=start_worker, initargs=(plan,)) as pool:
        for future in as_completed([pool.submit(render_chunk, folder, c) for c in todo]):
            bar.update(future.result())


def finish(partial: Path, final: Path, plan: Plan) -> None:
    """Write index and manifest, drop the markers, rename."""
    np.savez(partial / "index.npz", **plan.index())
    write_text(partial / "manifest.json", json.dumps(plan.manifest(), indent=1))
    for marker in partial.glob("chunk-*.done"):
        marker.unlink()
    partial.rename(final)
