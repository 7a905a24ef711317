"""A grid on this machine: as many runs at once as memory and cores allow, one per GPU, each in its own process."""

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from multiprocessing.connection import Connection

import psutil
import torch

from posebook.bench.grid import GridRun
from posebook.bench.work import Order, perform
from posebook.errors import PosebookError
from posebook.provenance import device_info
from posebook.runner import Outcome
from posebook.work_folder import work_folder

RESERVED_GB = 1.0  # left to the rest of the machine


def visible_gpus() -> list[str]:
    """GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return named[:count] if named else [str(i) for i in range(count)]


def slots(device: str, cores: int, memory_gb: float, wanted: int | None = None) -> list[str]:
    """Places for runs: one entry each, the GPU it owns or "" for none.

    Args:
        device: of the runs: auto, cpu or cuda.
        cores: threads of one run.
        memory_gb: main memory of one run.
        wanted: at most so many; None: as many as fit. At least one place is returned in any case.
    """
    memory = psutil.virtual_memory().available / 2**30 - RESERVED_GB
    fit = max(1, min(device_info("cpu")["cores"] // cores, int(memory // memory_gb)))
    gpus = [] if device == "cpu" else visible_gpus()
    places = gpus[:fit] if gpus else [""] * fit
    return places if wanted is None else (places[:wanted] if gpus else [""] * wanted)


def _child(pipe: Connection, wanted: Order, gpu: str) -> None:
    """Perform the runs that come through the pipe, one after another; Ctrl-C is the parent's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if gpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    while (run := pipe.recv()) is not None:
        try:
            pipe.send(perform(run, wanted))
        except PosebookError as error:  # the sources were edited while the grid was running
            pipe.send(error)


class _Place:
    """A process with its GPU; it starts with its first run, and anew after a run that took it along."""

    def __init__(self, gpu: str, wanted: Order):
        self._gpu, self._wanted, self._lock = gpu, wanted, threading.Lock()
        self._process, self._stopped = None, False

    def _start(self) -> None:
        with self._lock:
            if self._process is None and not self._stopped:
                context = multiprocessing.get_context("spawn")
                self._pipe, theirs = context.Pipe()
                self._process = context.Process(target=_child, args=(theirs, self._wanted, self._gpu), daemon=False)
                self._process.start()
                theirs.close()

    def perform(self, run: GridRun) -> Outcome:
        """One run.

        Raises:
            PosebookError: the sources were changed.
        """
        self._start()
        if self._stopped:
            return _dead(run, None)
        try:
            self._pipe.send(run)
            answer = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            answer, self._process = _dead(run, self._process.exitcode), None
        if isinstance(answer, PosebookError):
            raise answer
        return answer

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()  # not SIGTERM: nbclient would answer it by recording a failed run


def _dead(run: GridRun, code: int | None) -> Outcome:
    """Outcome of a run whose process ended without a word; its work folder is removed."""
    with work_folder(run.folder):
        pass
    message = f"its process ended with code {code}; most often the machine ran out of memory (see `memory_gb`)"
    return Outcome(run.chapter, run.request.seed, "failed", run.folder.parent, message)


def run_local(runs: list[GridRun], wanted: Order, places: list[str]) -> Iterator[tuple[GridRun, Outcome]]:
    """Perform all runs; yields each with its outcome as it ends. Closing the iterator stops what is running.

    Raises:
        PosebookError: the project's sources were changed meanwhile.
    """
    free: queue.Queue[_Place] = queue.Queue()
    every = [_Place(gpu, wanted) for gpu in places]
    for place in every:
        free.put(place)

    def on_a_free_place(run: GridRun) -> Outcome:
        place = free.get()
        try:
            return place.perform(run)
        finally:
            free.put(place)

    pool = ThreadPoolExecutor(len(every))
    try:
        futures = {pool.submit(on_a_free_place, run): run for run in runs}
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for place in every:
            place.stop()
        pool.shutdown()
