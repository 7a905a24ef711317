"""Segmentation scores against loops over pixels, set arithmetic and cases with known answers."""

import math

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.metrics import confusion_matrix, part_scores


def maps(parts=5, shape=(3, 9, 7), seed=0):
    rng = np.random.default_rng(seed)
    target = rng.integers(0, parts + 1, shape)
    pred = np.where(rng.random(shape) < 0.6, target, rng.integers(0, parts + 1, shape))
    return pred, target


def test_confusion_against_a_loop():
    pred, target = maps()
    counts = np.zeros((6, 6), int)
    for p, t in zip(pred.ravel(), target.ravel(), strict=True):
        counts[t, p] += 1
    for one, other in ((pred, target), (torch.tensor(pred).byte(), torch.tensor(target)), (pred.astype("u2"), target)):
        out = confusion_matrix(one, other, 6)
        assert out.dtype == torch.int64
        np.testing.assert_array_equal(out, counts)


def test_scores_against_sets_of_pixels():
    pred, target = maps(seed=1)
    scores = part_scores(confusion_matrix(pred, target, 6))
    for part in range(1, 6):
        a, b = (set(np.flatnonzero(m == part)) for m in (pred, target))
        precision, recall = len(a & b) / len(a), len(a & b) / len(b)
        assert scores.f1[part - 1].item() == pytest.approx(2 * precision * recall / (precision + recall))
        assert scores.iou[part - 1].item() == pytest.approx(len(a & b) / len(a | b))
    assert scores.mean_f1 == pytest.approx(scores.f1.numpy().mean())
    assert scores.mean_iou == pytest.approx(scores.iou.numpy().mean())
    assert scores.pixel_accuracy == pytest.approx((pred == target).mean())


def test_known_answers():
    """8 pixels: part 1 half found, part 2 found and as much again claimed, part 3 nowhere, part 4 invented."""
    target = torch.tensor([[1, 1, 2, 0], [0, 0, 0, 0]])
    pred = torch.tensor([[1, 0, 2, 2], [4, 0, 0, 0]])
    scores = part_scores(confusion_matrix(pred, target, 5))
    torch.testing.assert_close(scores.f1, torch.tensor([2 / 3, 2 / 3, math.nan, 0.0]).double(), equal_nan=True)
    torch.testing.assert_close(scores.iou, torch.tensor([0.5, 0.5, math.nan, 0.0]).double(), equal_nan=True)
    assert scores.mean_f1 == pytest.approx(4 / 9) and scores.mean_iou == pytest.approx(1 / 3)
    assert scores.pixel_accuracy == 5 / 8


def test_perfect_wrong_and_empty():
    target = torch.arange(4).repeat(3, 1)
    perfect = part_scores(confusion_matrix(target, target, 4))
    assert (perfect.mean_f1, perfect.mean_iou, perfect.pixel_accuracy) == (1, 1, 1)
    wrong = part_scores(confusion_matrix((target + 1) % 4, target, 4))
    assert (wrong.mean_f1, wrong.mean_iou, wrong.pixel_accuracy) == (0, 0, 0)
    empty = part_scores(confusion_matrix(0 * target, 0 * target, 4))
    assert empty.f1.isnan().all() and math.isnan(empty.mean_f1) and empty.pixel_accuracy == 1


def test_counts_of_pictures_add():
    pred, target = maps(shape=(4, 8, 8))
    total = sum(confusion_matrix(p, t, 6) for p, t in zip(pred, target, strict=True))
    assert torch.equal(total, confusion_matrix(pred, target, 6))


@pytest.mark.parametrize(
    ("pred", "target", "classes", "message"),
    [
        (torch.zeros(4, 4).long(), torch.zeros(4, 5).long(), 3, "one shape"),
        (torch.zeros(4, 4), torch.zeros(4, 4).long(), 3, "pred: expected integer labels"),
        (torch.zeros(4, 4).long(), torch.zeros(4, 4).bool(), 3, "target: expected integer labels"),
        (torch.full((4, 4), 3), torch.zeros(4, 4).long(), 3, r"pred: expected labels in 0\.\.2, got 3\.\.3"),
        (torch.zeros(4, 4).long(), torch.full((4, 4), -1), 3, r"target: .*got -1\.\.-1"),
        (torch.zeros(0, 4).long(), torch.zeros(0, 4).long(), 3, "with pixels"),
        (torch.zeros(4).long(), torch.zeros(4).long(), 3, "label maps"),
        (torch.zeros(4, 4).long(), torch.zeros(4, 4).long(), 1, "at least 2"),
    ],
)
def test_bad_maps(pred, target, classes, message):
    with pytest.raises(PosebookError, match=message):
        confusion_matrix(pred, target, classes)


@pytest.mark.parametrize(
    ("confusion", "message"),
    [
        (torch.zeros(3, 4), "one matrix"),
        (torch.ones(2, 3, 3), "one matrix"),
        (torch.ones(1, 1), "one matrix"),
        (torch.zeros(3, 3), "at least one pixel"),
        (-torch.eye(3), "counts >= 0"),
        (torch.full((3, 3), math.nan), "NaN"),
    ],
)
def test_bad_confusion(confusion, message):
    with pytest.raises(PosebookError, match=message):
        part_scores(confusion)
