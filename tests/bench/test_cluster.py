import json
import os

import pandas as pd
import pytest
from distributed import Client, KilledWorker

from posebook.bench.cluster import _died, _local, needs
from posebook.bench.grid import Grid, GridRun
from posebook.errors import PosebookError
from posebook.runner import Request
from tiny import WRITE, chapter

# seed 2 kills the worker that performs it, the first time, in the middle of its run; every start leaves a line
KILLS_ITS_WORKER = """\
import os, pathlib, signal, time
folder = pathlib.Path(out).parents[4]
with open(folder / "starts.txt", "a") as stream:
    stream.write(f"{seed}\\n")
if "cluster" in folder.name and seed == 2 and not (folder / "killed").exists():
    (folder / "killed").touch()
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)"""


@pytest.mark.slow
def test_a_killed_worker_costs_no_result_and_doubles_none(clone):
    """The whole of it by the command line: two worker processes, four runs, a SIGKILL; then the serial runs."""
    chapter(clone.root, "01", KILLS_ITS_WORKER, WRITE.format(chapter="01"))
    grid, parallel, serial = clone.grid("seeds: [0, 1, 2, 3]"), clone.root / "cluster", clone.root / "serial"
    parallel.mkdir()
    done = clone.call("bench", grid, "--cluster", "local", "--workers", "2", "--results", parallel)
    assert done.returncode == 0, done.stderr
    assert (parallel / "killed").exists() and "Dashboard: http://127.0.0.1:" in done.stdout
    starts = sorted((parallel / "starts.txt").read_text().split())
    assert starts == ["0", "1", "2", "2", "3"]  # only the broken run was begun again
    assert "lose already computed task" not in done.stderr
    assert done.stdout.count(": finished (") == 4 and "4 of 4 runs in " in done.stdout
    folder = parallel / "smoke" / "procedural" / "01"
    assert sorted(os.listdir(folder)) == ["seed0", "seed1", "seed2", "seed3"]
    assert not [name for name in os.listdir(parallel) if name.startswith(".")]  # the probe is gone

    command = ("run", "01", "--profile", "smoke", "--device", "cpu", "--seed", "0,1,2,3", "--results", serial)
    assert clone.call(*command).returncode == 0
    for seed in range(4):
        one, other = (base / "smoke" / "procedural" / "01" / f"seed{seed}" for base in (serial, parallel))
        assert (one / "metrics.csv").read_bytes() == (other / "metrics.csv").read_bytes()
        facts = [json.loads((run / "run.json").read_text()) for run in (one, other)]
        assert facts[0]["library_hash"] == facts[1]["library_hash"]
    reports = [pd.read_csv(base / "report.csv").drop(columns="train_minutes") for base in (serial, parallel)]
    pd.testing.assert_frame_equal(*reports)
    assert reports[0]["value"].tolist() == [71.5]  # mean of 70 + seed


def test_every_worker_of_this_machine_owns_its_gpu():
    """Two GPUs by name, as the workers see them; PyTorch is not asked, so none need be here."""
    with _local(Grid(cores=2), ["0", "GPU-b"]) as cluster, Client(cluster) as client:
        client.wait_for_workers(2)
        assert needs(client, "auto") == needs(client, "cuda") == {"GPU": 1} and needs(client, "cpu") == {}
        seen = client.run(lambda: [os.environ.get(name) for name in ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")])
        assert sorted(seen.values()) == [["0", "2"], ["GPU-b", "2"]]
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        assert [worker["nthreads"] for worker in workers] == [1, 1]  # one run at a time


def test_a_run_that_takes_its_workers_along_fails_and_an_unfit_worker_ends_the_grid(tmp_path):
    run = GridRun("01", Request("smoke", 3, results=tmp_path))
    outcome = _died(run, KilledWorker("01-smoke", None, 3))
    assert (outcome.status, outcome.seed) == ("failed", 3) and "4 workers died" in outcome.message
    with pytest.raises(PosebookError, match="the version"):
        _died(run, PosebookError("the version"))
    with pytest.raises(PosebookError, match="could not perform 01 smoke procedural seed 3: ModuleNotFoundError: No mo"):
        _died(run, ModuleNotFoundError("No module named 'posebook'"))
