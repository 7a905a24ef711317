"""The table over all committed seeds in an executed chapter: made anew when a seed is committed after it ran."""

import nbformat
import pandas as pd
import pytest

from posebook.experiments.committed import over_seeds
from posebook.findings import Claim, judge_claims
from posebook.gathered import gather
from posebook.seed_tables import outputs_of, refresh_tables
from tiny import sequences_table, write_run

CLAIMS = [Claim("a beats b", "table 1", "no", "a", "b"), Claim("b beats c", "table 2", "no", "b", "c")]


def errors(seed: int) -> dict[str, list[float]]:
    return {"a": [50.0 + seed + i for i in range(8)], "b": [60.0 + 2 * i for i in range(8)]}


def executed(table: pd.DataFrame) -> nbformat.NotebookNode:
    """A notebook that shows a table, and another one that is none of ours."""
    data = {"text/html": table._repr_html_(), "text/plain": repr(table)}
    made = nbformat.v4.new_notebook()
    for source in ("1 + 1", 'over_seeds("01", …)'):
        output = nbformat.v4.new_output("execute_result", data, execution_count=1)
        made.cells.append(nbformat.v4.new_code_cell(source, outputs=[output]))
    return made


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """Three seeds of chapter 1; each one's notebook shows what was committed when it ran: the seeds up to its own."""
    monkeypatch.setattr("posebook.experiments.committed.project_root", lambda: tmp_path)
    for seed in range(3):
        own = {seed: sequences_table(errors(seed))}
        findings = judge_claims(CLAIMS, own)
        folder = write_run(tmp_path / "results", errors(seed), seed=seed, findings=findings, data_version="d1")
        table = over_seeds("01", "laptop", "procedural", {"data_version": "d1"}, CLAIMS, own)
        nbformat.write(executed(table), folder / "notebook.ipynb")
    (tmp_path / "notebooks").mkdir()
    nbformat.write(executed(pd.DataFrame()), tmp_path / "notebooks" / "01_tiny.ipynb")
    return tmp_path


def shown(path) -> list[str]:
    return [output.data["text/html"] for output in outputs_of(nbformat.read(path, as_version=4))]


def test_tables_that_grew_old_say_what_the_cell_would_say_now(clone):
    runs = clone / "results" / "laptop" / "procedural" / "01"
    last = runs / "seed2" / "notebook.ipynb"
    before = last.read_bytes()
    assert shown(runs / "seed0" / "notebook.ipynb") != shown(last)
    changed = refresh_tables(gather(clone / "results").parts, clone)
    old = [runs / "seed0" / "notebook.ipynb", runs / "seed1" / "notebook.ipynb", clone / "notebooks" / "01_tiny.ipynb"]
    assert sorted(changed) == sorted(old) and last.read_bytes() == before  # the last seed's cell saw all seeds
    assert [shown(path) for path in old] == [shown(last)] * 3 and "reproduced" in shown(last)[0]
    assert "not run" in shown(last)[0]
    assert not refresh_tables(gather(clone / "results").parts, clone)


def test_other_outputs_stay(clone):
    path = clone / "results" / "laptop" / "procedural" / "01" / "seed0" / "notebook.ipynb"
    before = nbformat.read(path, as_version=4).cells[0]
    refresh_tables(gather(clone / "results").parts, clone)
    assert nbformat.read(path, as_version=4).cells[0] == before
