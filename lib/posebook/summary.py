"""Runs of several seeds as long-form statistics: what the tables of `posebook.report` show."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
import pandas as pd

from posebook.intervals import by_row, interval, sequence_matrix
from posebook.runs import Run


class Group(NamedTuple):
    """Runs that belong into one table."""

    profile: str
    motion: str
    runs: dict[str, dict[int, Run]]  # chapter -> seed -> run


def group_runs(runs: list[Run]) -> list[Group]:
    """Runs by (profile, motion), chapters and seeds in order."""
    found: dict = defaultdict(lambda: defaultdict(dict))
    for run in runs:
        parameters = run.info["parameters"]
        found[parameters["profile"], parameters["motion"]][run.info["chapter"]][run.seed] = run
    order = {"procedural": 0}
    return [
        Group(*key, {chapter: dict(sorted(found[key][chapter].items())) for chapter in sorted(found[key])})
        for key in sorted(found, key=lambda k: (k[0], order.get(k[1], 1), k[1]))
    ]


def summarise(group: Group) -> pd.DataFrame:
    """Long form over seeds: mean, min and max over seeds, interval over sequences, n, protocol, costs."""
    lines = [line for chapter, seeds in group.runs.items() for line in chapter_lines(chapter, seeds)]
    table_ = pd.DataFrame(lines)
    table_.insert(0, "profile", group.profile)
    table_.insert(1, "motion", group.motion)
    return table_


def chapter_lines(chapter: str, seeds: dict[int, Run]) -> list[dict]:
    """One line per (row, metric) of a chapter, in the order in which its notebook wrote them."""
    metrics = pd.concat([run.table("metrics").assign(seed=seed) for seed, run in seeds.items()], ignore_index=True)
    for name in ("init", "kind", "note"):  # an all-empty column was read as numbers
        metrics[name] = metrics[name].astype(object).fillna("")
    per_sequence = by_row({seed: run.table("per_sequence") for seed, run in seeds.items()})
    costs = pd.concat([run.table("costs") for run in seeds.values()], ignore_index=True)
    keys = ["row", "kind", "init", "metric", "unit"]
    return [
        {
            "chapter": chapter,
            **dict(zip(keys, key, strict=True)),
            **over_seeds(part, per_sequence),
            **cost(costs, key[0]),
        }
        for key, part in metrics.groupby(keys, sort=False, dropna=False)
    ]


def over_seeds(part: pd.DataFrame, per_sequence: dict[int, dict[str, pd.DataFrame]]) -> dict:
    """Statistics of one (row, metric) over its seeds; `per_sequence` is cut `by_row`.

    The interval comes from the per-sequence errors of all seeds. It is the one that a single run wrote where a row has
    none (an oracle floor of one number), or where its value is another mean than that over sequences (say, frames).
    """
    first, values = part.iloc[0], part["value"]
    seeds = [int(seed) for seed in part["seed"]]
    own = {seed: per_sequence[seed].get(first["row"], pd.DataFrame()) for seed in seeds}
    errors = sequence_matrix(own, first["row"], first["metric"])
    low, high = (first["low"], first["high"]) if len(seeds) == 1 else (np.nan, np.nan)
    if errors is not None and np.isclose(errors.mean(), values.mean(), rtol=1e-4):  # tables have six digits
        low, high = interval(errors)
    return {
        **{"value": values.mean(), "low": low, "high": high, "seed_min": values.min(), "seed_max": values.max()},
        **{"seeds": " ".join(map(str, seeds)), "n_sequences": first["n_sequences"], "n_frames": first["n_frames"]},
        **{"protocol": first["protocol"], "note": first["note"]},
    }


def cost(costs: pd.DataFrame, row: str) -> dict:
    """Parameters, FLOPs, minutes, speed and memory of a row, each the mean over seeds."""
    own = costs[costs["row"] == row] if len(costs) else costs
    names = ("parameters", "flops", "train_minutes", "ms_per_image", "peak_memory_mb")
    return {name: own[name].mean() if len(own) else np.nan for name in names}
