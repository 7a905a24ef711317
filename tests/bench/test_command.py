import builtins

import pytest
from typer.testing import CliRunner

from posebook import project, runner
from posebook.bench import command, estimate
from posebook.bench.command import Where, check_where, places_for
from posebook.bench.grid import Grid, expand
from posebook.bench.plan import make_plan
from posebook.cli import app
from posebook.errors import PosebookError
from tiny import chapter, write_run


@pytest.fixture
def clone(tmp_path, monkeypatch):
    chapter(tmp_path, "01")
    for module in (project, estimate, runner):
        monkeypatch.setattr(module, "project_root", lambda: tmp_path)
    monkeypatch.setenv("POSEBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("POSEBOOK_PROFILE", raising=False)
    (tmp_path / "grid.yaml").write_text("chapters: 1\nprofiles: smoke\nseeds: [0, 1]\ndevice: cpu\n")
    return tmp_path


def bench(clone, *arguments: object):
    return CliRunner().invoke(app, ["bench", str(clone / "grid.yaml"), *map(str, arguments)])


def test_a_dry_run_prints_the_plan_and_runs_nothing(clone):
    write_run(clone / "results", {"net": [1.0, 2.0]}, seed=5, profile="smoke", notebook_time_s=180)
    done = bench(clone, "--dry-run", "--workers", "2")
    assert done.exit_code == 0, done.output
    assert "01 smoke procedural seed 1 | to do | " in done.output and "1 earlier on" in done.output
    assert "2 runs, 0 finished, 2 to do, 2 at once: about 3.0 minutes (6.0 minutes of computing)" in done.output
    assert not (clone / "results-local").exists()


def test_a_finished_grid_only_prints_its_report(clone):
    for seed in (0, 1):
        write_run(clone / "results-local", {"net": [40.0, 42.0]}, seed=seed, profile="smoke")
    done = bench(clone)
    assert done.exit_code == 0 and "41.0" in done.output and "| " in done.output


def test_the_printed_report_is_of_the_grid_and_the_written_one_names_every_gap(clone):
    chapter(clone, "02")
    for seed in (0, 1):
        write_run(clone / "results-local", {"net": [40.0, 42.0]}, seed=seed, profile="smoke")
    gap = "chapter 02, seed 0, 1: no run"
    assert gap not in bench(clone).output
    assert gap in (clone / "results-local" / "report.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--scheduler", "tcp://localhost:1", "--cluster", "local"), "give one of them"),
        (("--scheduler", "tcp://localhost:1", "--workers", "2"), "has its own workers"),
        (("--cluster", "kubernetes"), "--cluster must be local or slurm, not 'kubernetes'"),
    ],
)
def test_contradicting_options_are_one_message_and_exit_code_2(clone, arguments, message):
    done = bench(clone, *arguments)
    assert done.exit_code == 2 and message in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_a_cluster_without_its_packages_names_the_extra(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **options):
        if name == "dask_jobqueue":
            raise ImportError("No module named 'dask_jobqueue'")
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(PosebookError, match=r"dask_jobqueue'. Clusters need the extra: pip install -e '.\[cluster\]'"):
        check_where(Where(cluster="local"))
    check_where(Where())  # one machine needs none


def test_there_are_never_more_places_than_runs(clone, monkeypatch):
    monkeypatch.setattr(command, "slots", lambda device, cores, memory, wanted: [""] * (wanted or 7))
    grid = Grid(chapters=["1"], profiles=["smoke"], seeds=[0, 1, 2])
    plan = make_plan(grid, expand(grid, clone / "mine"))
    for where, places in ((Where(), 3), (Where(workers=2), 2), (Where(cluster="slurm"), 3),
                          (Where(cluster="slurm", workers=2), 2)):  # fmt: skip
        assert len(places_for(grid, plan, where)) == places
