"""Committed notebooks: run in order, clean, small, readable without JavaScript, and all built alike."""

import json
import re
from pathlib import Path

import nbformat
import papermill
import pytest

from posebook.project import notebook_hash

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
CHAPTERS = [path for path in NOTEBOOKS if re.match(r"0[1-589]_", path.name)]  # 00, 06 and 07 write no results
TEMPLATE = FOLDER / "template.ipynb"
LEADERBOARD = FOLDER / "06_leaderboard.ipynb"  # built like a chapter, but it has no run of its own
PARAMETERS = {"profile", "seed", "motion", "device", "experiments", "out"}
SKELETON = (  # headings of every chapter, in this order; each has its own sections between Setup and Results
    *("Objectives", "Parameters", "Setup"),
    *("Results", "What can go wrong", "Findings", "Exercises", "References"),
)
PLOTLY = "application/vnd.plotly.v1+json"
PRIVATE = re.compile(r"(?<![\w/.~:<>-])/(?:root|home|work|tmp|Users)/\w")
MAX_BYTES = 1_500_000
MAX_LINES = 40


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in read(path).cells if cell.cell_type == "code" and cell.source.strip()]


def outputs(path: Path) -> list[nbformat.NotebookNode]:
    return [output for cell in code_cells(path) for output in cell.outputs]


def texts(output: nbformat.NotebookNode) -> str:
    """All text of an output; pictures and packed arrays are no text."""
    data = {kind: value for kind, value in output.get("data", {}).items() if not kind.startswith("image/")}
    return re.sub(r'"bdata": ?"[^"]*"', "", json.dumps([output.get("text", ""), data]))


def headings(path: Path) -> list[str]:
    """Headings without their numbers, in order."""
    found = []
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            prose = re.sub(r"^```.*?^```", "", cell.source, flags=re.MULTILINE | re.DOTALL)
            found += re.findall(r"^#{1,6} +(?:[\d.]+ +)?(.+?) *$", prose, re.MULTILINE)
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestEveryNotebook:
    def test_is_valid_and_names_the_python3_kernel(self, path):
        notebook = read(path)
        nbformat.validate(notebook)
        assert notebook.metadata.kernelspec.name == "python3"

    def test_was_run_from_top_to_bottom(self, path):
        cells = code_cells(path)
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)), "run `posebook notebooks`"

    def test_outputs_are_of_these_sources(self, path):
        stamped = read(path).metadata.get("posebook", {}).get("source_hash")
        assert stamped == notebook_hash(path), "run `posebook notebooks`"

    def test_has_no_error(self, path):
        allowed = {i for i, cell in enumerate(code_cells(path)) if "raises-exception" in cell.metadata.get("tags", [])}
        errors = [
            (i, output.ename)
            for i, cell in enumerate(code_cells(path))
            for output in cell.outputs
            if output.output_type == "error" and i not in allowed
        ]
        assert not errors

    def test_has_no_private_path(self, path):
        found = [match[0] for output in outputs(path) for match in PRIVATE.finditer(texts(output))]
        assert not found

    def test_is_small(self, path):
        assert path.stat().st_size < MAX_BYTES

    def test_has_short_cells(self, path):
        long = [cell.source.splitlines()[0] for cell in code_cells(path) if len(cell.source.splitlines()) > MAX_LINES]
        assert not long

    def test_explains_at_least_as_often_as_it_computes(self, path):
        markdown = sum(cell.cell_type == "markdown" for cell in read(path).cells)
        assert markdown >= len(code_cells(path))

    def test_has_a_picture_beside_every_plotly_figure(self, path):
        lonely = [
            output for output in outputs(path) if PLOTLY in output.get("data", {}) and "image/png" not in output.data
        ]
        assert not lonely

    def test_keeps_no_widget_state(self, path):
        assert "widgets" not in read(path).metadata


@pytest.mark.parametrize("path", [*CHAPTERS, TEMPLATE], ids=lambda path: path.stem)
class TestEveryChapter:
    def test_has_the_parameters_that_the_runner_gives(self, path):
        tagged = [cell for cell in code_cells(path) if "parameters" in cell.metadata.get("tags", [])]
        assert len(tagged) == 1
        assert PARAMETERS <= set(papermill.inspect_notebook(path))

    def test_defaults_are_the_laptop_core_run(self, path):
        defaults = {name: p["default"].strip("'\"") for name, p in papermill.inspect_notebook(path).items()}
        asked = {"profile": "laptop", "seed": "0", "motion": "procedural", "experiments": "core", "out": ""}
        assert {name: defaults[name] for name in asked} == asked

    def test_writes_its_results_in_the_last_code_cell_that_is_no_exercise(self, path):
        """The run is finished before the exercises, which readers change."""
        cells = read(path).cells
        finish = [i for i, cell in enumerate(cells) if cell.cell_type == "code" and "run.finish()" in cell.source]
        exercises = [
            i for i, c in enumerate(cells) if c.cell_type == "markdown" and re.search("^#+ .*Exercises", c.source, re.M)
        ]
        assert len(finish) == 1 and finish[0] < exercises[0]


@pytest.mark.parametrize("path", [*CHAPTERS, LEADERBOARD, TEMPLATE], ids=lambda path: path.stem)
class TestEveryChapterAndTheLeaderboard:
    def test_every_parameter_is_explained(self, path):
        assert not [name for name, p in papermill.inspect_notebook(path).items() if not p["help"]]

    def test_follows_the_skeleton(self, path):
        found = [heading for heading in headings(path) if heading in SKELETON]
        assert found == list(SKELETON)

    def test_shows_findings(self, path):
        """Between the headings Findings and Exercises a code cell computes them."""
        cells = read(path).cells
        marks = [
            next(
                i
                for i, c in enumerate(cells)
                if c.cell_type == "markdown" and re.search(rf"^#+ .*{name}", c.source, re.M)
            )
            for name in ("Findings", "Exercises")
        ]
        assert any(cell.cell_type == "code" and cell.outputs for cell in cells[marks[0] : marks[1]])


def test_the_leaderboard_takes_the_parameters_of_chapters_that_it_needs():
    defaults = {name: p["default"].strip("'\"") for name, p in papermill.inspect_notebook(LEADERBOARD).items()}
    assert defaults == {"profile": "laptop", "motion": "procedural", "seed": "0", "results": ""}


def test_the_private_path_pattern_sees_paths_and_only_paths():
    for text in ('"/root/x', "saved to /home/me/a", "'/tmp/abc'", "(/work/main", "=/Users/me"):
        assert PRIVATE.search(text), text
    for text in ("pelvis/root/hip", "https://x.org/home/a", "~/work/a", "a/tmp/b", "<cache>/tmp/x", "/rooted"):
        assert not PRIVATE.search(text), text


def test_there_are_notebooks():
    assert TEMPLATE in NOTEBOOKS and FOLDER / "00_start_here.ipynb" in NOTEBOOKS and CHAPTERS
