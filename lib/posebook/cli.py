"""The command line: `posebook run | bench | report | score | pretrain | train | shards | notebooks | weights | …`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from posebook import __version__
from posebook.errors import PosebookError

WRONG_INPUT = 2  # exit code of every PosebookError
FAILED = 1  # exit code when a notebook failed
INTERRUPTED = 130  # exit code after Ctrl-C, as shells have it


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
Profile = Annotated[str | None, typer.Option(help="smoke, laptop or gpu", show_default="POSEBOOK_PROFILE, else laptop")]
Seeds = Annotated[list[str], typer.Option("--seed", help="repeatable, or a list: 0,1,2")]
Motion = Annotated[str, typer.Option(help="procedural or cmu")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:<number>")]
Experiments = Annotated[str, typer.Option(help="core or all (each notebook lists its own)")]


def console() -> Console:
    """Terminal output; made per command so that redirected streams are honoured."""
    return Console(soft_wrap=True)


def parse_seeds(texts: list[str]) -> list[int]:
    """Seeds of `--seed 0 --seed 1,2`, without repeats."""
    parts = [part for text in texts for part in text.replace(",", " ").split()]
    if not parts or not all(part.isdecimal() for part in parts):
        raise PosebookError(f"--seed takes whole numbers from 0, singly or as a list (0,1,2), not {' '.join(texts)!r}.")
    return list(dict.fromkeys(int(part) for part in parts))


def default_results() -> Path:
    """`results-local/` of the clone: never the committed results/."""
    from posebook.project import project_root

    return project_root() / "results-local"


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


@app.command()
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


def name_failures(outcomes: list) -> bool:
    """Name every failed run on the error stream; whether there was one."""
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    for outcome in failed:
        typer.echo(f"failed: chapter {outcome.chapter}, seed {outcome.seed}: {outcome.message}", err=True)
    return bool(failed)


def print_report(folder: Path, expected: list[str] | None = None) -> None:
    """Print a results folder's tables and write them beside its runs."""
    from posebook.report import build, write

    report = build(folder, expected)
    typer.echo(f"\nResults in {folder}\n\n{report.markdown}")
    if len(report.metrics):
        write(report, folder)


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


@app.command()
def pretrain(
    profile: Profile = None,
    device: Device = "auto",
    out: Annotated[Path | None, typer.Option(help="folder for the trunk", show_default="<cache>/trunk")] = None,
) -> None:
    """Train the trunk on 2D joints of the train split."""
    from posebook.profile import load_profile
    from posebook.provenance import resolve_device
    from posebook.runner import choose_profile
    from posebook.trunk import pretrain as train

    sizes = load_profile(choose_profile(profile))
    for path in train(sizes, device=str(resolve_device(device)), folder=out.resolve() if out else None):
        typer.echo(f"Trunk written to {path}")


@app.command()
def train(
    chapter: Annotated[str, typer.Argument(help="01 to 05")],
    row: Annotated[list[str] | None, typer.Option("--row", help="name in the table; left out: lists the names")] = None,
    profile: Profile = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    motion: Annotated[
        str,
        typer.Option(
            help="procedural, cmu, or a prepared real dataset, thinned out to as many frames of each split as the "
            "profile trains on; --shards brings all frames of train instead"
        ),
    ] = "procedural",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    devices: Annotated[
        int | None,
        typer.Option(min=1, help="processes on each machine", show_default="1, or what torchrun/srun started"),
    ] = None,
    nodes: Annotated[
        int | None, typer.Option(min=1, help="machines", show_default="1, or what torchrun/srun started")
    ] = None,
    precision: Annotated[str, typer.Option(help="32-true or bf16-mixed")] = "32-true",
    shards: Annotated[
        Path | None, typer.Option(help="training pictures of `posebook shards`", show_default="from the cache")
    ] = None,
    checkpoint_seconds: Annotated[float, typer.Option(min=0, help="between two checkpoints at least")] = 60.0,
) -> None:
    """Train rows of a chapter on one or many devices; its notebook then takes these weights, and says so."""
    from posebook.profile import load_profile
    from posebook.runner import choose_profile
    from posebook.training.command import train as train_rows
    from posebook.training.processes import Place
    from posebook.training.rows import rows

    sizes = load_profile(choose_profile(profile))
    if not row:
        typer.echo("\n".join(rows(chapter, sizes)))
        return
    place = Place(device, devices, nodes, precision)
    train_rows(chapter, row, sizes, motion, seed, place, shards, checkpoint_seconds, typer.echo)


@app.command()
def shards(
    dataset: Annotated[str, typer.Argument(help="procedural, cmu, or a prepared real dataset, e.g. 3dpw")],
    out: Annotated[Path, typer.Option(help="new folder for the shards")],
    split: Annotated[str, typer.Option(help="train, val or test, as the chapters divide the dataset")] = "train",
    profile: Profile = None,
    per_shard: Annotated[int, typer.Option(min=1, help="pictures in one tar file")] = 2000,
) -> None:
    """Write a dataset as WebDataset shards, which `posebook train --shards` streams from.

    Of rendered people the shards hold the profile's pictures. Of a real dataset they hold every frame of the split,
    with the people and scenes that validate left out of train; `posebook run` and `posebook train`, which test on it
    too, take the same splits thinned out to as many pictures as the profile trains on.
    """
    from posebook.data.shards import write_shards
    from posebook.profile import load_profile
    from posebook.runner import choose_profile
    from posebook.sources import MOTIONS

    sizes = load_profile(choose_profile(profile))
    if dataset in MOTIONS:
        from posebook.data import open_dataset as open_it
    else:
        from posebook.data.real.whole import open_whole as open_it
    done = write_shards(open_it(dataset, split, sizes), out, per_shard)
    typer.echo(f"{done.pictures} pictures in {done.shards} shards, {done.bytes / 1e6:.1f} MB, in {out}")


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


@app.command()
def weights(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="one of the list; left out: the list")] = None,
    file: Annotated[Path | None, typer.Option(help="the official file, unchanged", show_default="in --folder")] = None,
    dataset: Annotated[str | None, typer.Option(help="score on it by the paper's protocol")] = None,
    folder: Annotated[Path | None, typer.Option(help="where files lie", show_default="<cache>/weights")] = None,
    smpl: Annotated[
        str,
        typer.Option(
            help="licensed SMPL or MANO file; 'inside': the copy in the weights", show_default="POSEBOOK_SMPL"
        ),
    ] = "",
    limit: Annotated[int, typer.Option(min=0, help="score the first so many pictures; 0: all")] = 0,
) -> None:
    """List official weights, read one into our network, score it. Nothing is downloaded."""
    from posebook.weights import default_folder, find_file, known_weights, load_weights
    from posebook.weights.report import about_text, list_text, loaded_text

    place = folder or default_folder()
    if name is None:
        typer.echo(list_text(place))
        return
    known = known_weights(name)
    path = file or find_file(known, place)
    if path is None:
        typer.echo(about_text(known))
        raise PosebookError(f"No {' or '.join(known.files)} in {place}. Put it there, or name it with --file.")
    loaded = load_weights(known, path)
    typer.echo(loaded_text(loaded))
    if dataset is None:
        typer.echo(about_text(known))
        return
    from posebook.weights.compare import compare

    for text in compare(loaded, dataset, place, smpl, limit):
        typer.echo(f"\n{text}")


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
