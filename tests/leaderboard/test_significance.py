import numpy as np
import pytest

from posebook.leaderboard.methods import PAPER, Method
from posebook.leaderboard.significance import comparisons, decide, matrix
from posebook.metrics.statistics import holm
from posebook.runs import find_runs
from posebook.summary import group_runs
from tiny import write_run

NAMES = ("good", "equal", "bad")
METHODS = [Method(name, PAPER, chapter, name, "") for chapter, name in zip(("01", "02", "02"), NAMES, strict=True)]


def errors(seed: int) -> dict[str, list[float]]:
    base = np.random.default_rng(9).normal(70, 15, 20) + seed
    noise = np.random.default_rng(seed).normal(0, 1, 20)
    return {"good": list(base), "equal": list(base + noise), "bad": list(base + 10 + noise)}


@pytest.fixture
def group(tmp_path):
    for seed in range(3):
        found = errors(seed)
        write_run(tmp_path, {"good": found["good"]}, number="01", seed=seed)
        write_run(tmp_path, {name: found[name] for name in ("equal", "bad")}, number="02", seed=seed)
    return group_runs(find_runs(tmp_path))[0]


def test_pairs_across_chapters_are_paired_by_sequence(group):
    """Sequences differ by 15 mm, methods by 10: unpaired nothing could be decided."""
    pairs = comparisons(group, METHODS).set_index(["a", "b"])
    assert set(pairs.index) == {("good", "equal"), ("good", "bad"), ("equal", "bad")}
    wanted = np.mean([np.subtract(errors(s)["good"], errors(s)["bad"]).mean() for s in range(3)])
    assert pairs.loc[("good", "bad"), "effect_mm"] == pytest.approx(wanted)
    assert pairs["verdict"].to_dict() == {
        ("good", "equal"): "undecided",
        ("good", "bad"): "a better",
        ("equal", "bad"): "a better",
    }
    assert (pairs["n_seeds"] == 3).all() and (pairs["n_sequences"] == 20).all()


def test_holm_counts_every_pair(group):
    alone = comparisons(group, METHODS[:2])
    every = comparisons(group, METHODS)
    single = alone["p_holm"].iloc[0]  # one pair: its own p
    plain = [comparisons(group, [a, b])["p_holm"].iloc[0]
             for a, b in ((METHODS[0], METHODS[1]), (METHODS[0], METHODS[2]), (METHODS[1], METHODS[2]))]  # fmt: skip
    assert every["p_holm"].tolist() == pytest.approx(holm(plain).adjusted.tolist()) and single == plain[0]


def test_only_shared_seeds_count(group, tmp_path):
    write_run(tmp_path, {"good": errors(3)["good"]}, number="01", seed=3)
    wider = group_runs(find_runs(tmp_path))[0]
    assert comparisons(wider, METHODS)["n_seeds"].tolist() == [3, 3, 3]


def test_pairs_are_of_the_sequences_that_both_have(group):
    """Not of as many others: the last sequence of one and the first of the other are unknown."""
    for run, (row, sequence) in zip(
        [run for runs in group.runs.values() for run in runs.values()],
        [("good", "s0")] * 3 + [("bad", "s19")] * 3,
        strict=True,
    ):
        table = run.table("per_sequence")
        table.loc[(table["row"] == row) & (table["sequence"] == sequence), "mpjpe"] = np.nan
        table.to_csv(run.folder / "per_sequence.csv", index=False)
    line = comparisons(group, METHODS).set_index(["a", "b"]).loc[("good", "bad")]
    wanted = np.mean([np.subtract(errors(s)["good"], errors(s)["bad"])[1:19].mean() for s in range(3)])
    assert line["n_sequences"] == 18 and line["effect_mm"] == pytest.approx(wanted)


def test_methods_that_were_not_run_or_lack_the_metric_have_no_pair(group):
    absent = Method("absent", PAPER, "05", "x", "")
    assert len(comparisons(group, [*METHODS, absent])) == 3
    assert comparisons(group, METHODS, "pve").empty


@pytest.mark.parametrize(
    ("interval", "effect", "per_seed", "sequences", "verdict"),
    [
        ((-5, -1), -3, (-3, -2, -4), 6, "a better"),
        ((1, 5), 3, (3, 2, 4), 6, "b better"),
        ((-1, 5), 3, (3, 2, 4), 48, "undecided"),  # includes 0
        ((1, 5), 3, (3, -1, 4), 48, "undecided"),  # seeds differ
        ((1, 5), 3, (3, 2), 48, "undecided"),  # two seeds
        ((1, 5), 3, (3, 2, 4), 5, "undecided"),  # five sequences
        ((0.5, 1.5), 1, (1, 1, 1), 48, "undecided"),  # too small
    ],
)
def test_the_rule(interval, effect, per_seed, sequences, verdict):
    assert decide(effect, *interval, per_seed, sequences) == verdict


def test_the_square_is_antisymmetric_with_stars_on_decisions(group):
    square = matrix(comparisons(group, METHODS))
    assert square.loc["bad", "good"].endswith("*") and square.loc["good", "bad"].startswith("-")
    assert float(square.loc["bad", "good"].strip("*")) == -float(square.loc["good", "bad"].strip("*"))
    assert not square.loc["good", "equal"].endswith("*") and square.loc["good", "good"] == ""
