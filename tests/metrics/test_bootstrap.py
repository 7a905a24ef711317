"""Intervals against simulation and brute force."""

import numpy as np
import pandas as pd
import pytest

from posebook.errors import PosebookError
from posebook.metrics import summarise
from posebook.metrics.bootstrap import interval_at
from posebook.metrics.statistics import bootstrap_interval, paired_difference, pooled_interval, stack_seeds


def test_coverage_of_the_interval():
    """400 experiments of 40 normal sequences: 95 % intervals hold the truth in about 95 % (percentile: a bit less)."""
    rng = np.random.default_rng(0)
    inside = 0
    for trial in range(400):
        low, high = bootstrap_interval(rng.normal(60, 12, 40), seed=trial)
        inside += low <= 60 <= high
    assert 0.90 <= inside / 400 <= 0.98


def test_interval_width_is_the_standard_error():
    values = np.random.default_rng(1).normal(0, 10, 200)
    low, high = bootstrap_interval(values, resamples=20_000)
    error = values.std() / np.sqrt(200)
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.05)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.05)


def test_against_a_loop_over_drawn_indices():
    values = np.random.default_rng(2).exponential(20, 15)
    rng = np.random.default_rng(3)
    means = np.sort([values[rng.integers(0, 15, 15)].mean() for _ in range(20_000)])
    low, high = bootstrap_interval(values, level=0.9, resamples=20_000)
    assert (low, high) == pytest.approx((means[1000], means[-1000]), abs=0.25)


def test_the_same_every_time_and_wider_with_the_level():
    values = np.random.default_rng(4).normal(size=30)
    assert bootstrap_interval(values) == bootstrap_interval(values)
    narrow, wide = bootstrap_interval(values, 0.9), bootstrap_interval(values, 0.99)
    assert wide.low < narrow.low < values.mean() < narrow.high < wide.high


def test_one_sequence_and_too_few_resamples_claim_nothing():
    assert all(np.isnan(bootstrap_interval(np.array([5.0]))))
    assert bootstrap_interval(np.arange(5.0), level=0.999, resamples=100) == (-np.inf, np.inf)


def test_pooled_frames_against_a_loop_over_the_frames_themselves():
    """Two long easy clips among short hard ones; frames of two actions, of which not every clip has both."""
    rng = np.random.default_rng(6)
    clips = [
        pd.DataFrame({"action": rng.choice(["walk", "sit"], n) if n > 5 else ["sit"] * n, "error": rng.normal(m, 9, n)})
        for n, m in [(400, 60), (300, 55), *[(20, 100)] * 9, (4, 90)]
    ]
    drawn = [pd.concat([clips[i] for i in rng.integers(0, 12, 12)]) for _ in range(3000)]
    for by_action in (False, True):
        means = [d.groupby("action")["error"].mean().mean() if by_action else d["error"].mean() for d in drawn]
        cells = pd.concat(clips, keys=range(12), names=["clip"])
        cells = cells.groupby(["clip", cells["action"] if by_action else np.zeros(len(cells))])["error"]
        low, high = pooled_interval(*(cells.agg(how).unstack(fill_value=0).to_numpy() for how in ("sum", "count")))
        assert (low, high) == pytest.approx(np.percentile(means, [2.5, 97.5]), abs=1.0)
        assert low < pd.concat(clips)["error"].mean() < high


def test_pooled_frames_of_equal_clips_are_means_of_clips():
    values = np.random.default_rng(7).normal(70, 9, 25)
    assert pooled_interval(values[:, None] * 30, np.full((25, 1), 30)) == pytest.approx(bootstrap_interval(values))
    assert np.isnan(pooled_interval(np.ones((1, 1)), np.ones((1, 1)))).all()


def test_paired_difference_removes_what_the_rows_share():
    """Hard and easy sequences cancel: the paired interval is far narrower than either row's own."""
    rng = np.random.default_rng(5)
    hard = rng.normal(80, 25, (1, 40))
    a, b = hard - 3 + rng.normal(0, 1, (3, 40)), hard + rng.normal(0, 1, (3, 40))
    d = paired_difference(a, b)
    assert d.mean == pytest.approx((a - b).mean()) and d.n == 40
    assert d.per_seed == pytest.approx(tuple((a - b).mean(1)))
    assert d.differences == pytest.approx(tuple((a - b).mean(0)))
    assert d.low < d.mean < d.high < -2 and d.high - d.low < 1.5
    own = bootstrap_interval(a.mean(0))
    assert own.high - own.low > 10
    back = paired_difference(b, a)
    assert back.mean == -d.mean and back.p_value == pytest.approx(d.p_value)


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.6, 0.9, 1.2])
def test_p_value_and_interval_agree_at_every_level(shift):
    d = paired_difference(np.random.default_rng(6).normal(shift, 2, (3, 20)), np.zeros((3, 20)))
    for alpha in (0.001, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5):
        low, high = interval_at(d, alpha)
        assert (low > 0 or high < 0) == (d.p_value <= alpha)


def test_p_value_is_near_the_t_test():
    from scipy.stats import ttest_1samp

    values = np.random.default_rng(7).normal(0.35, 1, 100)
    d = paired_difference(values[None], np.zeros((1, 100)))
    assert d.p_value == pytest.approx(ttest_1samp(values, 0).pvalue, abs=0.01)
    assert paired_difference(np.zeros((1, 9)), np.zeros((1, 9))).p_value == 1


def test_false_alarms_are_rare():
    rng = np.random.default_rng(8)
    alarms = [paired_difference(rng.normal(0, 5, (3, 30)), rng.normal(0, 5, (3, 30)), resamples=1000).p_value <= 0.05
              for _ in range(300)]  # fmt: skip
    assert np.mean(alarms) < 0.11


def test_summary_of_a_row():
    errors = np.array([[60.0, 80.0, 70.0], [66.0, 86.0, 76.0]])
    s = summarise(errors, [10, 20, 30])
    assert (s.mean, s.seed_low, s.seed_high) == (73, 70, 76)
    assert (s.n_seeds, s.n_sequences, s.n_frames) == (2, 3, 60)
    assert 63 <= s.low < 73 < s.high <= 83
    assert s[1:3] == bootstrap_interval(errors.mean(0), resamples=2000)


def test_summary_of_an_empty_column_is_nan_and_of_holes_an_error():
    errors = np.full((1, 4), np.nan)
    assert np.isnan(summarise(errors)[:5]).all()
    errors[0, 1] = 3
    with pytest.raises(PosebookError, match="3 of 4 values are missing"):
        summarise(errors)


def test_stack_seeds_aligns_by_sequence():
    first = pd.DataFrame({"sequence": ["a", "b"], "mpjpe": [1.0, 2.0]})
    second = pd.DataFrame({"sequence": ["b", "a"], "mpjpe": [4.0, 3.0]})
    np.testing.assert_array_equal(stack_seeds([first, second], "mpjpe"), [[1, 2], [3, 4]])
    with pytest.raises(PosebookError, match="same sequences"):
        stack_seeds([first, second.iloc[:1]], "mpjpe")


def test_unpaired_rows_are_refused():
    with pytest.raises(PosebookError, match="share seeds and sequences"):
        paired_difference(np.zeros((3, 5)), np.zeros((1, 5)))
    with pytest.raises(PosebookError, match="S seeds, Q sequences"):
        paired_difference(np.zeros(5), np.zeros(5))
