"""The protocol as data and as code."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from posebook.errors import PosebookError
from posebook.joints import H36M17
from posebook.metrics import POSEBOOK17, evaluate, mpjpe, pa_mpjpe
from posebook.metrics.statistics import sequence_means


@pytest.fixture
def pair():
    g = torch.Generator().manual_seed(0)
    target = torch.randn(6, 17, 3, generator=g) * 0.3 + torch.tensor([0.0, 0.0, 4.0])
    return target + 0.04 * torch.randn(6, 17, 3, generator=g), target


def test_it_says_what_it_is():
    text = POSEBOOK17.describe()
    assert "\n" not in text
    for part in ("posebook17", "17 joints h36m17", "right leg first", "root pelvis", "box ground truth", "K given"):
        assert part in text
    assert "root depth not given" in text and "stature not given" in text and "ORACLE" not in text
    assert H36M17.names[1] == "right_hip"  # what "right leg first" promises
    with pytest.raises(FrozenInstanceError):
        POSEBOOK17.root = ("nose",)


def test_a_row_with_true_quantities_is_labelled():
    row = replace(POSEBOOK17, root_depth="given", oracle=("root depth",))
    assert row.kind == "oracle" and POSEBOOK17.kind == ""
    assert row.describe().endswith("ORACLE ROW, uses the true root depth")


def test_evaluate_subtracts_the_pelvis_and_nothing_else(pair):
    pred, target = pair
    table = POSEBOOK17.evaluate(pred, target, ["a", "a", "b", "a", "b", "b"])
    assert list(table.columns) == ["sequence", "frame", "mpjpe", "pa_mpjpe", "n_mpjpe"]
    assert table["frame"].tolist() == [0, 1, 0, 2, 1, 2]
    x, y = (p.numpy().astype(np.float64) for p in (pred, target))
    x, y = x - x[:, :1], y - y[:, :1]
    np.testing.assert_allclose(table["mpjpe"], 1000 * np.linalg.norm(x - y, axis=-1).mean(-1), atol=1e-3)
    scale = (x * y).sum((1, 2)) / (x * x).sum((1, 2))
    expected = 1000 * np.linalg.norm(scale[:, None, None] * x - y, axis=-1).mean(-1)
    np.testing.assert_allclose(table["n_mpjpe"], expected, atol=1e-3)
    moved = POSEBOOK17.evaluate(pred + torch.tensor([1.0, -2.0, 5.0]), target, table["sequence"])
    np.testing.assert_allclose(
        moved[["mpjpe", "pa_mpjpe", "n_mpjpe"]], table[["mpjpe", "pa_mpjpe", "n_mpjpe"]], atol=2e-3
    )


def test_each_column_removes_what_it_says(pair):
    target = pair[1]
    body = target - target[:, :1]
    turned = body @ torch.tensor(Rotation.from_euler("y", 50, degrees=True).as_matrix(), dtype=torch.float32)
    scaled, both = evaluate(0.8 * body, target, range(6)), evaluate(0.8 * turned, target, range(6))
    assert scaled["mpjpe"].min() > 10 and scaled["n_mpjpe"].max() < 1e-2 and scaled["pa_mpjpe"].max() < 1e-2
    assert both["n_mpjpe"].min() > 10 and both["pa_mpjpe"].max() < 1e-2


def test_scale_free_rows_leave_mpjpe_empty(pair):
    full, free = evaluate(*pair, range(6)), evaluate(*pair, range(6), scale_free=True)
    assert free["mpjpe"].isna().all() and list(free.columns) == list(full.columns)
    assert free[["pa_mpjpe", "n_mpjpe"]].equals(full[["pa_mpjpe", "n_mpjpe"]])


def test_arrays_frames_and_numbers_as_sequences(pair):
    pred, target = pair
    table = POSEBOOK17.evaluate(pred.numpy(), target.numpy(), np.array([3, 3, 3, 9, 9, 9]), frame=[0, 5, 10, 0, 5, 10])
    assert table["frame"].tolist() == [0, 5, 10, 0, 5, 10]
    root = pred[:, :1], target[:, :1]
    np.testing.assert_allclose(table["mpjpe"].mean(), mpjpe(pred - root[0], target - root[1]), atol=1e-3)
    np.testing.assert_allclose(table["pa_mpjpe"].mean(), pa_mpjpe(pred, target), atol=1e-3)


def test_means_per_sequence(pair):
    table = evaluate(*pair, ["b", "a", "b", "b", "a", "b"])
    means = sequence_means(table)
    assert means["sequence"].tolist() == ["a", "b"] and means["n_frames"].tolist() == [2, 4]
    assert means["mpjpe"][0] == pytest.approx((table["mpjpe"][1] + table["mpjpe"][4]) / 2)
    assert "frame" not in means


def test_bad_input_is_refused(pair):
    pred, target = pair
    with pytest.raises(PosebookError, match="17, 3"):
        evaluate(pred[:, :14], target[:, :14], range(6))
    with pytest.raises(PosebookError, match="one value per frame, 6; got 5"):
        evaluate(pred, target, range(5))
    with pytest.raises(PosebookError, match="frame"):
        POSEBOOK17.evaluate(pred, target, range(6), frame=[1])
    with pytest.raises(PosebookError, match="diverged"):
        evaluate(pred * float("nan"), target, range(6))
    with pytest.raises(PosebookError, match="millimetres"):
        evaluate(pred * 1000, target, range(6))
