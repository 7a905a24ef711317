"""Predictions, and what is read out of them: breakdown, worst cases."""

import json

import numpy as np
import pandas as pd
import pytest

from posebook.errors import PosebookError
from posebook.joints import H36M17
from posebook.leaderboard.breakdown import by_action, by_joint
from posebook.leaderboard.methods import PAPER, Method
from posebook.leaderboard.predictions import predicted
from posebook.leaderboard.worst import errors_of, over_picture, shared_failures, worst_cases
from posebook.runs import find_runs
from posebook.score import Truth
from posebook.summary import group_runs
from tiny import metrics_table, write_run

NET, FREE = Method("Net", PAPER, "01", "net", ""), Method("Free", PAPER, "05", "free", "")
RNG = np.random.default_rng(3)
JOINTS = (RNG.normal(0, 0.3, (6, 17, 3)) + [0, 0, 4]).astype(np.float32)
TRUTH = Truth(np.array([f"s{i}" for i in range(6)]), np.array(["a", "a", "a", "b", "b", "b"]), JOINTS, "test")
OFF = np.float32([10, 50, 20, 40, 5, 30]) / 1000  # metres by which one joint is wrong


def wrong() -> np.ndarray:
    """Left wrist too far right by OFF."""
    joints = JOINTS.copy()
    joints[:, H36M17.index("left_wrist"), 0] += OFF
    return joints


def add_predictions(folder, joints, headline, order=None, **info) -> None:
    rows = np.arange(6) if order is None else order
    np.savez(folder / "predictions.npz", sample_id=TRUTH.sample_id[rows], joints3d=joints[rows].astype(np.float32))
    path = folder / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"headline": headline} | info))


@pytest.fixture
def group(tmp_path):
    for seed in (0, 1):
        folder = write_run(tmp_path, {"net": [1.0, 2.0]}, number="01", seed=seed, data_version="v")
        add_predictions(folder, wrong(), "net", order=RNG.permutation(6))
    folder = write_run(tmp_path, {"other": [1.0]}, number="05", data_version="v")
    free = metrics_table({"free": np.nan})
    pd.concat([pd.read_csv(folder / "metrics.csv"), free]).to_csv(folder / "metrics.csv", index=False)
    local = wrong() - wrong()[:, :1]
    add_predictions(folder, 0.5 * local, "free")
    return group_runs(find_runs(tmp_path))[0]


@pytest.fixture
def found(group):
    return predicted(group, TRUTH, [NET, FREE], "v")


def test_answers_come_in_the_order_of_the_truth(found):
    assert list(found) == ["Net", "Free"] and list(found["Net"].joints) == [0, 1]
    for joints in found["Net"].joints.values():
        np.testing.assert_array_equal(joints, wrong())


def test_place_and_scale_are_told_apart(found):
    assert (found["Net"].placed, found["Net"].scale_free) == (True, False)
    assert (found["Free"].placed, found["Free"].scale_free) == (False, True)


def test_scale_is_told_by_the_runs_that_have_the_row(tmp_path):
    write_run(tmp_path, {"other": [1.0]}, number="01", seed=0, data_version="v")
    add_predictions(write_run(tmp_path, {"net": [1.0]}, number="01", seed=1, data_version="v"), wrong(), "net")
    found = predicted(group_runs(find_runs(tmp_path))[0], TRUTH, [NET], "v")
    assert list(found["Net"].joints) == [1] and not found["Net"].scale_free


def test_a_row_that_is_not_the_headline_has_no_predictions(group):
    assert list(predicted(group, TRUTH, [NET, NET._replace(name="x", row="other")], "v")) == ["Net"]


def test_runs_of_other_pictures_are_left_out_and_named(group):
    with pytest.raises(PosebookError, match="data version w.*the runs are of v"):
        predicted(group, TRUTH, [NET, FREE], "w")


def test_per_joint_and_per_action(found):
    joints = by_joint(found, TRUTH)["Net"]
    assert joints["left_wrist"] == pytest.approx(1000 * OFF.mean(), rel=1e-4)
    assert joints.drop("left_wrist").max() < 1e-6
    actions = by_action(found, TRUTH, np.array(["run", "run", "run", "sit", "sit", "sit"]))
    assert actions.loc["run", "Net"] == pytest.approx(1000 * OFF[:3].mean() / 17, rel=1e-4)
    assert actions.loc["mean of actions", "Net"] == pytest.approx(1000 * OFF.mean() / 17, rel=1e-4)
    assert actions["sequences"].tolist() == [1, 1, 2]
    errors = []
    for pred, true in zip(wrong()[:3], JOINTS[:3], strict=True):  # its scale is that of the least squares
        x, y = ((a - a[0]).astype(float).ravel() for a in (pred, true))
        scale = np.linalg.lstsq(x[:, None], y, rcond=None)[0]
        errors.append(1000 * np.linalg.norm((scale * x - y).reshape(17, 3), axis=-1).mean())
    assert actions.loc["run", "Free"] == pytest.approx(np.mean(errors), rel=1e-3)


def test_worst_cases_take_one_picture_a_sequence(found):
    cases = worst_cases(found["Net"], TRUTH, 3, seed=0)
    assert [case.row for case in cases] == [1, 3]  # 50 mm in a, 40 mm in b; there is no third sequence
    assert cases[0].error == pytest.approx(50 / 17, rel=1e-4) and cases[0].method == "Net"
    assert shared_failures(found, TRUTH, 2, seed=0) == [1, 3]
    assert len(errors_of(found["Free"], TRUTH, 0)) == 6


def test_a_perfect_prediction_lies_on_the_true_pixels():
    K = np.array([[80.0, 0, 32], [0, 80, 32], [0, 0, 1]])
    true = JOINTS[0].astype(float)
    pixels = (true / true[:, 2:]) @ K.T
    np.testing.assert_allclose(over_picture(true + [1, 2, 3], true, K), pixels[:, :2], rtol=1e-6)
    half = 0.5 * (true - true[:1])
    np.testing.assert_allclose(over_picture(half, true, K, scale_free=True), pixels[:, :2], rtol=1e-6)
    assert np.abs(over_picture(half, true, K) - pixels[:, :2]).max() > 1
