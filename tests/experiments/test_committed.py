"""A chapter's findings over its seeds: which committed runs count, and what is said of the others."""

import pytest

from posebook.experiments import committed
from posebook.experiments.committed import over_seeds
from posebook.findings import Claim
from posebook.project import library_hash
from tiny import sequences_table, write_run

CLAIM = Claim("a beats b", "table 1", "-5 mm", "a", "b")
ERRORS = {"a": [40.0, 42.0, 41.0], "b": [50.0, 53.0, 51.0]}


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Committed seeds 1 and 2 of chapter 01."""
    monkeypatch.setattr(committed, "project_root", lambda: tmp_path)
    for seed in (1, 2):
        write_run(tmp_path / "results", ERRORS, seed=seed, data_version="v", library_hash=library_hash())
    return tmp_path / "results"


def seeds_judged(same=None) -> int:
    """How many seeds the verdict on seed 0 of chapter 01 stands on."""
    same = {"data_version": "v"} if same is None else same
    judged = over_seeds("01", "laptop", "procedural", same, [CLAIM], {0: sequences_table(ERRORS)})
    return len(judged["per_seed"][0].split())


def test_committed_seeds_of_the_same_things_count_without_a_word(results, capsys):
    assert seeds_judged() == 3 and seeds_judged({"data_version": "w"}) == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("text", ["{", '{"schema_version": 99}'])
def test_a_committed_run_that_cannot_be_read_is_named_and_left_out(results, capsys, text):
    (results / "laptop" / "procedural" / "01" / "seed2" / "run.json").write_text(text)
    assert seeds_judged() == 2
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("results/laptop/procedural/01/seed2 is left out: ")


def test_runs_of_other_chapters_are_not_looked_at(results, capsys):
    for place in ({"number": "02"}, {"motion": "cmu"}):
        (write_run(results, ERRORS, data_version="v", **place) / "run.json").write_text("{")
    assert seeds_judged() == 3 and capsys.readouterr().out == ""


def test_seeds_that_another_version_of_the_library_made_are_named(results, capsys):
    for seed in (2, 0):  # 0 is the current one: what is committed of it does not count
        write_run(results, ERRORS, seed=seed, data_version="v", library_hash="older")
    assert seeds_judged() == 3
    (line,) = capsys.readouterr().out.splitlines()
    assert "another version of the library" in line and "seed 2 in results/" in line
