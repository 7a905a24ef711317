"""What `posebook bench` does, from the grid file to the outcomes."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import NamedTuple

from rich.console import Console

from posebook.bench.grid import Grid, GridRun, distinct
from posebook.bench.local import run_local, slots
from posebook.bench.plan import Plan, total
from posebook.bench.work import order
from posebook.errors import PosebookError
from posebook.kernel import check_parameters
from posebook.project import select_chapters
from posebook.runner import Outcome, check_request


class Where(NamedTuple):
    """Who executes the runs: this machine unless a scheduler or a kind of cluster is named."""

    scheduler: str = ""  # address of a Dask scheduler
    cluster: str = ""  # local or slurm
    workers: int | None = None  # runs at once; None: as many as fit (Slurm: a job per run)


def check_where(where: Where) -> None:
    """Refuse contradictions, and a cluster without its packages.

    Raises:
        PosebookError: both a scheduler and a cluster, an unknown kind, or the extra `cluster` is not installed.
    """
    if where.scheduler and where.cluster:
        raise PosebookError("--scheduler uses a cluster that is running, --cluster starts one: give one of them.")
    if where.scheduler and where.workers is not None:
        raise PosebookError("--workers is for clusters that are started here; --scheduler has its own workers.")
    if where.cluster not in ("", "local", "slurm"):
        raise PosebookError(f"--cluster must be local or slurm, not {where.cluster!r}.")
    if where.scheduler or where.cluster:
        try:
            import dask_jobqueue  # noqa: F401
            import distributed  # noqa: F401
        except ImportError as error:
            raise PosebookError(f"{error}. Clusters need the extra: pip install -e '.[cluster]'.") from error


def places_for(grid: Grid, plan: Plan, where: Where) -> list[str]:
    """Places for runs, never more than there are runs: their GPUs, or "" (`local.slots`)."""
    pending = max(1, len(plan.pending))
    if where.cluster == "slurm":
        return [""] * min(pending, where.workers or pending)
    return slots(grid.device, grid.cores, plan.memory_gb, where.workers)[:pending]


def at_once(grid: Grid, plan: Plan, where: Where) -> int:
    """How many runs would be made at once; a running scheduler is asked for its workers.

    Raises:
        PosebookError: the scheduler does not answer or has no worker.
    """
    if not where.scheduler:
        return len(places_for(grid, plan, where))
    from posebook.bench.cluster import connect

    with connect(where.scheduler) as client:
        return len(client.scheduler_info(n_workers=-1)["workers"])


def execute(grid: Grid, plan: Plan, where: Where, console: Console) -> list[Outcome]:
    """Make every pending run; outcomes of all that ended, also when Ctrl-C stops the grid.

    Raises:
        PosebookError: nothing was run, because it cannot work here or on the cluster; or the sources changed.
    """
    pending, clock, outcomes = plan.pending, time.perf_counter(), []
    if not pending:
        return []
    with ExitStack() as stack:
        try:
            steps = stack.enter_context(closing(_start(stack, grid, plan, where, console)))
            for number, (run, outcome) in enumerate(steps, 1):
                outcomes.append(outcome)
                text = f"[{number}/{len(pending)}] {run.label}: {outcome.status} ({outcome.message})"
                console.print(text, markup=False, highlight=False)
        except KeyboardInterrupt:
            left = len(pending) - len(outcomes)
            console.print(f"Interrupted: {len(outcomes)} runs ended, {left} did not. The same command goes on there.")
    minutes = (time.perf_counter() - clock) / 60
    console.print(f"{len(outcomes)} of {len(pending)} runs in {minutes:.2f} min.", highlight=False)
    return outcomes


def _start(
    stack: ExitStack, grid: Grid, plan: Plan, where: Where, console: Console
) -> Iterator[tuple[GridRun, Outcome]]:
    """Check whoever will execute the runs, and let them begin."""
    pending, results = plan.pending, plan.pending[0].request.results
    places = places_for(grid, plan, where)
    for chapter, notebook in select_chapters(sorted({run.chapter for run in pending})).items():
        asked = next(run.request for run in pending if run.chapter == chapter)
        check_parameters(notebook, asked.parameters(chapter) | {"out": ""})
    if not (where.scheduler or where.cluster):
        for request in distinct(pending):
            check_request(request, {})
        console.print(total(plan, len(places)), highlight=False)
        return run_local(pending, order(pending, grid.cores), places)
    from posebook.bench import cluster, preflight

    shared, token = stack.enter_context(preflight.shared_file(results))
    if where.scheduler:
        client = stack.enter_context(cluster.connect(where.scheduler))
    else:
        own = cluster.own_cluster(where.cluster, grid, places, plan.memory_gb, results, console.print)
        client = stack.enter_context(own)
    wanted = order(pending, grid.cores, shared)
    preflight.preflight(client, pending, wanted, token)
    workers = len(client.scheduler_info(n_workers=-1)["workers"])
    console.print(f"Dashboard: {client.dashboard_link}\n{total(plan, workers)}", highlight=False)
    return cluster.run_on(client, pending, wanted, grid.device)
