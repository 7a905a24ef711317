"""What several commands share: their options, exit codes, and how runs are told."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from posebook.errors import PosebookError

if TYPE_CHECKING:
    from posebook.report import Report

WRONG_INPUT = 2  # exit code of every PosebookError
FAILED = 1  # exit code when a notebook failed
INTERRUPTED = 130  # exit code after Ctrl-C, as shells have it

Profile = Annotated[str | None, typer.Option(help="smoke, laptop or gpu", show_default="POSEBOOK_PROFILE, else laptop")]
Motion = Annotated[str, typer.Option(help="procedural or cmu")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:<number>")]


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


def name_failures(outcomes: list) -> bool:
    """Name every failed run on the error stream; whether there was one."""
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    for outcome in failed:
        typer.echo(f"failed: chapter {outcome.chapter}, seed {outcome.seed}: {outcome.message}", err=True)
    return bool(failed)


def print_report(folder: Path, expected: list[str] | None = None) -> None:
    """Print a results folder's tables, and write them beside its runs if that can be done.

    Args:
        folder: of results.
        expected: chapters whose gaps are printed; all of the clone by default. What is written names every gap.
    """
    from posebook.gathered import gather
    from posebook.report import build

    found = gather(folder)
    report = build(folder, expected, found=found)
    typer.echo(f"\nResults in {folder}\n\n{report.markdown}")
    if len(report.metrics):
        write_report(report if expected is None else build(folder, found=found), folder)


def write_report(report: "Report", folder: Path) -> None:
    """Write the tables into a results folder; where they are not let in, say so.

    Raises:
        OSError: the disk is full, which whoever runs the command answers.
    """
    from posebook.cache import DISK_FULL
    from posebook.report import write

    try:
        write(report, folder)
    except OSError as error:
        if error.errno in DISK_FULL:
            raise
        remedy = "Make the folder writable, then `posebook report` writes it."
        typer.echo(f"not written: {folder / 'report.md'} ({error.strerror or error}). {remedy}", err=True)
