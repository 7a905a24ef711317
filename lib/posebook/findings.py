"""A chapter's claims, judged from per-sequence errors: for one seed in its notebook, over all seeds in the report."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from posebook.intervals import by_row, paired, sequence_errors
from posebook.markdown import table
from posebook.metrics.findings import COLUMNS, finding, findings_table
from posebook.metrics.statistics import paired_difference
from posebook.runs import Run

NOT_RUN = "not run"  # verdict of a claim whose rows were not trained


class Claim(NamedTuple):
    """One comparison of two rows, fixed before the numbers are seen."""

    claim: str  # a sentence with a direction
    source: str  # paper and table or section
    published: str  # the paper's number and its status
    row_a: str
    row_b: str
    expected_sign: int = -1  # -1: the claim says row_a has the smaller error
    metric: str = "mpjpe"  # a column of per_sequence


def judge_claims(claims: Sequence[Claim], per_sequence: dict[int, pd.DataFrame]) -> pd.DataFrame:
    """Findings table of a chapter: effect row_a - row_b in mm, interval over sequences, Holm over all claims.

    Args:
        claims: all that were tested; leaving out failures makes Holm's correction wrong.
        per_sequence: seed -> per-sequence errors (columns row, sequence, mpjpe …) in mm.

    Returns:
        One line per claim: fields of `Claim`, columns of `posebook.metrics.findings_table`. Claims whose rows
        were not run have the verdict "not run" and do not count for Holm.
    """
    rows = by_row(per_sequence)
    judged = {i: found for i, claim in enumerate(claims) if (found := judge_one(claim, rows)) is not None}
    answers = findings_table(list(judged.values())) if judged else pd.DataFrame(columns=list(COLUMNS))
    answers.index = list(judged)
    asked = pd.DataFrame(claims, columns=list(Claim._fields))
    asked = asked.join(answers.drop(columns=["claim", "source", "published"]))
    missing = ~asked.index.isin(list(judged))
    asked["verdict"] = asked["verdict"].mask(missing, NOT_RUN)
    asked["reason"] = asked["reason"].mask(missing, "a row was not trained (EXPERIMENTS=all trains every one)")
    return asked


def judge_one(claim: Claim, rows: dict[int, dict[str, pd.DataFrame]]):
    """Finding of one claim over the seeds that have both rows; None where no seed has. `rows` is cut `by_row`."""
    pair = (claim.row_a, claim.row_b)
    both = {seed: own for seed, own in rows.items() if set(pair) <= own.keys()}
    errors = paired(
        *(sequence_errors({seed: own[row] for seed, own in both.items()}, row, claim.metric) for row in pair)
    )
    if errors is None:
        return None
    return finding(claim.claim, claim.source, claim.published, paired_difference(*errors), claim.expected_sign)


def over_runs(chapter: str, runs: dict[int, Run]) -> pd.DataFrame:
    """Findings of a chapter over all its seeds, from the claims that the runs recorded; empty where they have none."""
    recorded = [table_ for run in runs.values() if len(table_ := run.table("findings"))]
    if not recorded:
        return pd.DataFrame()
    asked = pd.concat(recorded).drop_duplicates("claim")
    claims = [Claim(**{name: line[name] for name in Claim._fields}) for _, line in asked.iterrows()]
    judged = judge_claims(claims, {seed: run.table("per_sequence") for seed, run in runs.items()})
    judged.insert(0, "chapter", chapter)
    return judged


def to_markdown(findings: pd.DataFrame) -> str:
    """Findings as a Markdown table; empty text for none."""
    if findings.empty:
        return ""
    header = ("ch.", "claim", "published", "effect, mm", "Holm interval", "per seed", "seq.", "verdict")
    lines = []
    for _, line in findings.iterrows():
        run = line["verdict"] != NOT_RUN
        effect = (f"{line['effect_mm']:+.1f}", f"[{line['low']:.1f}, {line['high']:.1f}]") if run else ("", "")
        size = (line["per_seed"], f"{line['n_sequences']:.0f}") if run else ("", "")
        reason = f": {line['reason']}" if line["reason"] else ""
        published = f"{line['published']} ({line['source']})"
        lines.append((line["chapter"], line["claim"], published, *effect, *size, f"{line['verdict']}{reason}"))
    return "Findings (effect: error of the claim's first row minus its second):\n\n" + table(header, lines)
