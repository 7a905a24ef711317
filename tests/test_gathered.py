"""The committed results: report, README and picture say what gathering them anew says."""

from pathlib import Path

import nbformat
import pytest
from PIL import Image

from posebook.front_page import PICTURE, STAMP, page, picture_board, picture_stamp
from posebook.gathered import gather
from posebook.report import build
from posebook.seed_tables import as_html, outputs_of, shown_tables

ROOT = Path(__file__).parents[1]
RESULTS, ADVICE = ROOT / "results", "run `posebook report --readme`"


@pytest.fixture(scope="module")
def found():
    """Twenty seconds of bootstraps, once for all tests."""
    return gather(RESULTS)


def test_every_committed_run_counts(found):
    assert not found.excluded
    assert {(part.group.profile, part.group.motion) for part in found.parts} == {
        run.parent.parts[-4:-2] for run in RESULTS.glob("*/*/*/seed*/run.json")
    }


def test_the_committed_report_is_not_stale(found):
    report = build(RESULTS, found=found)
    assert (RESULTS / "report.md").read_text() == report.markdown, ADVICE
    for name, made in (("report", report.metrics), ("findings", report.findings)):
        assert (RESULTS / f"{name}.csv").read_text() == made.to_csv(index=False, float_format="%.6g"), ADVICE


def test_the_committed_readme_is_not_stale(found):
    text = (ROOT / "README.md").read_text()
    assert page(text, found.parts, RESULTS, ROOT) == text, ADVICE


def test_the_committed_picture_is_not_stale(found):
    stamp = Image.open(RESULTS / PICTURE).text[STAMP]
    assert stamp == picture_stamp(picture_board(found.parts)), ADVICE


def test_the_tables_over_seeds_in_executed_notebooks_are_not_stale(found):
    shown = list(shown_tables(found.parts, ROOT))
    assert {path.parent for path, _ in shown} > {ROOT / "notebooks", RESULTS / "laptop" / "procedural" / "05" / "seed0"}
    for path, table in shown:
        (output,) = outputs_of(nbformat.read(path, as_version=4))
        assert output.data["text/html"] == as_html(table), f"{path}: {ADVICE}"
