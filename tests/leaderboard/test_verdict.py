import numpy as np
import pandas as pd

from posebook.leaderboard.verdict import verdict_lines

BOARD = pd.DataFrame(
    [("01", "A", "paper", 80.0), ("02", "B", "paper", 90.0), ("02", "C", "rival", 85.5), ("05", "D", "paper", np.nan)],
    columns=["chapter", "name", "role", "mpjpe"],
)
SCORES = pd.DataFrame({"swapped": [0, 0, 2, 1]})
PAIRS = pd.DataFrame(
    [("A", "B", -10.0, "a better"), ("A", "C", -5.5, "undecided"), ("B", "C", 4.5, "b better")],
    columns=["a", "b", "effect_mm", "verdict"],
)


def test_the_sentences_hold_the_numbers_of_the_tables():
    lines = verdict_lines(BOARD, SCORES, PAIRS, PAIRS.assign(verdict="undecided"))
    assert lines == [
        "Order of the papers' methods by MPJPE: A < B.",
        "A is ahead of B by 10.0 mm: decided.",
        "Protocols that change the order of the methods with predictions: 2 of 3.",
        "Pairs decided by MPJPE: 2 of 3.",
        "Pairs decided by PA-MPJPE: 0 of 3.",
        "Chapter 02: C is ahead of B by 4.5 mm: decided.",
    ]


def test_methods_without_a_shared_seed_are_not_compared():
    empty = PAIRS.iloc[:0]
    assert "share no seed" in verdict_lines(BOARD, SCORES, empty, empty)[1]
    assert len(verdict_lines(BOARD[BOARD["name"] == "A"], SCORES, empty, empty)) == 4
