"""The command line: `posebook run | bench | report | score | pretrain | train | shards | notebooks | weights | …`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from posebook import __version__
from posebook.commands.bench import bench
from posebook.commands.shared import (
    FAILED,
    WRONG_INPUT,
    Device,
    Motion,
    Profile,
    console,
    default_results,
    name_failures,
    parse_seeds,
    print_report,
)
from posebook.commands.train import pretrain, shards, train
from posebook.commands.weights import weights
from posebook.errors import PosebookError


class PosebookGroup(typer.core.TyperGroup):
    """Commands whose PosebookErrors, and a full disk, end as one message and exit code 2, never as a traceback."""

    def invoke(self, ctx):
        """Run the command."""
        try:
            return super().invoke(ctx)
        except PosebookError as error:
            typer.echo(f"posebook: {error}", err=True)
            raise typer.Exit(WRONG_INPUT) from error
        except OSError as error:
            from posebook.cache import DISK_FULL, cache_dir, full_disk_message

            if error.errno not in DISK_FULL:
                raise
            what = f"`posebook {ctx.invoked_subcommand}` stopped"
            message = full_disk_message(error, what, error.filename2 or error.filename or cache_dir())
            typer.echo(f"posebook: {message}", err=True)
            raise typer.Exit(WRONG_INPUT) from error


app = typer.Typer(
    name="posebook",
    cls=PosebookGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Five 3D human pose and mesh papers on one body, one data protocol and one table.",
)

Chapters = Annotated[list[str] | None, typer.Argument(metavar="CHAPTER", help="01, 02 …; all when left out")]
Seeds = Annotated[list[str], typer.Option("--seed", help="repeatable, or a list: 0,1,2")]
Experiments = Annotated[str, typer.Option(help="core or all (each notebook lists its own)")]


@app.command()
def run(
    chapter: Chapters = None,
    profile: Profile = None,
    seed: Seeds = ["0"],  # noqa: B006 (typer reads the default, nothing changes it)
    motion: Motion = "procedural",
    device: Device = "auto",
    experiments: Experiments = "core",
    results: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the runs. The default keeps your runs apart from the committed ones; "
            "`--results results` replaces those.",
            show_default="results-local",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="also run what is finished")] = False,
    cell_timeout: Annotated[int, typer.Option(min=1, help="seconds one cell may take")] = 4 * 3600,
    dataset: Annotated[
        str,
        typer.Option(
            help="a prepared real dataset, e.g. 3dpw (data_download/README.md): the chapters named train and test on "
            "it; without a chapter, rows are scored on it by a paper's protocol"
        ),
    ] = "",
) -> None:
    """Run chapters (finished runs are skipped) and print their table."""
    from posebook.project import EVALUATION, select_chapters
    from posebook.runner import Request, choose_profile, run_all

    chapter = chapter or ([EVALUATION] if dataset else [])
    notebooks, name, folder = select_chapters(chapter), choose_profile(profile), results or default_results()
    requests = [
        Request(name, k, motion, device, experiments, folder, force, cell_timeout, dataset) for k in parse_seeds(seed)
    ]
    outcomes = run_all(notebooks, requests, console())
    if any(outcome.status != "failed" for outcome in outcomes):
        print_report(folder, list(notebooks))
    failed = name_failures(outcomes)
    raise typer.Exit(FAILED if failed else 0)


app.command()(bench)


@app.command()
def report(
    results: Annotated[
        list[Path] | None,
        typer.Option(help="results folder, repeatable", show_default="results-local and results, as far as they exist"),
    ] = None,
    readme: Annotated[bool, typer.Option("--readme", help="make results/report.* and README's tables anew")] = False,
) -> None:
    """Build the tables of everything found, mark what is missing, and name what is left out."""
    from posebook.project import project_root

    if readme:
        from posebook.front_page import refresh

        refresh(project_root())
        typer.echo(f"{project_root() / 'README.md'} and results/report.md now hold the tables of results/.")
        return
    for folder in results or []:
        if not folder.is_dir():
            raise PosebookError(
                f"There is no results folder {folder}. `posebook run` makes one (default results-local)."
            )
    for folder in results or [f for f in (default_results(), project_root() / "results") if f.is_dir()]:
        print_report(folder)


@app.command()
def score(
    predictions: Annotated[
        Path,
        typer.Argument(
            help="npz with sample_id (N,) and joints3d (N,17,3): metres, camera frame, H36M-17 (right leg first); "
            "other arrays, such as vertices, are not scored"
        ),
    ],
    profile: Annotated[str, typer.Option(help="names the test set: smoke, laptop or gpu")] = "laptop",
    motion: Motion = "procedural",
) -> None:
    """Score anyone's predictions on a test set by the table's own protocol."""
    from posebook.markdown import table
    from posebook.score import score as score_file

    scored = score_file(predictions, profile, motion)
    lines = [
        (line.metric, f"{line.value:.2f}", f"{line.low:.2f}", f"{line.high:.2f}", line.n_sequences, line.n_frames)
        for line in scored.table.itertuples()
    ]
    typer.echo(f"Protocol: {scored.protocol}\nTest set: {scored.data}\n")
    typer.echo(table(("metric", "mm", "95 % low", "95 % high", "sequences", "frames"), lines))


for command in (pretrain, train, shards):
    app.command()(command)


@app.command()
def notebooks(
    names: Annotated[list[str] | None, typer.Argument(metavar="NOTEBOOK", help="00, 01, template …")] = None,
    results: Annotated[Path | None, typer.Option(help="where chapter runs go", show_default="results")] = None,
    force: Annotated[bool, typer.Option("--force", help="run chapters again that are finished there")] = False,
    seed: Annotated[int, typer.Option(help="of the chapters' runs")] = 0,
) -> None:
    """Execute the committed notebooks (laptop, all experiments) and write their outputs back, stamped."""
    from posebook.project import project_root
    from posebook.storybook import refresh

    failed = refresh(names or [], results or project_root() / "results", force, console(), seed)
    if failed:
        typer.echo(f"failed: {', '.join(failed)}", err=True)
        raise typer.Exit(FAILED)


app.command()(weights)


@app.command()
def cache(
    kind: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KIND",
            help="body, hand, data, real, motion, cmu_mocap, trunk, variants, checkpoints, features, memory, runs, "
            "weights, training, trained; all when left out",
        ),
    ] = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="remove these kinds; none: all but real, weights, trained")
    ] = False,
) -> None:
    """Show what the cache holds, or clear it."""
    from posebook.cache import cache_dir
    from posebook.doctor import CACHE_KINDS, cache_sizes, clear_cache

    unknown = sorted(set(kind or []) - set(CACHE_KINDS))
    if unknown:
        raise PosebookError(f"Unknown kind {', '.join(unknown)}. The cache holds {', '.join(CACHE_KINDS)}.")
    sizes = clear_cache(kind or []) if clear else {k: s for k, s in cache_sizes().items() if not kind or k in kind}
    typer.echo(f"{'Cleared from' if clear else 'Cache in'} {cache_dir()}")
    for name, size in sizes.items():
        typer.echo(f"  {name:<10} {size / 1e6:10.1f} MB")


@app.command()
def doctor() -> None:
    """Say what is here, what is missing, and how to get it."""
    from posebook.doctor import examine

    checks = examine()
    table = Table(box=None, padding=(0, 1))
    for title in ("", "state", "found", "what to do"):
        table.add_column(title, overflow="fold", no_wrap=title in ("", "state"))
    for check in checks:
        table.add_row(check.name, check.state, check.found, check.remedy)
    console().print(table, markup=False)
    if any(check.state == "missing" for check in checks):
        raise typer.Exit(FAILED)


def show_version(asked: bool) -> None:
    """Print the version and stop."""
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def main(version: Annotated[bool, typer.Option("--version", callback=show_version, is_eager=True)] = False) -> None:
    """Five 3D human pose and mesh papers on one body, one data protocol and one table."""
