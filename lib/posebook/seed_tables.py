"""The table "over all committed seeds" in executed chapters: made anew when seeds are committed after they ran.

Nothing else that a chapter shows hangs on the other runs in results/, but for the line above the table that names seeds
of another version of the library: it tells of the run, and stays.
"""

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pandas as pd

from posebook.cache import write_text
from posebook.experiments.committed import SHOWN
from posebook.gathered import Part
from posebook.project import chapters

CALL = "over_seeds("  # in the one cell that shows it
SHOWN_HERE = ("laptop", "procedural")  # profile and motion of notebooks/


def seed_table(part: Part, chapter: str) -> pd.DataFrame:
    """What `posebook.experiments.committed.over_seeds` returns where no seed is new."""
    own = part.findings[part.findings["chapter"] == chapter]
    return own[SHOWN].round(1).reset_index(drop=True)


def shown_tables(parts: list[Part], root: Path) -> Iterator[tuple[Path, pd.DataFrame]]:
    """Every executed notebook with such a table, those of the runs and the clone's own, and what it should show."""
    own = chapters(root)
    for part in parts:
        for chapter, runs in part.group.runs.items():
            paths = [run.folder / "notebook.ipynb" for run in runs.values()]
            if (part.group.profile, part.group.motion) == SHOWN_HERE and chapter in own:
                paths.append(own[chapter])
            table = seed_table(part, chapter) if len(part.findings) else pd.DataFrame()
            yield from ((path, table) for path in paths if path.is_file() and len(table))


def outputs_of(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Outputs that hold the table: one or none."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and CALL in cell.source]
    return [output for cell in cells for output in cell.outputs if output.output_type == "execute_result"]


def refresh_tables(parts: list[Part], root: Path) -> list[Path]:
    """Write the tables that grew old; returns the notebooks that changed."""
    changed = []
    for path, table in shown_tables(parts, root):
        notebook = nbformat.read(path, as_version=4)
        old = [output for output in outputs_of(notebook) if output.data.get("text/html") != as_html(table)]
        for output in old:
            output.data = {"text/html": as_html(table), "text/plain": as_text(table)}
        if old:
            write_text(path, nbformat.writes(notebook) + "\n")
            changed.append(path)
    return changed


def as_html(table: pd.DataFrame) -> str:
    """As a notebook shows it."""
    with pd.option_context("display.max_columns", 20):
        return table._repr_html_()


def as_text(table: pd.DataFrame) -> str:
    """As a notebook tells it to readers without HTML."""
    with pd.option_context("display.max_columns", 20, "display.width", 80):
        return repr(table)
