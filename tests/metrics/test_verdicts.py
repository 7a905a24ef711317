"""Verdicts by their truth table, Holm by hand."""

import numpy as np
import pytest

from posebook.errors import PosebookError
from posebook.metrics import finding, findings_table
from posebook.metrics.statistics import holm, judge, paired_difference, verdict


def rows(effect, spread=1.0, seeds=(0.0, 0.0, 0.0), sequences=40):
    """Errors a, b whose paired difference has exactly this mean, spread over sequences, and offset of each seed."""
    ramp = np.linspace(-1, 1, sequences) * spread * np.sqrt(3)
    offsets = np.asarray(seeds)[:, None]
    return 70 + effect + ramp + offsets, np.full((len(seeds), sequences), 70.0)


def difference(*args, **kwargs):
    return paired_difference(*rows(*args, **kwargs))


@pytest.mark.parametrize(
    ("effect", "spread", "seeds", "expected"),
    [
        (-5.0, 1.0, (0, 1, -1), "reproduced"),
        (+5.0, 1.0, (0, 1, -1), "contradicted"),
        (-5.0, 30.0, (0, 1, -1), "undecided"),  # interval includes 0
        (-5.0, 1.0, (-6, -6, 12), "undecided"),  # one seed has the other sign
        (+5.0, 1.0, (6, 6, -12), "undecided"),
        (-1.9, 0.5, (0, 0.1, -0.1), "undecided"),  # certain, but under 2 mm
        (+1.9, 0.5, (0, 0.1, -0.1), "undecided"),
        (-2.1, 0.5, (0, 0.1, -0.1), "reproduced"),
        (-5.0, 1.0, (0,), "undecided (1 seed)"),
        (-5.0, 1.0, (0, 0), "undecided (2 seeds)"),
        (+5.0, 1.0, (0,), "undecided (1 seed)"),
        (-5.0, 1.0, (0, 0, 7.5), "undecided"),  # a seed at exactly 0 has no sign
        (0.0, 0.0, (0, 0, 0), "undecided"),
    ],
)
def test_truth_table(effect, spread, seeds, expected):
    seeds = np.asarray(seeds, float)
    d = difference(effect - seeds.mean(), spread, seeds)
    assert d.mean == pytest.approx(effect)
    assert verdict(d, -1) == expected
    mirrored = {"reproduced": "contradicted", "contradicted": "reproduced"}
    assert verdict(d, +1) == mirrored.get(expected, expected)


def test_reasons():
    assert judge(difference(-5, 30), -1)[1] == "the interval includes 0"
    assert judge(difference(-5, 1, (-6, -6, 12)), -1)[1] == "the seeds differ in sign"
    assert judge(difference(-1, 0.2), -1)[1] == "the effect is under 2 mm"
    assert judge(difference(-5, 1, (0,)), -1)[1] == "fewer than 3 seeds"
    for few in (1, 2, 5):
        assert judge(difference(-5, 1, sequences=few), -1) == ("undecided", "fewer than 6 sequences")
    assert judge(difference(-5, 0.1, sequences=6), -1) == ("reproduced", "")
    assert judge(difference(-5), -1)[1] == ""


def test_a_stricter_alpha_can_undo_a_verdict():
    d = difference(-5, 14)
    assert 0.001 < d.p_value < 0.05
    assert verdict(d, -1, alpha=0.05) == "reproduced" and verdict(d, -1, alpha=0.001) == "undecided"


def test_sign_must_be_a_sign():
    with pytest.raises(PosebookError, match="expected_sign"):
        verdict(difference(-5), 0)


def test_holm_by_hand():
    """Limits in order .0125, .0167, .025, .05: .005 and .01 pass, .03 fails, and so .04 fails with it."""
    result = holm([0.01, 0.04, 0.03, 0.005])
    assert result.rejected.tolist() == [True, False, False, True]
    np.testing.assert_allclose(result.adjusted, [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(result.level, [0.05 / 3, 0.05 / 2, 0.05 / 2, 0.05 / 4])


def test_holm_of_all_none_and_one():
    assert holm([0.001, 0.002]).rejected.all() and not holm([0.5, 0.9]).rejected.any()
    assert holm([0.04]).rejected.tolist() == [True]
    np.testing.assert_allclose(holm([0.001, 0.002]).level, [0.025, 0.05])
    np.testing.assert_allclose(holm([0.6, 0.7]).adjusted, [1, 1])  # never above 1
    assert len(holm([]).adjusted) == 0


def claim(name, d, sign=-1):
    return finding(name, "C2F table 2", "not available", d, sign)


def test_findings_table_corrects_for_the_number_of_claims():
    weak, strong = difference(-5, 14.3), difference(-8, 1)
    assert 0.02 < weak.p_value < 0.05
    alone = findings_table([claim("weak", weak)])
    assert alone["verdict"].tolist() == ["reproduced"] and alone["level"][0] == pytest.approx(0.95)
    noise = [claim(f"noise {i}", difference(0.1, 20)) for i in range(4)]
    table = findings_table([claim("weak", weak), claim("strong", strong), *noise])
    assert table["verdict"].tolist() == ["undecided", "reproduced"] + 4 * ["undecided"]
    assert claim("weak", weak).verdict == "reproduced"  # on its own; the table is what counts
    assert table["low"][0] < alone["low"][0] < alone["high"][0] < 0 < table["high"][0]
    assert table["level"][1] == pytest.approx(1 - 0.05 / 6)
    assert table["claim"].tolist()[:2] == ["weak", "strong"]  # the given order


def test_table_never_contradicts_holm():
    rng = np.random.default_rng(0)
    findings = [claim(str(i), paired_difference(rng.normal(m, 6, (3, 25)), np.zeros((3, 25))))
                for i, m in enumerate(np.linspace(-6, 6, 15))]  # fmt: skip
    table = findings_table(findings)
    excludes = (table["low"] > 0) | (table["high"] < 0)
    assert (excludes == (table["p_holm"] <= 0.05)).all() and excludes.any() and not excludes.all()
    assert {"reproduced", "contradicted", "undecided"} <= set(table["verdict"])


def test_twenty_false_claims_rarely_give_a_true_one():
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(20):
        null = [claim("x", paired_difference(rng.normal(0, 9, (3, 30)), np.zeros((3, 30)))) for _ in range(20)]
        alarms += (findings_table(null)["p_holm"] <= 0.05).any()
    assert alarms <= 5  # 400 tests; without correction about every table would have one


def test_columns_and_texts():
    table = findings_table([claim("deeper is better", difference(-5, 1, (0, 0.5, -0.5)))])
    row = table.iloc[0]
    assert row["per_seed"] == "-5.00 -4.50 -5.50" and row["n_seeds"] == 3 and row["n_sequences"] == 40
    assert row["published"] == "not available" and row["effect_mm"] == pytest.approx(-5)
    assert list(findings_table([]).columns) == list(table.columns)
    with pytest.raises(PosebookError, match="published is empty"):
        finding("a", "b", " ", difference(-5), -1)
