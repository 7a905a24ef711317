"""Real committed runs, copied and spoilt: each is named with its reason and left out, and the others still count."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from posebook.exclusions import sort_out, to_markdown
from posebook.report import build
from tiny import break_flags, break_stream, write_run

COMMITTED = Path(__file__).parents[1] / "results" / "laptop" / "procedural" / "01"


@pytest.fixture
def results(tmp_path):
    """Chapter 1's three committed seeds, without pictures and notebooks."""
    folder = tmp_path / "results"
    for run in sorted(COMMITTED.glob("seed[0-9]")):
        target = folder / "laptop" / "procedural" / "01" / run.name
        target.mkdir(parents=True)
        for path in [*run.glob("*.csv"), run / "run.json", run / "predictions.npz"]:
            shutil.copy(path, target)
    return folder


def seed(results: Path, name: str = "seed1") -> Path:
    return results / "laptop" / "procedural" / "01" / name


def change(folder: Path, **values) -> None:
    info = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(info | values))


def cut(path: Path, lines: int = 0) -> None:
    """Half of the bytes, or all but the last lines."""
    text = path.read_bytes()
    path.write_bytes(b"".join(text.splitlines(keepends=True)[:-lines]) if lines else text[: len(text) // 2])


SPOILT = {
    "run.json cut": (lambda f: cut(f / "run.json"), "is not a run.json of Posebook"),
    "run.json gone": (lambda f: (f / "run.json").unlink(), "it has no run.json"),
    "run.json without seed": (lambda f: change(f, parameters={}), "lacks its chapter or parameters"),
    "unfinished": (lambda f: change(f, status="running"), "does not say that the run was finished"),
    "metrics gone": (lambda f: (f / "metrics.csv").unlink(), "metrics.csv is missing"),
    "predictions gone": (lambda f: (f / "predictions.npz").unlink(), "predictions.npz is missing"),
    "findings gone": (lambda f: (f / "findings.csv").unlink(), "findings.csv is missing"),
    "metrics cut in a line": (lambda f: cut(f / "metrics.csv"), "metrics.csv was cut|metrics.csv cannot be read"),
    "metrics cut between lines": (lambda f: cut(f / "metrics.csv", 6), "metrics.csv lacks the row"),
    "sequences cut in a line": (lambda f: cut(f / "per_sequence.csv"), "per_sequence.csv was cut"),
    "sequences cut between lines": (lambda f: cut(f / "per_sequence.csv", 5), "per_sequence.csv has 43 sequences"),
    "costs cut between lines": (lambda f: cut(f / "costs.csv", 1), "costs.csv has"),
    "a table empty": (lambda f: (f / "costs.csv").write_text(""), "costs.csv lacks the columns"),
    "no numbers": (lambda f: numbers_lost(f / "metrics.csv"), "the column value does not hold numbers only"),
    "predictions cut": (lambda f: cut(f / "predictions.npz"), "predictions.npz cannot be read"),
    "predictions damaged": (lambda f: damage(f / "predictions.npz"), "predictions.npz"),
    "predictions encrypted": (lambda f: break_flags(f / "predictions.npz"), "predictions.npz cannot be read"),
    "predictions no stream": (lambda f: break_stream(f / "predictions.npz"), "predictions.npz cannot be read"),
}


def numbers_lost(path: Path) -> None:
    lines = path.read_text().splitlines(keepends=True)
    fields = lines[1].split(",")
    path.write_text("".join([lines[0], ",".join([*fields[:3], "oops", *fields[4:]]), *lines[2:]]))


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


def test_committed_runs_are_whole(results):
    found = sort_out(results)
    assert [run.seed for run in found.runs] == [0, 1, 2] and not found.excluded
    assert to_markdown(found.excluded, results) == ""


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_run_is_named_and_left_out(results, how):
    spoil, reason = SPOILT[how]
    spoil(seed(results))
    found = sort_out(results)
    assert [run.seed for run in found.runs] == [0, 2]
    assert [entry.folder for entry in found.excluded] == [seed(results)]
    assert any(part in found.excluded[0].reason for part in reason.split("|"))


def test_the_report_names_it_and_averages_the_others(results):
    cut(seed(results) / "per_sequence.csv")
    report = build(results, ["01"])
    assert set(report.metrics["seeds"]) == {"0 2"}
    assert "### Left out" in report.markdown
    assert "- `laptop/procedural/01/seed1`: per_sequence.csv was cut" in report.markdown
    assert set(report.findings["n_seeds"].dropna()) == {2}


@pytest.mark.parametrize("name", ["seed3", "seed00", "seed0 (copy)", "old"])
def test_a_second_result_of_one_run_is_left_out(results, name):
    shutil.copytree(seed(results, "seed0"), seed(results, name))
    found = sort_out(results)
    assert [run.folder.name for run in found.runs] == ["seed0", "seed1", "seed2"]
    assert [entry.folder.name for entry in found.excluded] == [name]
    assert "second result of the run laptop/procedural/01/seed0" in found.excluded[0].reason
    assert f"`laptop/procedural/01/{name}`" in build(results, ["01"]).markdown


def test_a_run_in_a_folder_of_another_name_says_which_it_should_have(results):
    seed(results, "seed2").rename(seed(results, "seed7"))
    found = sort_out(results)
    assert [run.seed for run in found.runs] == [0, 1]
    assert "it holds the run laptop/procedural/01/seed2; give the folder that name" in found.excluded[0].reason


def test_another_data_version_than_most_is_left_out(results):
    change(seed(results, "seed0"), data_version="feedbeef0000")
    report = build(results, ["01"])
    assert set(report.metrics["seeds"]) == {"1 2"}
    assert [entry.folder.name for entry in report.excluded] == ["seed0"]
    for part in ("feedbeef0000", "9032127636fb", "`posebook run 01 --seed 0 --force`"):
        assert part in report.excluded[0].reason


def test_of_equally_many_the_newest_data_version_stays(tmp_path):
    for number, version, finished in (("01", "old", "2026-01-01"), ("02", "new", "2026-02-01")):
        folder = write_run(tmp_path, {"net": [1.0, 2.0]}, number=number, data_version=version)
        change(folder, finished=finished)
    write_run(tmp_path, {"net": [1.0, 2.0]}, number="01", motion="cmu", data_version="old")  # a table of its own
    found = sort_out(tmp_path)
    assert [(run.info["chapter"], run.info["data_version"]) for run in found.runs] == [("01", "old"), ("02", "new")]
    assert [entry.folder.parts[-3:] for entry in found.excluded] == [("procedural", "01", "seed0")]


def test_runs_that_name_no_data_version_stay(tmp_path):
    write_run(tmp_path, {"net": [1.0, 2.0]}, number="01", data_version="d")
    write_run(tmp_path, {"net": [1.0, 2.0]}, number="02")
    assert len(sort_out(tmp_path).runs) == 2


def test_a_file_that_was_changed_after_the_runner_wrote_it_is_seen(results):
    from posebook.cache import file_hash

    folder = seed(results)
    change(folder, files={path.name: file_hash(path) for path in folder.iterdir() if path.suffix != ".json"})
    assert len(sort_out(results).runs) == 3
    with np.load(folder / "predictions.npz") as arrays:
        np.savez_compressed(folder / "predictions.npz", **{k: arrays[k] for k in arrays} | {"row": np.array("other")})
    assert sort_out(results).excluded[0].reason.startswith("predictions.npz is not what the run wrote")


def test_failures_and_runs_in_the_making_are_not_its_business(results):
    seed(results, "seed4.failed").mkdir()
    hidden = seed(results, ".seed5.host.1.x")
    hidden.mkdir()
    (hidden / "run.json").write_text("{")
    assert not sort_out(results).excluded
