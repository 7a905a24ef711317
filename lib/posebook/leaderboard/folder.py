"""Which runs the leaderboard stands on: those of the profile asked for, else the committed ones."""

from pathlib import Path
from typing import NamedTuple

from posebook.errors import PosebookError
from posebook.exclusions import Excluded, sort_out
from posebook.project import project_root
from posebook.summary import Group, group_runs

COMMITTED = ("laptop", "procedural")  # profile and motion that every clone has results of


class Shown(NamedTuple):
    """Runs for one table."""

    group: Group  # asked for, or the stand-in
    others: list[Group]  # other profiles and motions of the same folder
    excluded: list[Excluded]
    folder: Path
    note: str  # says in one sentence when something else is shown than was asked for; else ""


def choose(results: str | Path = "", profile: str = "laptop", motion: str = "procedural") -> Shown:
    """Runs of a profile and motion in a results folder.

    Args:
        results: the folder; empty: results/ of the clone.
        profile, motion: where the folder has no such run, the committed laptop runs on procedural motion stand in.

    Raises:
        PosebookError: no such folder, or not even the committed runs are there.
    """
    committed = project_root() / "results"
    folder = Path(results).resolve() if results else committed
    if not folder.is_dir():
        raise PosebookError(f"There is no results folder {folder}. `posebook run` makes one (default results-local).")
    note = ""
    for place, wanted in ((folder, (profile, motion)), (committed, COMMITTED)):
        runs, excluded = sort_out(place)
        groups = group_runs(runs)
        group = next((g for g in groups if (g.profile, g.motion) == wanted), None)
        if group is not None:
            return Shown(group, [g for g in groups if g is not group], excluded, place, note)
        note = (
            f"{place.name}/ has no run of profile {profile} with {motion} motion; the committed runs of profile "
            f"{COMMITTED[0]} with {COMMITTED[1]} motion are shown instead."
        )
    raise PosebookError(f"{committed} holds no run of profile {COMMITTED[0]}; restore it with `git checkout results`.")
