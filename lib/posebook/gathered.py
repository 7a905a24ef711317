"""Everything that counts in a results folder, read and averaged once: what the report and README are written from."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from posebook.exclusions import Excluded, sort_out
from posebook.findings import over_runs
from posebook.summary import Group, group_runs, summarise


class Part(NamedTuple):
    """One profile and motion."""

    group: Group
    summary: pd.DataFrame  # `posebook.summary.summarise`
    findings: pd.DataFrame  # of all its chapters


class Gathered(NamedTuple):
    """A results folder."""

    parts: list[Part]
    excluded: list[Excluded]  # folders that count in no part, with their reasons


def gather(results: str | Path) -> Gathered:
    """Read a results folder with `<profile>/<motion>/<chapter>/seed<k>`; bootstraps take most of the time."""
    runs, excluded = sort_out(results)
    return Gathered([part_of(group) for group in group_runs(runs)], excluded)


def part_of(group: Group) -> Part:
    """Statistics and findings of one profile and motion."""
    judged = [over_runs(chapter, runs) for chapter, runs in group.runs.items()]
    return Part(group, summarise(group), pd.concat(judged, ignore_index=True))
