"""Where a running notebook is, on the terminal."""

import re
from contextlib import contextmanager
from pathlib import Path

import nbformat
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


def section_of(cell: dict) -> str | None:
    """First heading of a markdown cell."""
    match = re.search(r"^#+ +(.+)$", cell["source"], re.MULTILINE) if cell["cell_type"] == "markdown" else None
    return match[1].strip() if match else None


@contextmanager
def live_position(console: Console, label: str, notebook: Path):
    """Show the running cell and section: a bar in a terminal, a line per section elsewhere. Yields `on_cell`."""
    total = len(nbformat.read(notebook, as_version=4).cells) + 1  # papermill adds a cell
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("cell {task.completed}/{task.total}"))
    with Progress(
        *columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(label, total=total)

        def on_cell(cell: dict, index: int) -> None:
            section = section_of(cell)
            bar.update(task, completed=index + 1, description=f"{label}: {section}" if section else None)
            if section and not console.is_terminal:
                console.print(f"{label} cell {index + 1}/{total}: {section}", highlight=False, markup=False)

        yield on_cell


def shown(path: Path) -> Path:
    """Path relative to the working directory where it lies below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
