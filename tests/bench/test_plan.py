import pytest

from posebook import project
from posebook.bench import estimate, plan
from posebook.bench.grid import Grid, expand
from posebook.bench.plan import make_plan, plan_text
from tiny import chapter, write_run


@pytest.fixture
def clone(tmp_path, monkeypatch):
    chapter(tmp_path, "01")
    chapter(tmp_path, "02")
    for module in (project, estimate):
        monkeypatch.setattr(module, "project_root", lambda: tmp_path)
    monkeypatch.delenv("POSEBOOK_PROFILE", raising=False)
    return tmp_path


def test_the_plan_skips_what_is_finished_and_adds_up_the_rest(clone):
    write_run(clone / "mine", {"net": [1.0, 2.0]}, seed=0, notebook_time_s=240, peak_memory_mb=2048)
    grid = Grid(chapters=["1", "2"], seeds=[0, 1, 2])
    made = make_plan(grid, expand(grid, clone / "mine"))
    assert [run.label for run in made.pending][:2] == ["01 laptop procedural seed 1", "01 laptop procedural seed 2"]
    assert len(made.pending) == 5 and made.memory_gb == 2.0
    text = plan_text(made, 2)
    first = next(line for line in text.splitlines() if "01 laptop procedural seed 0" in line)
    assert "finished before" in first and "4.0" not in first
    assert "6 runs, 1 finished, 5 to do, 2 at once: about 4.0 minutes (8.0 minutes of computing)" in text
    assert "3 have no earlier run" in text


def test_force_plans_everything_again(clone):
    write_run(clone / "mine", {"net": [1.0, 2.0]}, seed=0)
    grid = Grid(chapters=["1"], seeds=[0, 1])
    assert len(make_plan(grid, expand(grid, clone / "mine", force=True)).pending) == 2


def test_a_finished_run_of_fewer_experiments_is_made_again(clone):
    write_run(clone / "mine", {"net": [1.0, 2.0]}, seed=0)  # its experiments are the core
    grid = Grid(chapters=["1"], experiments="all")
    assert len(plan.make_plan(grid, expand(grid, clone / "mine")).pending) == 1


def test_a_run_whose_folder_cannot_be_read_is_planned(clone):
    """Making it will fail with the reason (`posebook.runner.run_one`); the plan, and the other runs, can be made."""
    for seed in (0, 1):
        folder = write_run(clone / "mine", {"net": [1.0, 2.0]}, seed=seed)
    (folder / "run.json").write_text("{")
    grid = Grid(chapters=["1"], seeds=[0, 1])
    assert [run.request.seed for run in make_plan(grid, expand(grid, clone / "mine")).pending] == [1]
