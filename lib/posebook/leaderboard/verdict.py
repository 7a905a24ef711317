"""The leaderboard in a few sentences, every number of them computed."""

from collections.abc import Sequence

import pandas as pd

from posebook.leaderboard.methods import PAPER, RIVAL
from posebook.leaderboard.significance import UNDECIDED


def verdict_lines(board: pd.DataFrame, scores: pd.DataFrame, pairs: pd.DataFrame, aligned: pd.DataFrame) -> list[str]:
    """Order of the papers' methods, what protocols do to it, how much is decided, and who beats whom at home.

    Args:
        board: of `standings`. scores: of `sensitivity`.
        pairs, aligned: of `comparisons` in MPJPE and in PA-MPJPE.
    """
    papers = board[(board["role"] == PAPER) & board["mpjpe"].notna()].sort_values("mpjpe", kind="stable")
    lines = [f"Order of the papers' methods by MPJPE: {' < '.join(papers['name'])}."]
    if len(papers) > 1:
        lines.append(lead(papers["name"].iloc[:2].tolist(), pairs))
    changes = int((scores["swapped"] > 0).sum())
    lines.append(f"Protocols that change the order of the methods with predictions: {changes} of {len(scores) - 1}.")
    for name, table in (("MPJPE", pairs), ("PA-MPJPE", aligned)):
        lines.append(f"Pairs decided by {name}: {decided(table)} of {len(table)}.")
    return lines + rivals_ahead(board, pairs)


def decided(pairs: pd.DataFrame) -> int:
    """Pairs with a verdict."""
    return int((pairs["verdict"] != UNDECIDED).sum()) if len(pairs) else 0


def lead(names: Sequence[str], pairs: pd.DataFrame) -> str:
    """How far the first of two methods is ahead, and whether that is more than luck."""
    own = pairs[pairs["a"].isin(names) & pairs["b"].isin(names)] if len(pairs) else pairs
    if own.empty:
        return f"{names[0]} is ahead of {names[1]}, but they share no seed."
    sure = "undecided" if own["verdict"].iloc[0] == UNDECIDED else "decided"
    return f"{names[0]} is ahead of {names[1]} by {abs(own['effect_mm'].iloc[0]):.1f} mm: {sure}."


def rivals_ahead(board: pd.DataFrame, pairs: pd.DataFrame) -> list[str]:
    """Rows of a chapter's own comparison that are better than its paper's method."""
    known = board.dropna(subset=["mpjpe"])
    both = known[known["role"] == RIVAL].merge(known[known["role"] == PAPER], on="chapter", suffixes=("", "_paper"))
    ahead = both[both["mpjpe"] < both["mpjpe_paper"]]
    return [f"Chapter {line.chapter}: {lead([line.name, line.name_paper], pairs)}"
            for line in ahead[["chapter", "name", "name_paper"]].itertuples(index=False)]  # fmt: skip
