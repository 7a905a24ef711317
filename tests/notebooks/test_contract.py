"""The template is a chapter that works: it runs as one, and what it writes is read by the report and by the score."""

from pathlib import Path

import pytest

from posebook.metrics import POSEBOOK17
from posebook.report import build
from posebook.runner import Request, run_one
from posebook.runs import read_run
from posebook.score import score

TEMPLATE = Path(__file__).parents[2] / "notebooks" / "template.ipynb"
HEADLINE = "learnt mean pose"  # the row of its predictions.npz
TOLERANCE = 0.05  # mm


@pytest.mark.slow
def test_the_template_runs_and_its_results_are_read_by_everything(tmp_path, monkeypatch, body_cache):
    """One kernel, smoke profile; `posebook run` calls the same function for a chapter's notebook."""
    monkeypatch.delenv("POSEBOOK_PROFILE", raising=False)
    request = Request("smoke", seed=0, device="cpu", experiments="all", results=tmp_path, cell_timeout=300)
    outcome = run_one("template", TEMPLATE, request)
    assert outcome.status == "finished", outcome.message

    run = read_run(outcome.folder)
    assert outcome.folder == tmp_path / "smoke" / "procedural" / "template" / "seed0"
    assert run.info["parameters"] == request.parameters("template") and run.info["chapter"] == "template"
    assert run.info["data_version"] and run.info["body_hash"] and (run.folder / "notebook.ipynb").is_file()
    for name in ("metrics", "per_sequence", "costs", "findings"):
        assert len(run.table(name)), name

    report = build(tmp_path, ["template"])
    row = next(line for line in report.markdown.splitlines() if f"| {HEADLINE}" in line)
    assert "trained" in row and row.rstrip(" |").endswith("P1")
    assert f"- P1: {POSEBOOK17.describe()}" in report.markdown
    assert f"- Test images (ch. template): {run.info['test']}" in report.markdown
    assert "ridge on 8 × 8 pixels" in set(report.metrics["row"])

    scored = score(run.folder / "predictions.npz", "smoke", "procedural")
    assert scored.protocol == POSEBOOK17.describe() and scored.data == run.info["test"]
    written = run.table("metrics").query("row == @HEADLINE").set_index("metric")
    for line in scored.table.itertuples():
        assert line.value == pytest.approx(written.loc[line.metric, "value"], abs=TOLERANCE), line.metric
        assert line.n_frames == written.loc[line.metric, "n_frames"]
        assert line.n_sequences == written.loc[line.metric, "n_sequences"]
