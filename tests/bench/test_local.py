import os
import signal
from collections import namedtuple

import psutil
import pytest

from posebook.bench import local
from posebook.bench.local import slots, visible_gpus
from tiny import WRITE, chapter

from .conftest import wait_for

GIB = 2**30


@pytest.fixture
def machine(monkeypatch):
    """A machine of so many cores, so much free memory and so many GPUs."""

    def make(cores: int, free_gb: float, gpus: int) -> None:
        memory = namedtuple("memory", "available")(free_gb * GIB)
        monkeypatch.setattr(local.psutil, "virtual_memory", lambda: memory)
        monkeypatch.setattr(local, "device_info", lambda _: {"cores": cores})
        monkeypatch.setattr(local.torch.cuda, "is_available", lambda: gpus > 0)
        monkeypatch.setattr(local.torch.cuda, "device_count", lambda: gpus)

    return make


@pytest.mark.parametrize(
    ("cores", "free_gb", "gpus", "device", "places"),
    [
        (8, 100, 0, "auto", [""] * 4),  # 2 cores a run
        (8, 10, 0, "auto", [""] * 3),  # 3 GB a run, 1 GB left alone
        (1, 2, 0, "cpu", [""]),  # one place in any case
        (64, 100, 2, "auto", ["0", "1"]),  # one run per GPU
        (64, 5, 2, "cuda", ["0"]),  # main memory for one
        (64, 100, 2, "cpu", [""] * 32),
    ],
)
def test_as_many_at_once_as_cores_memory_and_gpus_allow(machine, monkeypatch, cores, free_gb, gpus, device, places):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    machine(cores, free_gb, gpus)
    assert slots(device, 2, 3.0) == places


def test_a_number_that_is_asked_for_is_obeyed_up_to_the_gpus(machine, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    machine(2, 4, 0)
    assert slots("auto", 1, 3.0, wanted=5) == [""] * 5
    machine(64, 100, 2)
    assert slots("auto", 1, 3.0, wanted=5) == ["0", "1"] and slots("auto", 1, 3.0, wanted=1) == ["0"]


def test_gpus_are_named_as_the_environment_names_them(machine, monkeypatch):
    machine(8, 100, 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-abc")
    assert visible_gpus() == ["3", "GPU-abc"]
    machine(8, 100, 0)
    assert visible_gpus() == []


@pytest.mark.slow
def test_a_process_that_dies_and_a_notebook_that_fails_stop_no_other_run(clone):
    """Seed 1 fails, seed 2 kills its own process; the rest is made, two at once, with the threads of the grid."""
    trouble = "import os, signal\nif seed == 1: 1 / 0\nif seed == 2: os.kill(os.getppid(), signal.SIGKILL)"
    threads = "import torch\nassert torch.get_num_threads() == 2, torch.get_num_threads()"
    chapter(clone.root, "01", threads, trouble, WRITE.format(chapter="01"))
    done = clone.call("bench", clone.grid("seeds: [0, 1, 2, 3]\ncores: 2"), "--workers", "2")
    assert done.returncode == 1, done.stderr
    assert "chapter 01, seed 1: cell [4]: ZeroDivisionError" in done.stderr
    assert "chapter 01, seed 2: its process ended with code -9" in done.stderr and "`memory_gb`" in done.stderr
    folder = clone.results / "smoke" / "procedural" / "01"
    assert sorted(os.listdir(folder)) == ["seed0", "seed1.failed", "seed3"]  # nothing half-made is left
    assert "2 at once" in done.stdout and "71.5 " in done.stdout  # the report: mean of 70 and 73


@pytest.mark.slow
def test_ctrl_c_stops_what_runs_and_the_same_command_goes_on(clone):
    """Seed 0 ends, seed 1 waits for ever the first time."""
    hang = "import pathlib, time\nmark = pathlib.Path(out).parents[4] / 'hung'\nif seed == 1 and not mark.exists():\n"
    hang += "    mark.touch()\n    time.sleep(3600)"
    chapter(clone.root, "01", hang, WRITE.format(chapter="01"))
    command = ("bench", clone.grid("seeds: [0, 1]"), "--workers", "1")
    process = clone.start(*command)
    wait_for(lambda: (clone.root / "results-local" / "hung").exists() or process.poll() is not None)
    kernels = [child for child in psutil.Process(process.pid).children(recursive=True)]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Interrupted: 1 runs ended, 1 did not" in out and "Traceback" not in err
    gone, alive = psutil.wait_procs(kernels, timeout=30)
    assert gone and not alive
    folder = clone.results / "smoke" / "procedural" / "01"
    assert (folder / "seed0" / "run.json").is_file() and not (folder / "seed1").exists()

    again = clone.call(*command)
    assert again.returncode == 0, again.stderr
    assert "2 runs, 1 finished, 1 to do" in again.stdout and sorted(os.listdir(folder)) == ["seed0", "seed1"]
