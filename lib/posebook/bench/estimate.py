"""What a grid will cost, by the runs that were made before: minutes and memory of each run."""

import heapq
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from posebook.bench.grid import GridRun
from posebook.project import project_root
from posebook.runner import covers
from posebook.runs import Run, find_runs

UNKNOWN_MEMORY_GB = 3.0  # of a run nobody has measured: the laptop profile's largest chapter (README)


class Estimate(NamedTuple):
    """Expected cost of one run; NaN where no earlier run tells."""

    minutes: float
    memory_gb: float
    source: str  # which runs tell


def earlier_runs(results: Path) -> list[Run]:
    """Runs that tell about costs: those of the grid's own folder, of results-local/ and of the committed results/.

    Folders that cannot be read tell nothing.
    """
    root = project_root()
    folders = dict.fromkeys([results.resolve(), root / "results-local", root / "results"])
    return [run for folder in folders for run in find_runs(folder)]


def run_minutes(run: Run) -> float:
    """Minutes of a run: of its notebook, or of its trainings where those are more because they came from the cache."""
    seconds = run.info.get("notebook_time_s") or run.info["wall_time_s"]
    costs = run.table("costs")
    trained = costs["train_minutes"].sum() if len(costs) else 0.0
    return max(seconds / 60, float(trained))


def estimate(run: GridRun, earlier: list[Run]) -> Estimate:
    """Mean over the earlier runs of the same chapter and profile, of the same motion if there are any."""
    asked = run.request
    same = [
        old
        for old in earlier
        if old.info["chapter"] == run.chapter
        and old.info["parameters"]["profile"] == asked.profile
        and covers(old.info["parameters"]["experiments"], asked.experiments)
    ]
    for name, value in (("experiments", asked.experiments), ("motion", asked.dataset or asked.motion)):
        same = [old for old in same if old.info["parameters"][name] == value] or same
    if not same:
        return Estimate(float("nan"), float("nan"), "no earlier run")
    devices = sorted({old.info["device"]["name"] for old in same})
    memory = max(old.info["peak_memory_mb"] for old in same) / 1024
    minutes = sum(map(run_minutes, same)) / len(same)
    return Estimate(minutes, memory, f"{len(same)} earlier on {', '.join(devices)}")


def memory_need(grid_memory: float, estimates: list[Estimate]) -> float:
    """GB that one run of the grid may need: the grid's word, else the largest run so far."""
    known = [e.memory_gb for e in estimates if pd.notna(e.memory_gb)]
    return grid_memory or max(known, default=UNKNOWN_MEMORY_GB)


def span(minutes: list[float], at_once: int) -> float:
    """Minutes from start to end when runs are taken in order by `at_once` workers."""
    free = [0.0] * max(1, at_once)
    for duration in minutes:
        heapq.heappush(free, heapq.heappop(free) + duration)
    return max(free)
