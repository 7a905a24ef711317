"""Findings over this run's seed and the committed ones."""

from collections.abc import Sequence

import pandas as pd

from posebook.errors import PosebookError
from posebook.exclusions import checked_run
from posebook.findings import Claim, judge_claims
from posebook.project import library_hash, project_root
from posebook.results import run_path
from posebook.runs import SEED_FOLDER, Run

SHOWN = ["claim", "published", "effect_mm", "low", "high", "per_seed", "verdict", "reason"]


def over_seeds(chapter: str, profile: str, motion: str, same: dict, claims: Sequence[Claim],
               current: dict[int, pd.DataFrame]) -> pd.DataFrame:  # fmt: skip
    """Judge a chapter's claims over the current run and the committed runs of other seeds made from the same things.

    Args:
        chapter, profile, motion: which runs under results/ count.
        same: facts of run.json that must be equal, such as data_version and trunk_hash; other runs are left out.
        claims: the chapter's claims.
        current: seed -> per-sequence errors of this run; wins over a committed run of the same seed.

    Returns:
        One line per claim with the columns `SHOWN`. Prints what is left out as unreadable, and which seeds another
        version of the library made.
    """
    runs = [run for run in committed_runs(chapter, profile, motion) if run.seed not in current]
    runs = [run for run in runs if all(run.info.get(name) == value for name, value in same.items())]
    older = sorted(run.seed for run in runs if run.info.get("library_hash") != library_hash())
    if older:
        names = ", ".join(map(str, older))
        print(f"Made by another version of the library than this run: seed {names} in results/ (--force renews it).")
    seeds = {run.seed: run.table("per_sequence") for run in runs}
    judged = judge_claims(claims, dict(sorted((seeds | current).items())))
    return judged[SHOWN].round(1)


def committed_runs(chapter: str, profile: str, motion: str) -> list[Run]:
    """The chapter's runs under results/; one that cannot be read whole is named and left out."""
    results, runs = project_root() / "results", []
    for path in sorted(run_path(results, profile, motion, chapter, 0).parent.glob("seed*/run.json")):
        if not SEED_FOLDER.fullmatch(path.parent.name):
            continue
        try:
            runs.append(checked_run(results, path.parent))
        except PosebookError as error:
            print(f"{path.parent.relative_to(results.parent).as_posix()} is left out: {error}")
    return runs
