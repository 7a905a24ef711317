"""Against runs written here with numbers that can be added by hand."""

import numpy as np
import pandas as pd
import pytest

from posebook.leaderboard.methods import FLOOR, METHODS, PAPER, RIVAL, Method, methods
from posebook.leaderboard.standings import missing, seed_range, standings, to_markdown
from posebook.runs import find_runs
from posebook.summary import group_runs, summarise
from tiny import metrics_table, write_run

TEMPORAL = Method("smoother", PAPER, "04", "after", "video", ("before",))
ALONE = Method("alone", RIVAL, "04", "before", "pictures")
ABSENT = Method("absent", PAPER, "05", "nowhere", "nothing")


@pytest.fixture
def summary(tmp_path):
    for seed in (0, 1):
        write_run(tmp_path, {"after": [50.0 + seed, 52.0 + seed], "before": [60.0, 62.0]}, number="04", seed=seed)
    return summarise(group_runs(find_runs(tmp_path))[0])


def test_values_ranges_and_roles(summary):
    line = standings(summary, [TEMPORAL]).iloc[0]
    assert line["mpjpe"] == pytest.approx(51.5) and (line["seed_min"], line["seed_max"]) == (51.0, 52.0)
    assert line["mpjpe_low"] <= 51.5 <= line["mpjpe_high"] and line["seeds"] == "0 1"
    assert (line["label"], line["role"], line["supervision"], line["ranked"]) == (
        "04 smoother",
        PAPER,
        "video",
        "mpjpe",
    )
    assert np.isnan(line["pve"])


def test_a_network_that_runs_before_is_paid_for(summary):
    board = standings(summary, [TEMPORAL, ALONE]).set_index("name")
    for cost in ("parameters", "flops", "ms_per_image", "train_minutes"):
        assert board.loc["smoother", cost] == 2 * board.loc["alone", cost] > 0
    assert board.loc["smoother", "peak_memory_mb"] == board.loc["alone", "peak_memory_mb"]  # not at the same time


def test_costs_are_unknown_where_the_network_before_is(summary):
    line = standings(summary, [TEMPORAL._replace(after=("not run",))]).iloc[0]
    assert np.isnan(line["flops"]) and line["mpjpe"] == pytest.approx(51.5)


def test_what_was_not_run_is_named_and_has_no_line(summary):
    board = standings(summary, [TEMPORAL, ABSENT])
    assert board["name"].tolist() == ["smoother"] and missing(summary, [TEMPORAL, ABSENT]) == [ABSENT]


def test_a_method_without_scale_is_ranked_by_n_mpjpe(tmp_path):
    folder = write_run(tmp_path, {"net": [1.0, 2.0]}, number="05")
    free = [metrics_table({"nowhere": v}, metric=m) for m, v in (("mpjpe", np.nan), ("n_mpjpe", 80.0))]
    pd.concat([pd.read_csv(folder / "metrics.csv"), *free]).to_csv(folder / "metrics.csv", index=False)
    line = standings(summarise(group_runs(find_runs(tmp_path))[0]), [ABSENT]).iloc[0]
    assert (line["ranked"], line["n_mpjpe"]) == ("n_mpjpe", 80.0) and np.isnan(line["mpjpe"])
    assert seed_range(line) == "1 seed, N-MPJPE"


def test_the_markdown_shows_the_columns_that_somebody_has(summary):
    text = to_markdown(standings(summary, [TEMPORAL, ALONE]), {"04": "[04](x)"})
    head, _, first, second = text.splitlines()
    assert "MPJPE, mm" in head and "PVE" not in head and "taught with" in head
    assert "[04](x)" in first and "51.5 [" in first and "51.0–52.0 (2)" in first and "2 / 32" in first
    assert "pictures" in second


def test_methods_are_chosen_by_role_and_named_once():
    assert {m.role for m in METHODS} == {PAPER, RIVAL, FLOOR}
    assert methods() == list(METHODS) and [m.role for m in methods(FLOOR)] == [FLOOR]
    assert len({m.name for m in METHODS}) == len({(m.chapter, m.row) for m in METHODS}) == len(METHODS)
    assert {m.chapter for m in methods(PAPER)} == {"01", "02", "03", "04", "05"}
