"""Clones whose chapters take a moment, commands run in them, and Dask workers as processes of their own."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import posebook

LIBRARY = Path(posebook.__file__).parents[1]


class Clone:
    """A folder with its own copy of lib/; `tiny.chapter` adds notebooks."""

    def __init__(self, root: Path):
        self.root, self.results, self.processes = root, root / "results-local", []
        shutil.copytree(LIBRARY, root / "lib", ignore=shutil.ignore_patterns("*.egg-info"))

    def grid(self, text: str) -> Path:
        path = self.root / "grid.yaml"
        path.write_text(f"profiles: smoke\ndevice: cpu\nmemory_gb: 0.5\n{text}")
        return path

    def environment(self) -> dict[str, str]:
        own = {"PYTHONPATH": str(self.root / "lib"), "POSEBOOK_CACHE": str(self.root / "cache")}
        return {name: value for name, value in os.environ.items() if name != "POSEBOOK_PROFILE"} | own

    def start(self, *arguments: object, **environment: str) -> subprocess.Popen:
        command = [sys.executable, "-c", "from posebook.cli import app; app()", *map(str, arguments)]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": self.root}
        options["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored under nohup and in CI
        process = subprocess.Popen(command, env=self.environment() | environment, start_new_session=True, **options)
        self.processes.append(process)
        return process

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)

    def call(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess:
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=500)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def wait_for(condition, seconds: float = 500.0):
    """What `condition()` answers, once it is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
    return found


@pytest.fixture
def clone(tmp_path):
    made = Clone(tmp_path / "clone")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def scheduler():
    """A Dask scheduler without workers."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0", host="127.0.0.1") as cluster:
        yield cluster


@pytest.fixture
def worker(scheduler, tmp_path):
    """Start a worker process: `worker(python options, environment, prefix)` returns when the scheduler has it."""
    processes = []

    def start(*options: str, prefix: tuple[str, ...] = (), **environment: str) -> None:
        command = [*prefix, sys.executable, *options, "-m", "distributed.cli.dask_worker", scheduler.scheduler_address]
        command += ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--local-directory", str(tmp_path / "dask")]
        log = open(tmp_path / "worker.log", "w")  # noqa: SIM115 (the process writes to it until it is killed)
        processes.append(subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log))
        wait_for(lambda: scheduler.scheduler_info["workers"] or processes[-1].poll() is not None)
        assert processes[-1].poll() is None, (tmp_path / "worker.log").read_text()

    yield start
    for process in processes:
        process.kill()
        process.wait()
    wait_for(lambda: not scheduler.scheduler_info["workers"])
