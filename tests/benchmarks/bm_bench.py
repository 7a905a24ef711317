"""A 12-run smoke grid, one after another and on a Dask cluster of two processes of which one is killed on the way.

    python tests/benchmarks/bm_bench.py FOLDER             # chapter 01, twelve seeds
    python tests/benchmarks/bm_bench.py FOLDER 01,02 6     # chapters 01 and 02, six seeds each

Prints the minutes of both, and whether every metrics.csv and report.csv (without times) is the same. Each starts from
the same cache, without trained networks: POSEBOOK_CACHE names the one to copy. In a FOLDER that was interrupted it goes
on; the minutes are then those of the last part.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil

from posebook.cache import cache_dir

MEASURED = ["train_minutes", "ms_per_image", "peak_memory_mb"]  # columns that differ from run to run
KILL_AFTER = 4  # runs that ended before a worker is killed
COMMAND = (sys.executable, "-c", "from posebook.cli import app; app()")


def start(folder: Path, name: str, *arguments: str) -> subprocess.Popen:
    """A posebook command with a cache of its own."""
    cache = folder / f"cache-{name}"
    if not cache.exists():
        shutil.copytree(cache_dir(), cache, ignore=shutil.ignore_patterns("variants", "features", "runs", "real"))
    environment = os.environ | {"POSEBOOK_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    command = [*COMMAND, *arguments, "--results", str(folder / name)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def kill_a_worker(command: psutil.Process) -> str:
    """SIGKILL to a worker that has a kernel at work; says which."""
    for process in command.children(recursive=True):
        if any("ipykernel" in " ".join(child.cmdline()) for child in process.children()):
            process.kill()
            return f"SIGKILL to worker process {process.pid}"
    raise RuntimeError("no worker has a kernel")


def follow(process: subprocess.Popen, kill: bool = False) -> list[str]:
    """Lines of a command until it ends, with seconds; kills one of its workers on the way if asked."""
    clock, lines, ended = time.perf_counter(), [], 0
    for line in process.stdout:
        lines.append(f"{time.perf_counter() - clock:7.1f} s  {line.rstrip()}")
        print(lines[-1], flush=True)
        ended += line.startswith("[") and ": finished" in line
        if kill and ended == KILL_AFTER:
            time.sleep(10)  # into the middle of the next runs
            lines.append(f"{time.perf_counter() - clock:7.1f} s  === {kill_a_worker(psutil.Process(process.pid))} ===")
            print(lines[-1], flush=True)
            kill = False
    if process.wait():
        raise RuntimeError(f"exit code {process.returncode}")
    return lines


def seconds_of(folder: Path) -> float:
    """Sum of the notebooks' own seconds."""
    return sum(json.loads(path.read_text())["notebook_time_s"] for path in folder.glob("*/*/*/seed*/run.json"))


def compare(one: Path, other: Path) -> None:
    """Print which files of two results folders are the same."""
    names = sorted(path.relative_to(one) for path in one.glob("*/*/*/seed*/metrics.csv"))
    found = sorted(path.relative_to(other) for path in other.glob("*/*/*/seed*/metrics.csv"))
    same = [
        name for name in names if (other / name).is_file() and (one / name).read_bytes() == (other / name).read_bytes()
    ]
    print(f"runs: {len(names)} and {len(found)}, the same ones: {names == found}; equal metrics.csv: {len(same)}")
    tables = [pd.read_csv(folder / "report.csv").drop(columns=MEASURED) for folder in (one, other)]
    answer = "equal" if tables[0].equals(tables[1]) else "DIFFERENT"
    print(f"report.csv without times and memory: {answer}, {len(tables[0])} lines")


def main(folder: Path, chapters: list[str], seeds: int) -> None:
    """Serial, then the cluster, then both compared."""
    folder.mkdir(parents=True, exist_ok=True)
    grid = {"chapters": chapters, "profiles": ["smoke"], "seeds": list(range(seeds)), "device": "cpu"}
    (folder / "grid.yaml").write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in grid.items()))
    seed_list = ",".join(map(str, range(seeds)))
    minutes = {}
    for name, arguments in (
        ("serial", ("run", *chapters, "--profile", "smoke", "--device", "cpu", "--seed", seed_list)),
        ("cluster", ("bench", str(folder / "grid.yaml"), "--cluster", "local", "--workers", "2")),
    ):
        clock = time.perf_counter()
        process = start(folder, name, *arguments)
        follow(process, kill=name == "cluster")
        minutes[name] = (time.perf_counter() - clock) / 60
    for name, value in minutes.items():
        own = seconds_of(folder / name) / 60
        print(f"{name}: {value:.2f} min from start to end, {own:.2f} min in notebooks that finished")
    compare(folder / "serial", folder / "cluster")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2].split(",") if len(sys.argv) > 2 else ["01"],
         int(sys.argv[3]) if len(sys.argv) > 3 else 12)  # fmt: skip
