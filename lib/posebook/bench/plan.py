"""What a grid will do: which runs are finished, which are to be made, and about how long they will take."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from posebook.bench.estimate import Estimate, earlier_runs, estimate, memory_need, span
from posebook.bench.grid import Grid, GridRun
from posebook.errors import PosebookError
from posebook.markdown import table
from posebook.project import select_chapters
from posebook.runner import finished_run


class Plan(NamedTuple):
    """Every run of a grid with its expected cost; `finished` says why a run need not be made.

    A run whose place holds what cannot be read is pending: making it fails with the reason, and the others go on.
    """

    runs: list[GridRun]
    estimates: list[Estimate]
    finished: list[str | None]
    memory_gb: float  # that one run may need

    @property
    def pending(self) -> list[GridRun]:
        """Runs to be made, in the grid's order."""
        return [run for run, known in zip(self.runs, self.finished, strict=True) if known is None]

    @property
    def minutes(self) -> list[float]:
        """Expected minutes of the pending runs; NaN where no earlier run tells."""
        pairs = zip(self.estimates, self.finished, strict=True)
        return [expected.minutes for expected, known in pairs if known is None]


def make_plan(grid: Grid, runs: list[GridRun]) -> Plan:
    """Look at what is finished and at what earlier runs cost.

    Args:
        runs: at least one, all with one results folder.
    """
    earlier = earlier_runs(runs[0].request.results)
    estimates = [estimate(run, earlier) for run in runs]
    notebooks = select_chapters(sorted({run.chapter for run in runs}))
    finished = [known_state(notebooks[run.chapter], run) for run in runs]
    return Plan(runs, estimates, finished, memory_need(grid.memory_gb, estimates))


def known_state(notebook: Path, run: GridRun) -> str | None:
    """Why a run need not be made; None where it must, or where its folder cannot be read."""
    try:
        return finished_run(notebook, run.folder, run.request)
    except PosebookError:
        return None


def plan_text(plan: Plan, at_once: int) -> str:
    """The plan as a table, and its total for so many runs at once."""
    lines = []
    for run, expected, known in zip(plan.runs, plan.estimates, plan.finished, strict=True):
        minutes = "?" if pd.isna(expected.minutes) else f"{expected.minutes:.1f}"
        lines.append((run.label, known or "to do", "" if known else minutes, "" if known else expected.source))
    return f"{table(('run', 'state', 'minutes', 'by'), lines)}\n\n{total(plan, at_once)}"


def total(plan: Plan, at_once: int) -> str:
    """`12 runs, 2 finished, 10 to do, 2 at once: about 5 minutes (9 minutes of computing).`"""
    known = [minutes for minutes in plan.minutes if pd.notna(minutes)]
    done, todo = len(plan.runs) - len(plan.pending), len(plan.pending)
    text = f"{len(plan.runs)} runs, {done} finished, {todo} to do, {at_once} at once"
    if known:
        text += f": about {span(known, at_once):.1f} minutes ({sum(known):.1f} minutes of computing)"
    if len(known) < todo:
        text += f"; {todo - len(known)} have no earlier run to tell their length"
    return f"{text}. One run may need {plan.memory_gb:.1f} GB."
