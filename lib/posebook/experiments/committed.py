"""Findings over this run's seed and the committed ones."""

from collections.abc import Sequence

import pandas as pd

from posebook.findings import Claim, judge_claims
from posebook.project import project_root
from posebook.runs import find_runs

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
        One line per claim with the columns `SHOWN`.
    """
    seeds = {}
    for run in find_runs(project_root() / "results"):
        parameters = run.info["parameters"]
        asked = (run.info["chapter"], parameters["profile"], parameters["motion"]) == (chapter, profile, motion)
        if asked and all(run.info.get(name) == value for name, value in same.items()):
            seeds[run.seed] = run.table("per_sequence")
    judged = judge_claims(claims, dict(sorted((seeds | current).items())))
    return judged[SHOWN].round(1)
