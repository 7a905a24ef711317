"""A grid on a Dask cluster: one run per task, a GPU as a worker's resource, runs of dead workers given to others."""

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from distributed import Client, KilledWorker, Nanny, Scheduler, SpecCluster, as_completed
from distributed.deploy.cluster import Cluster

from posebook.bench.grid import Grid, GridRun
from posebook.bench.work import THREADS, Order, perform
from posebook.errors import PosebookError
from posebook.runner import Outcome

CONNECT_SECONDS = 20  # for a scheduler to answer, and for its first worker to be there
UNLIMITED = ("--memory-limit", "0")  # a worker must not be paused for what its kernels take: Slurm watches the job
QUIET = logging.WARNING  # of Dask's own log: a worker that died is worth a line, its coming and going is not


@contextmanager
def connect(address: str) -> Iterator[Client]:
    """Client of a scheduler that is already running, with at least one worker.

    Raises:
        PosebookError: nobody answers there, or no worker is there.
    """
    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise PosebookError(
            f"No Dask scheduler answers at {address!r} ({type(error).__name__}). Start one with `dask scheduler`; it "
            "prints its address (tcp://host:8786). From another machine the port must be open."
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError as error:
            raise PosebookError(
                f"The scheduler at {address} has no worker. Start some in a clone on each node: "
                f".venv/bin/dask worker {address} --nthreads 1 --memory-limit 0"
            ) from error
        yield client


@contextmanager
def own_cluster(
    kind: str, grid: Grid, places: list[str], memory_gb: float, results: Path, say: Callable[[str], None]
) -> Iterator[Client]:
    """Client of a cluster that lives as long as this command.

    Args:
        kind: "local": worker processes of this machine, one per place; "slurm": a job per place.
        places: GPUs that the workers own, "" for none (on Slurm only their number counts).
        memory_gb: main memory of one run.
        results: Slurm's logs go to `<results>/.slurm`.
        say: gets a sentence when there is something to wait for.
    """
    if kind == "slurm":
        with _slurm(grid, memory_gb, results) as cluster, Client(cluster) as client:
            _check_job(cluster.job_script())
            cluster.scale(jobs=len(places))
            say(f"Waiting for the first of {len(places)} Slurm jobs (`squeue` shows them) …")
            client.wait_for_workers(1)
            yield client
        return
    with _local(grid, places) as cluster, Client(cluster) as client:
        client.wait_for_workers(len(places))
        yield client


def _local(grid: Grid, places: list[str]) -> Cluster:
    """Worker processes of this machine, each with its GPU; the memory that runs take is not the worker's own."""
    threads = {name: str(grid.cores) for name in THREADS}
    workers = {}
    for number, gpu in enumerate(places):
        gpu_options = {"resources": {"GPU": 1}, "env": threads | {"CUDA_VISIBLE_DEVICES": gpu}} if gpu else {}
        options = {"nthreads": 1, "memory_limit": 0, "env": threads, "host": "127.0.0.1", "silence_logs": QUIET}
        workers[number] = {"cls": Nanny, "options": options | gpu_options}
    scheduler = {"cls": Scheduler, "options": {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}}
    return SpecCluster(workers=workers, scheduler=scheduler, name="posebook", silence_logs=QUIET)


def _slurm(grid: Grid, memory_gb: float, results: Path) -> Cluster:
    """One Slurm job per worker, one run at a time in each.

    Raises:
        PosebookError: no Slurm here, or options in the grid that SLURMCluster does not know.
    """
    from dask_jobqueue import SLURMCluster

    if shutil.which("sbatch") is None:
        raise PosebookError("--cluster slurm needs `sbatch`: run this on a login node of a Slurm cluster.")
    gpu = grid.device == "cuda"
    options: dict[str, Any] = {"cores": 1, "processes": 1, "job_cpu": grid.cores, "memory": f"{memory_gb:.1f} GB"}
    options |= {"walltime": "04:00:00", "python": sys.executable, "log_directory": str(results / ".slurm")}
    options |= {"scheduler_options": {"dashboard_address": ":0"}, "silence_logs": QUIET} | grid.slurm
    ours = {"job_extra_directives": ["--gres=gpu:1"] if gpu else [], "worker_extra_args": list(UNLIMITED)}
    ours["worker_extra_args"] += ["--resources", "GPU=1"] if gpu else []
    options |= {name: own + list(grid.slurm.get(name, [])) for name, own in ours.items()}
    try:
        return SLURMCluster(**options)
    except (TypeError, ValueError) as error:
        raise PosebookError(f"The grid's `slurm` options do not fit dask_jobqueue.SLURMCluster: {error}.") from error


def _check_job(script: str) -> None:
    """Ask Slurm whether it would take the workers' job; jobqueue itself would wait for ever after a refusal.

    Raises:
        PosebookError: it would not: an unknown partition or account, more memory or cores than a node has …
    """
    asked = subprocess.run(["sbatch", "--test-only"], input=script, capture_output=True, text=True)
    if asked.returncode:
        said = " ".join(asked.stderr.split())
        raise PosebookError(
            f"Slurm refuses the workers' job: {said}. Change `slurm`, `cores` or `memory_gb` in the grid."
        )


def needs(client: Client, device: str) -> dict[str, int]:
    """Resources that one run takes: a GPU where the workers declare some and the grid does not ask for the CPU.

    Raises:
        PosebookError: CUDA asked for, and no worker declares a GPU: the runs would wait for ever.
    """
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    declared = any(worker["resources"].get("GPU") for worker in workers)
    if device == "cuda" and not declared:
        raise PosebookError(
            "The grid asks for cuda, but no worker declares a GPU. Start one worker per GPU: "
            "CUDA_VISIBLE_DEVICES=0 .venv/bin/dask worker ADDRESS --nthreads 1 --memory-limit 0 --resources GPU=1"
        )
    return {"GPU": 1} if declared and device != "cpu" else {}


def run_on(client: Client, runs: list[GridRun], wanted: Order, device: str) -> Iterator[tuple[GridRun, Outcome]]:
    """Perform all runs; yields each with its outcome as it ends. Closing the iterator takes back what has not begun.

    Raises:
        PosebookError: a worker that came later turned out unfit.
    """
    resources = needs(client, device)
    keys = {f"{run.label.replace(' ', '-')}-{os.urandom(4).hex()}": run for run in runs}
    futures = {client.submit(perform, run, wanted, key=key, resources=resources) for key, run in keys.items()}
    try:
        for future in as_completed(list(futures)):
            run, error = keys[future.key], future.exception()
            outcome = _died(run, error) if error else future.result()
            futures.discard(future)
            future.release()  # else Dask would make the run again if its worker died later
            yield run, outcome
    finally:
        client.cancel(list(futures))


def _died(run: GridRun, error: BaseException) -> Outcome:
    """Outcome of a run whose workers died; any other error means that a worker is unfit, and ends the grid."""
    if isinstance(error, KilledWorker):
        message = f"{error.allowed_failures + 1} workers died while they performed it; most often memory ran out"
        return Outcome(run.chapter, run.request.seed, "failed", run.folder.parent, message)
    if isinstance(error, PosebookError):
        raise error
    raise PosebookError(f"A worker could not perform {run.label}: {type(error).__name__}: {error}.") from error
