"""Chapter 2's first stage: likeliest labels, folds that never see their own pictures, results from the cache."""

import copy
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from posebook.body import part_groups
from posebook.data.body_batches import BodyBatches
from posebook.experiments import segmentation
from posebook.experiments.segmentation import (
    HEAT_WEIGHT,
    build_segmenter,
    folds_of,
    groups_of,
    likeliest_labels,
    map_scores,
    segment,
    stage_one_loss,
    train_fold,
    train_stage_one,
)
from posebook.joints import SMPL24
from posebook.models.refinenet import Segmentation, normalise
from posebook.models.volumetric import gaussian_volume
from posebook.pixels import pixels_to_grid
from posebook.profile import smoke
from posebook.trunk import heat_loss


@pytest.mark.parametrize("parts", [1, 3, 6, 12, 24])
def test_labels_are_the_likeliest_of_the_likeliest_group(parts):
    logits = torch.tensor(np.random.default_rng(0).normal(0, 1, (2, 25, 6, 7)))
    found = likeliest_labels(logits, parts)
    assert found.dtype == torch.uint8 and found.shape == (2, 6, 7)
    groups, differs = part_groups(parts), 0
    for b, y, x in np.ndindex(2, 6, 7):
        weight = np.exp(logits[b, :, y, x].numpy())
        sums = [weight[groups == group].sum() for group in range(parts + 1)]
        best = int(np.argmax(sums))
        member = max(np.flatnonzero(groups == best), key=lambda label: weight[label])
        assert found[b, y, x] == member
        differs += groups[weight.argmax()] != best
    assert differs == 0 if parts == 24 else differs > 0  # the plain arg-max of 24 is not the arg-max of groups


def test_two_halves_of_a_group_beat_a_larger_single():
    probability = torch.full((25,), 1e-4)
    spine2, spine3, neck = (SMPL24.index(name) + 1 for name in ("spine2", "spine3", "neck"))
    probability[[spine2, spine3, neck]] = torch.tensor([0.28, 0.32, 0.39])
    logits = probability.log().view(1, 25, 1, 1)
    assert likeliest_labels(logits, 24).item() == neck
    assert likeliest_labels(logits).item() == spine3  # upper torso: 0.6


class Oracle(torch.nn.Module):
    """Knows labels and joints of every picture it may be shown."""

    def __init__(self, batches, grid=16):
        super().__init__()
        batch = batches.get(slice(0, None))
        self.pictures = normalise(batch.image)
        self.logits = 20 * torch.nn.functional.one_hot(batch.parts.long(), 25).permute(0, 3, 1, 2).float()
        cells = pixels_to_grid(batch.pixels, grid, batches.size)
        cells = torch.cat((cells, torch.full_like(cells[..., :1], 0.5)), -1)
        self.heat = gaussian_volume(cells, grid, 1, centre="continuous", scale=0.4).clamp(min=1e-30).log()[:, :, 0]

    def forward(self, picture):
        rows = [int((self.pictures - p).abs().flatten(1).sum(1).argmin()) for p in picture]
        return Segmentation(self.logits[rows], self.heat[rows])


def test_segment_answers_for_its_rows_in_their_order(few_bodies):
    train = few_bodies[0]
    rows = np.array([7, 2, 9, 0, 4])
    labels, joints = segment(Oracle(train), train, rows, batch_size=2)
    batch = train.get(rows)
    assert labels.dtype == np.uint8 and joints.dtype == np.float32
    np.testing.assert_array_equal(labels, batch.parts.numpy())
    inside = ((batch.pixels > 8) & (batch.pixels < 56)).all(-1).numpy()
    off = np.linalg.norm(joints - batch.pixels.numpy(), axis=-1)[inside]
    assert off.mean() < 0.3 and off.max() < 1  # pixels; a cell of the heat map is 4 wide


def test_loss_of_a_segmenter_that_knows_nothing(few_bodies):
    batch = few_bodies[0].get(slice(0, 3))
    heat = torch.zeros(3, 24, 16, 16)

    def blind(picture):
        return Segmentation(torch.zeros(3, 25, 16, 16), heat)

    expected = math.log(25) + HEAT_WEIGHT * heat_loss(heat.unsqueeze(2), batch.pixels, 64)
    assert stage_one_loss(blind, batch, 64).item() == pytest.approx(expected.item(), rel=1e-5)
    good = stage_one_loss(Oracle(few_bodies[0]), batch, 64)
    assert good < 0.5 * expected


def test_loss_learns_true_parts_from_the_picture_not_from_what_may_be_seen(few_bodies):
    """Labels and joints to see are stage 2's input: stage 1 must not care."""
    batch = few_bodies[0].get(slice(0, 3))
    other = batch._replace(labels=torch.zeros_like(batch.labels), seen=torch.zeros_like(batch.seen))
    oracle = Oracle(few_bodies[0])
    assert torch.equal(stage_one_loss(oracle, batch, 64), stage_one_loss(oracle, other, 64))


def spied(batches):
    """The same batches, and the rows that were augmented (trained on) and read plainly (segmented)."""
    spy, trained, segmented = copy.copy(batches), [], []

    def augmented(rows, generator):
        trained.extend(rows.tolist())
        return BodyBatches.augmented(batches, rows, generator)

    def get(rows):
        segmented.extend(np.arange(len(batches))[rows].tolist())
        return batches.get(rows)

    spy.augmented, spy.get = augmented, get
    return spy, trained, segmented


def seen_in(batches, subjects, clips, motion="3dpw"):
    """The same pictures as those of a real dataset: one letter a picture for its person and its clip."""
    other, dataset = copy.copy(batches), copy.copy(batches.dataset)
    dataset.manifest = dataset.manifest | {"motion_name": motion}
    texts = {"subject": subjects, "clip": clips}
    dataset.texts = dataset.texts | {name: np.array([*letters]) for name, letters in texts.items()}
    other.dataset = dataset
    return other


@pytest.mark.parametrize(
    ("subjects", "clips", "groups"),
    [
        ("pppqqqrrrrss", "aaabbbccccdd", "111222333344"),  # a clip each
        ("pppppprrrrss", "aaabbbccccdd", "111111222233"),  # a person in two clips
        ("pppqqqrrrrss", "aaaaaaccccdd", "111111222233"),  # two people in one clip, as in 3DPW
        ("pppqqqqqqrrr", "aaaaaabbbccc", "111111111222"),  # one clip shares q with the next
        ("pppppppppppp", "aaabbbccccdd", "111222333344"),  # one person: his clips
        ("pqpqpqpqpqpq", "aaaaaaaaaaaa", "111111222222"),  # one clip: its first and its second half
    ],
)
def test_folds_of_real_datasets_share_no_person_and_no_clip(few_bodies, subjects, clips, groups):
    dataset = seen_in(few_bodies[0], subjects, clips).dataset
    folds = folds_of(dataset)
    groups = np.array([*groups])
    assert all(len(set(folds[groups == group])) == 1 for group in groups)
    counts = [len(set(groups[folds == fold])) for fold in (0, 1)]
    assert min(counts) > 0 and abs(counts[0] - counts[1]) <= 1
    turned = folds_of(seen_in(few_bodies[0], subjects[::-1], clips[::-1]).dataset)
    if len(set(clips)) > 1:  # names decide, not the order of rows
        assert np.array_equal(turned, folds[::-1])


def test_people_whom_nobody_knows_do_not_join_clips(few_bodies):
    unknown = seen_in(few_bodies[0], "p" * 12, "aaabbbccccdd").dataset
    unknown.texts["subject"] = np.full(12, "")
    assert set(groups_of(unknown.texts)) == {*"abcd"}


@pytest.mark.parametrize("motion", ["procedural", "cmu"])
def test_folds_of_rendered_people_are_even_and_odd_rows(few_bodies, motion):
    dataset = seen_in(few_bodies[0], "pppqqqrrrrss", "aaabbbccccdd", motion).dataset
    assert folds_of(dataset).tolist() == 6 * [0, 1]


def test_a_fold_of_a_real_dataset_is_trained_on_one_half_and_its_maps_lie_at_the_others_rows(
    few_bodies, tiny, cache, monkeypatch
):
    real = seen_in(few_bodies[0], "pppqqqrrrrss", "aaabbbccccdd")
    folds, segmented = folds_of(real.dataset), {}
    assert folds.tolist() != 6 * [0, 1]
    for fold in (0, 1):
        train, trained, segmented[fold] = spied(real)
        train_fold(fold, tiny, train, few_bodies[1], 0, "cpu")
        assert set(trained) == set(np.flatnonzero(folds == fold))
        assert segmented[fold] == np.flatnonzero(folds != fold).tolist()

    def told(fold, *_):
        rows = np.array(segmented[fold])[:, None, None]
        found = {"train_labels": np.broadcast_to(rows, (len(rows), 64, 64)),
                 "train_joints": np.broadcast_to(rows, (len(rows), 24, 2))}  # fmt: skip
        return SimpleNamespace(predictions=found | {"test_labels": 0, "test_joints": 0})

    monkeypatch.setattr(segmentation, "train_fold", told)
    stage = train_stage_one(tiny, real, few_bodies[1], 0, "cpu")
    assert (stage.train_labels == np.arange(12)[:, None, None]).all()
    assert (stage.train_joints == np.arange(12)[:, None, None]).all()


@pytest.mark.parametrize("fold", [0, 1])
def test_a_fold_segments_only_pictures_it_was_not_trained_on(few_bodies, tiny, cache, fold):
    train, trained, segmented = spied(few_bodies[0])
    made = train_fold(fold, tiny, train, few_bodies[1], 0, "cpu")
    assert set(trained) == set(range(fold, 12, 2))
    assert segmented == list(range(1 - fold, 12, 2))
    assert made.predictions["train_labels"].shape == (6, 64, 64)
    assert ("test_labels" in made.predictions) == (fold == 0)  # one of them is enough
    assert made.images_seen == 8 and made.parameters > 0 and made.gflop > 0 and made.ms_per_image > 0


def test_both_folds_make_maps_of_every_picture_once(few_bodies, tiny, cache, monkeypatch):
    train, test = few_bodies
    stage = train_stage_one(tiny, train, test, 0, "cpu")
    assert stage.train_labels.shape == (12, 64, 64) and stage.train_joints.shape == (12, 24, 2)
    assert stage.test_labels.shape == (6, 64, 64) and stage.test_joints.shape == (6, 24, 2)
    for fold, outcome in enumerate(stage.outcomes):
        segmenter = build_segmenter(tiny)
        segmenter.load_state_dict(outcome.state)
        others = np.arange(1 - fold, 12, 2)
        labels, joints = segment(segmenter, train, others)
        assert (stage.train_labels[others] == labels).mean() > 0.999
        np.testing.assert_allclose(stage.train_joints[others], joints, atol=0.05)
        if fold == 0:
            assert (stage.test_labels == segment(segmenter, test, np.arange(6))[0]).mean() > 0.999
    assert stage.minutes == sum(o.history.minutes for o in stage.outcomes)
    first, second = (o.state["head.weight"] for o in stage.outcomes)
    assert not torch.equal(first, second)

    monkeypatch.setattr(segmentation, "fit", lambda *a, **k: pytest.fail("trained again"))
    again = train_stage_one(tiny, train, test, 0, "cpu")
    for field in ("train_labels", "train_joints", "test_labels", "test_joints"):
        np.testing.assert_array_equal(getattr(again, field), getattr(stage, field))


def test_maps_lie_at_their_pictures_numbers(few_bodies, tiny, monkeypatch):
    """Made-up answers: picture i has label i everywhere and its joints at (i, i)."""

    def told(fold, *_):
        rows = np.arange(1 - fold, 12, 2)
        found = {"train_labels": np.broadcast_to(rows[:, None, None], (6, 64, 64)),
                 "train_joints": np.broadcast_to(rows[:, None, None], (6, 24, 2))}  # fmt: skip
        return SimpleNamespace(predictions=found | {"test_labels": f"of fold {fold}", "test_joints": fold})

    monkeypatch.setattr(segmentation, "train_fold", told)
    stage = train_stage_one(tiny, *few_bodies, 0, "cpu")
    assert stage.train_labels.dtype == np.uint8
    assert (stage.train_labels == np.arange(12)[:, None, None]).all()
    assert (stage.train_joints == np.arange(12)[:, None, None]).all()
    assert (stage.test_labels, stage.test_joints) == ("of fold 0", 0)


def test_a_worse_stage_one_another_seed_and_another_profile_are_trained_anew(few_bodies, tiny, cache):
    train, test = few_bodies
    usual = train_fold(1, tiny, train, test, 0, "cpu")
    weak = train_fold(1, tiny, train, test, 0, "cpu", share=0.5)
    assert (usual.images_seen, weak.images_seen) == (8, 4)
    assert weak.row == f"{usual.row}, 0.5 of the budget"
    other = train_fold(1, tiny, train, test, 1, "cpu")
    assert not np.array_equal(other.predictions["train_joints"], usual.predictions["train_joints"])
    slower = replace(tiny, segmentation=replace(tiny.segmentation, learning_rate=1e-5))
    train_fold(1, slower, train, test, 0, "cpu")
    assert sum(path.is_dir() for path in cache.iterdir()) == 4


def test_map_scores_count_groups_over_all_pictures(few_bodies):
    truth = few_bodies[0].get(slice(0, None)).parts.numpy()
    assert map_scores(truth, truth).mean_f1 == map_scores(truth, truth).pixel_accuracy == 1
    swapped = truth.copy()
    names = [SMPL24.index(name) + 1 for name in ("spine2", "spine3")]
    swapped[np.isin(truth, names)] = sum(names) - swapped[np.isin(truth, names)]  # both are upper torso
    assert map_scores(swapped, truth).mean_f1 == 1 > map_scores(swapped, truth, 24).mean_f1
    worse = np.roll(truth, 3, axis=2)
    seen, real = part_groups(12)[worse], part_groups(12)[truth]
    f1 = [2 * ((seen == p) & (real == p)).sum() / ((seen == p).sum() + (real == p).sum()) for p in range(1, 13)]
    assert map_scores(torch.from_numpy(worse), truth).mean_f1 == pytest.approx(np.mean(f1))


def test_budgets_of_other_rows_do_not_change_the_maps():
    made = smoke()
    other = replace(made, segmentation=replace(made.segmentation, equal_time=9.0, weak_share=0.3))
    wider = replace(made, segmentation=replace(made.segmentation, width=made.segmentation.width + 8))
    assert segmentation.stage_one_key(made, 1.0) == segmentation.stage_one_key(other, 1.0)
    assert segmentation.stage_one_key(made, 1.0) != segmentation.stage_one_key(made, 0.5)
    assert segmentation.stage_one_key(made, 1.0) != segmentation.stage_one_key(wider, 1.0)
