"""`posebook bench`."""

from pathlib import Path
from typing import Annotated

import typer

from posebook.commands.shared import FAILED, INTERRUPTED, console, name_failures, print_report


def bench(
    grid: Annotated[Path, typer.Argument(metavar="GRID", help="YAML file (docs/scaling.md)")],
    scheduler: Annotated[str, typer.Option(help="address of a running Dask scheduler, tcp://host:8786")] = "",
    cluster: Annotated[str, typer.Option(help="start a Dask cluster: local or slurm")] = "",
    workers: Annotated[
        int | None, typer.Option(min=1, help="runs at once", show_default="what fits; Slurm: a job per run")
    ] = None,
    results: Annotated[
        Path | None, typer.Option(help="folder for the runs, shared by all nodes", show_default="the grid's")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="also run what is finished")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print the plan and its expected minutes")] = False,
) -> None:
    """Run a grid of chapters, profiles, datasets, motions and seeds; finished runs are skipped."""
    from posebook.bench.command import Where, at_once, check_where, execute
    from posebook.bench.grid import SYNTHETIC, expand, read_grid
    from posebook.bench.plan import make_plan, plan_text

    where, asked = Where(scheduler, cluster, workers), read_grid(grid)
    check_where(where)
    folder = results or project_relative(asked.results)
    plan = make_plan(asked, expand(asked, folder, force))
    if dry_run:
        typer.echo(plan_text(plan, at_once(asked, plan, where)))
        return
    outcomes = execute(asked, plan, where, console())
    synthetic = asked.datasets == [SYNTHETIC]  # with real datasets, not every table has every chapter
    print_report(folder, list(dict.fromkeys(run.chapter for run in plan.runs)) if synthetic else [])
    failed = name_failures(outcomes)
    if len(outcomes) < len(plan.pending):
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(FAILED if failed else 0)


def project_relative(folder: str) -> Path:
    """A folder as a grid names it: relative to the clone, so that every user of the grid means the same."""
    from posebook.project import project_root

    return project_root() / Path(folder).expanduser()
