"""Chapter 5's rows and claims: no scale, both mirrors, one bit of oracle, and every claim about rows that exist."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from posebook.data import open_dataset
from posebook.experiments.lifting import hand_variants, variants
from posebook.experiments.lifting_claims import claims, other_motion
from posebook.experiments.lifting_images import image_variants
from posebook.experiments.lifting_rows import (
    COLUMNS,
    FLAT,
    add_floors,
    add_lifted,
    lifting_table,
    sign_told,
    two_d_scores,
)
from posebook.experiments.lifting_sets import open_setting
from posebook.experiments.sheet import TITLES, ScoreSheet
from posebook.findings import judge_claims
from posebook.joints import H36M17
from posebook.metrics.lifting import depth_flipped
from posebook.profile import smoke


@pytest.fixture(scope="module")
def setting(body_cache):
    sizes = smoke()
    sizes = replace(sizes, lifting=replace(sizes.lifting, stills=48))
    return open_setting("procedural", sizes, open_dataset("procedural", "test", smoke()))


@pytest.fixture
def sheet(setting):
    return ScoreSheet(setting.datasets[2])


def test_a_scaled_truth_is_perfect_and_its_mirror_only_where_a_mirror_is_allowed(sheet, setting):
    add_lifted(sheet, setting, "right", 3.7 * setting.test.joints.numpy())
    add_lifted(sheet, setting, "mirror", 0.2 * depth_flipped(setting.test.joints).numpy() + 1.0)
    add_lifted(sheet, setting, "exchanged", setting.test.joints.numpy()[:, list(H36M17.flip)])
    table = lifting_table(sheet)
    lengths = list(COLUMNS.values())[:4]
    assert table.loc["right", lengths].abs().max() < 0.1 and table.loc["right", "depth flips, %"] == 0
    assert table.loc["mirror", "P-MPJPE, mirror allowed"] < 0.1 < table.loc["mirror", "P-MPJPE"]
    assert table.loc["mirror", "N-MPJPE (least squares)"] > 50 and table.loc["mirror", "depth flips, %"] > 95
    assert table.loc["exchanged", "left/right flips, %"] > 95 and table.loc["right", "left/right flips, %"] == 0
    assert sheet.metrics.query("metric == 'mpjpe'")["value"].isna().all()  # there is no scale
    assert {"depth_flips", "side_flips", "pa_mpjpe_mirror", "n_mpjpe_norm"} <= set(TITLES)
    units = sheet.metrics.set_index("metric")["unit"]
    assert set(units["depth_flips"]) == {"%"} and set(units["n_mpjpe_norm"]) == {"mm"}


def test_floors_say_what_they_know(sheet, setting):
    add_floors(sheet, setting, azimuth=70.0)
    table = lifting_table(sheet)
    assert list(table.index) == [
        "constant depth",
        "mean depth",
        "mean depth, test's directions",
        "mean pose",
        "true depth",
    ]
    assert (table["kind"] == ["oracle", "oracle", "oracle", "baseline", "oracle"]).all()
    assert table.loc["true depth", "P-MPJPE"] < 12 < table.loc["constant depth", "P-MPJPE"]
    assert "2D joints, depth" in sheet.metrics.query("row == 'true depth'")["protocol"].iloc[0]
    assert FLAT == ("2D joints",)


def test_one_bit_of_oracle_turns_all_poses_or_none(setting):
    truth = setting.test.joints.numpy()
    np.testing.assert_allclose(sign_told(depth_flipped(torch.from_numpy(truth)).numpy(), truth), truth, atol=1e-6)
    mixed = truth.copy()
    mixed[:5] = depth_flipped(torch.from_numpy(truth[:5])).numpy()
    np.testing.assert_allclose(sign_told(mixed, truth), mixed, atol=1e-6)  # five of 48 are not turned by themselves


def test_2d_errors_are_in_per_cent_of_the_side():
    truth = torch.rand(4, 17, 2, generator=torch.Generator().manual_seed(0)) - 0.5
    moved = truth + torch.tensor([0.06, 0.08])  # a tenth of half a side
    scores = two_d_scores(moved, truth, H36M17.flip)
    assert scores["2D error, % of side"] == pytest.approx(5.0, rel=1e-4) and scores["left/right flips, %"] == 0
    exchanged = two_d_scores(truth[:, list(H36M17.flip)], truth, H36M17.flip)
    assert exchanged["better naming of sides"] == pytest.approx(0, abs=1e-5) and exchanged["left/right flips, %"] == 100


@pytest.mark.parametrize("motion", ["procedural", "cmu"])
def test_every_claim_is_about_rows_that_the_chapter_makes(motion, sheet, setting):
    add_floors(sheet, setting, azimuth=70.0)
    floors = set(sheet.metrics["row"])
    made = (
        floors
        | {f"hand, {row}" for row in floors}
        | {v.row for v in (*variants(), *image_variants(), *hand_variants())}
    )
    other = other_motion(motion)
    made |= {f"lifter, prior of {other} motion", f"{other}, lifter", f"{other}, prior of {motion} motion"}
    made |= {"lifter, 2D of the supervised twin", "lifter, 2D of the networks alone", "hand, from image"}
    asked = claims(motion)
    assert {c.row_a for c in asked} | {c.row_b for c in asked} <= made
    assert len({c.claim for c in asked}) == len(asked)
    terms = {c.row_b for c in asked if c.row_b.startswith("lifter, without ")}
    assert terms == {v.row for v in variants() if v.without}
    columns = set(sheet.per_sequence.columns)
    assert {c.metric for c in asked} <= columns and "mpjpe" not in {c.metric for c in asked}  # no scale, no MPJPE


def test_numbers_that_are_only_remembered_are_not_printed():
    printed = {c.published for c in claims() if any(character.isdigit() for character in c.published)}
    assert printed == {"Human3.6M, true 2D: 36.7 mm P-MPJPE, 64.0 mm N-MPJPE (paperswithcode.com, ElePose)"}


def test_claims_are_judged_from_the_rows(sheet, setting):
    """A perfect lifter: the baseline claims hold in effect; rows that were not trained say so."""
    add_floors(sheet, setting, azimuth=70.0)
    add_lifted(sheet, setting, "lifter", setting.test.joints.numpy(), oracle=FLAT)
    judged = judge_claims(claims(), {seed: sheet.per_sequence for seed in range(3)})
    first = judged[judged["row_b"].isin(["constant depth", "mean depth"]) & (judged["row_a"] == "lifter")]
    assert len(first) == 4 and (first["effect_mm"] < -10).all() and (first["verdict"] == "reproduced").all()
    assert (judged[judged["row_b"] == "lifter, one world"]["verdict"] == "not run").all()
