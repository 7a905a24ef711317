import math

import pytest

from posebook import project
from posebook.bench import estimate as module
from posebook.bench.estimate import Estimate, earlier_runs, estimate, memory_need, run_minutes, span
from posebook.bench.grid import GridRun
from posebook.runner import Request
from posebook.runs import read_run
from tiny import write_run


@pytest.fixture
def clone(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "project_root", lambda: tmp_path)
    monkeypatch.setattr(project, "project_root", lambda: tmp_path)
    return tmp_path


def measured(folder, minutes, **options):
    """A run of so many minutes that peaked at 1.5 GB."""
    facts = {"notebook_time_s": minutes * 60, "peak_memory_mb": 1536.0}
    return read_run(write_run(folder, {"net": [1.0, 2.0]}, **(facts | options)))


def asked(results, chapter="01", **options) -> GridRun:
    return GridRun(chapter, Request(**({"profile": "laptop", "seed": 9, "results": results} | options)))


def test_the_mean_over_earlier_runs_of_the_same_motion(clone):
    measured(clone / "results", 4.0, seed=0)
    measured(clone / "results", 6.0, seed=1)
    measured(clone / "results", 30.0, seed=0, motion="cmu")
    measured(clone / "results", 50.0, number="02")
    earlier = earlier_runs(clone / "mine")
    found = estimate(asked(clone / "mine"), earlier)
    assert (found.minutes, found.memory_gb) == (5.0, 1.5) and found.source.startswith("2 earlier on ")
    assert estimate(asked(clone / "mine", motion="cmu"), earlier).minutes == 30.0


def test_another_motion_tells_where_the_same_was_never_run_and_another_profile_does_not(clone):
    measured(clone / "results", 4.0)
    earlier = earlier_runs(clone / "mine")
    assert estimate(asked(clone, motion="cmu"), earlier).minutes == 4.0
    for unknown in (asked(clone, profile="gpu"), asked(clone, "02"), asked(clone, experiments="all")):
        assert math.isnan(estimate(unknown, earlier).minutes)


def test_trainings_count_when_the_run_took_them_from_the_cache(clone):
    run = measured(clone / "results", 0.5)  # write_run says: 1.5 minutes of training for its row
    assert run_minutes(run) == 1.5


def test_a_folder_that_is_asked_for_and_committed_counts_once(clone):
    measured(clone / "results", 4.0)
    assert len(earlier_runs(clone / "results")) == 1


def test_a_folder_that_cannot_be_read_tells_nothing(clone):
    measured(clone / "results-local", 4.0)
    for seed, text in ((1, "{"), (2, '{"schema_version": 99}')):
        (measured(clone / "results-local", 9.0, seed=seed).folder / "run.json").write_text(text)
    assert estimate(asked(clone / "mine"), earlier_runs(clone / "mine")).minutes == 4.0


def test_memory_is_the_grids_word_else_the_largest_run_else_a_guess():
    known = [Estimate(1, 2.5, ""), Estimate(math.nan, math.nan, ""), Estimate(1, 1.0, "")]
    assert memory_need(0, known) == 2.5 and memory_need(7, known) == 7
    assert memory_need(0, known[1:2]) == module.UNKNOWN_MEMORY_GB


@pytest.mark.parametrize(
    ("minutes", "at_once", "end"),
    [([3, 1, 1, 1], 2, 3), ([1, 1, 3], 2, 4), ([2, 2, 2], 1, 6), ([2, 5], 4, 5), ([], 2, 0)],
)
def test_the_span_takes_runs_in_order_as_workers_become_free(minutes, at_once, end):
    assert span(minutes, at_once) == end
