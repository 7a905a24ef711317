"""Findings: a paper's claim, our effect, and a verdict by rule, corrected for the number of claims in the table."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from posebook.errors import PosebookError
from posebook.metrics.bootstrap import ALPHA, PairedDifference, interval_at
from posebook.metrics.statistics import holm, judge

COLUMNS = (
    "claim", "source", "published", "effect_mm", "low", "high", "level", "per_seed", "n_seeds", "n_sequences",
    "p_value", "p_holm", "verdict", "reason",
)  # fmt: skip


class Finding(NamedTuple):
    """One claim and what we saw; interval and verdict are those of the claim on its own, before Holm."""

    claim: str  # a sentence with a direction
    source: str  # paper and table or section
    published: str  # number with its status: "not available", "from memory, not printed", ...
    effect: float  # mm, error of a minus error of b
    low: float
    high: float
    per_seed: tuple[float, ...]
    verdict: str
    difference: PairedDifference  # what Holm's interval is drawn from
    expected_sign: int  # -1: the claim says a has the smaller error


def finding(claim: str, source: str, published: str, difference: PairedDifference, expected_sign: int) -> Finding:
    """Make a finding from a paired difference.

    Args:
        claim: a sentence with a direction, fixed before the numbers are seen.
        source: paper and table or section.
        published: the paper's number and its status; say "not available" where there is none.
        difference: errors of a minus errors of b.
        expected_sign: -1 if the claim says a has the smaller error, else +1.

    Raises:
        PosebookError: a text that is empty or a sign that is not -1 or +1.
    """
    for name, text in (("claim", claim), ("source", source), ("published", published)):
        if not text.strip():
            raise PosebookError(f"{name} is empty; a finding names it, if only as 'not available'.")
    answer, _ = judge(difference, expected_sign)
    low, high = interval_at(difference, ALPHA)
    return Finding(
        claim, source, published, difference.mean, low, high, difference.per_seed, answer, difference, expected_sign
    )  # fmt: skip


def findings_table(findings: Sequence[Finding], alpha: float = ALPHA) -> pd.DataFrame:
    """Judge all findings of a table together: Holm's level for each interval, then the rule of `verdict`.

    Args:
        findings: every claim that was tested; leaving out the failures makes the correction wrong.
        alpha: family-wise error.

    Returns:
        One row per finding in the given order: claim, source, published, effect_mm, low, high (at `level`), level,
        per_seed, n_seeds, n_sequences, p_value, p_holm, verdict, reason.
    """
    correction = holm([f.difference.p_value for f in findings], alpha)
    rows = []
    for f, p_holm, level in zip(findings, correction.adjusted, correction.level, strict=True):
        low, high = interval_at(f.difference, level)
        answer, reason = judge(f.difference, f.expected_sign, level)
        seeds = " ".join(f"{effect:+.2f}" for effect in f.per_seed)
        rows.append(
            (f.claim, f.source, f.published, f.effect, low, high, 1 - level, seeds, len(f.per_seed), f.difference.n,
             f.difference.p_value, p_holm, answer, reason)
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))
