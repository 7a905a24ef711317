"""Which differences between methods are more than luck of the test set: paired bootstrap over sequences, Holm's rule.

Every pair is tested, so the correction is for all of them. The interval says nothing of other trunks, training sets or
motions; seeds enter by their mean and by their sign.
"""

from collections.abc import Sequence
from itertools import combinations

import pandas as pd

from posebook.intervals import paired, sequence_errors
from posebook.leaderboard.methods import Method
from posebook.metrics.statistics import MIN_EFFECT_MM, MIN_SEEDS, MIN_SEQUENCES, holm, interval_at, paired_difference
from posebook.summary import Group

BETTER, UNDECIDED = "better", "undecided"


def comparisons(group: Group, methods: Sequence[Method], metric: str = "mpjpe") -> pd.DataFrame:
    """Every pair of methods on the same sequences and seeds.

    Args:
        group: runs of one profile and motion. methods: those without per-sequence errors in the metric are left out.
        metric: a column of per_sequence, mm.

    Returns:
        One line per pair, a the one that stands first: a, b, effect_mm (a - b, negative: a is better), low, high (at
        Holm's level), p_holm, per_seed, n_seeds, n_sequences, verdict ("a better", "b better", "undecided").
    """
    tables = {
        chapter: {seed: run.table("per_sequence") for seed, run in runs.items()}
        for chapter, runs in group.runs.items()
    }  # fmt: skip
    pairs, found = [], []
    for a, b in combinations([m for m in methods if m.chapter in tables], 2):
        shared = sorted(set(tables[a.chapter]) & set(tables[b.chapter]))
        errors = paired(*(sequence_errors({s: tables[m.chapter][s] for s in shared}, m.row, metric) for m in (a, b)))
        if errors is None:
            continue
        pairs.append((a.name, b.name))
        found.append(paired_difference(*errors))
    correction = holm([d.p_value for d in found]) if found else None
    lines = []
    for i, ((a, b), difference) in enumerate(zip(pairs, found, strict=True)):
        low, high = interval_at(difference, correction.level[i])
        lines.append(
            {"a": a, "b": b, "effect_mm": difference.mean, "low": low, "high": high}
            | {"p_holm": correction.adjusted[i], "per_seed": " ".join(f"{e:+.1f}" for e in difference.per_seed)}
            | {"n_seeds": len(difference.per_seed), "n_sequences": difference.n}
            | {"verdict": decide(difference.mean, low, high, difference.per_seed, difference.n)}
        )
    return pd.DataFrame(lines)


def decide(effect: float, low: float, high: float, per_seed: Sequence[float], sequences: int) -> str:
    """The findings' rule without a claim: no 0 in the interval, one sign in all seeds, 3 seeds, 6 sequences, 2 mm."""
    sign = 1 if low > 0 else -1 if high < 0 else 0
    enough = len(per_seed) >= MIN_SEEDS and sequences >= MIN_SEQUENCES
    alike = all(e * sign > 0 for e in per_seed)
    if not sign or not enough or not alike or abs(effect) < MIN_EFFECT_MM:
        return UNDECIDED
    return f"b {BETTER}" if sign > 0 else f"a {BETTER}"


def matrix(pairs: pd.DataFrame) -> pd.DataFrame:
    """Effects as a square table: row minus column in mm, negative where the row is better; a star marks a decision."""
    names = list(dict.fromkeys([*pairs["a"], *pairs["b"]]))
    square = pd.DataFrame("", index=names, columns=names)
    for line in pairs.itertuples():
        star = "" if line.verdict == UNDECIDED else "*"
        square.loc[line.a, line.b] = f"{line.effect_mm:+.1f}{star}"
        square.loc[line.b, line.a] = f"{-line.effect_mm:+.1f}{star}"
    return square
