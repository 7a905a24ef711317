"""Chapter 1's experiments: true answers decode to the truth, budgets are equal, results come from the cache."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from posebook.data import open_dataset
from posebook.data.batches import Batches
from posebook.experiments import outcome as kept
from posebook.experiments.sheet import ScoreSheet, add_baselines
from posebook.experiments.volumetric import (
    Variant,
    add_floors,
    claims,
    decode,
    mean_bone_lengths,
    predict,
    to_camera,
    train_variant,
    variant_loss,
    variants,
    volume_cells,
)
from posebook.models.coordinate import coordinate_targets
from posebook.models.volumetric import gaussian_volume
from posebook.profile import gpu, laptop, smoke


@pytest.fixture(scope="module")
def sets(body_cache):
    return [Batches(open_dataset("procedural", split, smoke())) for split in ("train", "test")]


def rooted(joints):
    return joints - joints[:, :1]


def test_true_pixels_and_depths_with_the_true_root_give_the_truth(sets):
    train, test = sets
    batch, truth = test.get(slice(0, None)), np.array(test.dataset.arrays["joints3d_h36m17"])
    mean = mean_bone_lengths(train)
    one, two, three = (to_camera(batch.pixels, batch.relative_depth, test, mode, mean) for mode in (1, 2, 3))
    np.testing.assert_allclose(one, truth, atol=2e-4)
    np.testing.assert_allclose(two, truth, atol=5e-3)  # own bones: the distance is fitted
    off = 1000 * np.linalg.norm(rooted(three) - rooted(truth), axis=-1).mean()
    assert 1 < off < 60  # mean bones: wrong by the person's size only


class Oracle(torch.nn.Module):
    """Answers with the true volume or coordinates of whichever image it is shown, mirrored ones too."""

    def __init__(self, batches, depth):
        super().__init__()
        batch = batches.get(slice(0, None))
        self.known = {float(i.sum()): n for n, i in enumerate(batch.image)}
        grid = batches.size // 4
        self.answers = gaussian_volume(
            volume_cells(batch, grid, depth, batches.size), grid, depth, centre="continuous", scale=0.5
        )
        self.flip = list(batches.joint_set.flip)
        self.images = batch.image

    def forward(self, image):
        rows = [int((self.images - i).abs().flatten(1).sum(1).argmin()) for i in image]
        same = [bool((self.images[r] == i).all()) for r, i in zip(rows, image, strict=True)]
        if not all(same):  # mirrored pictures
            rows = [int((self.images.flip(-1) - i).abs().flatten(1).sum(1).argmin()) for i in image]
            return [self.answers[rows].flip(-1)[:, self.flip]]
        return [self.answers[rows]]


def test_predict_undoes_the_mirror_and_reads_sub_cell(sets):
    _, test = sets
    found = predict(Oracle(test, 16), Variant("v", (16,)), test)
    batch = test.get(slice(0, None))
    inside = ((batch.pixels > 4) & (batch.pixels < 60)).all(-1).numpy()
    assert np.abs(found["pixels"] - batch.pixels.numpy())[inside].mean() < 0.3  # pixels of 64
    assert np.abs(found["argmax_pixels"] - batch.pixels.numpy())[inside].max() <= 2.01  # half a cell
    assert np.abs(found["relative_depth"] - batch.relative_depth.numpy()).mean() < 0.01


def test_losses_are_lowest_at_the_target(sets):
    batch = sets[0].get(slice(0, 8))
    target = gaussian_volume(volume_cells(batch, 16, 16, 64), 16, 16, centre="continuous", scale=0.5)
    assert variant_loss(Variant("v", (16,)), [target], batch, 64, 0.5) == pytest.approx(0, abs=1e-9)
    assert variant_loss(Variant("v", (16,)), [target * 0], batch, 64, 0.5) > 0.01
    coordinates = coordinate_targets(batch.pixels, batch.relative_depth, 64)
    assert variant_loss(Variant("c"), coordinates, batch, 64, 0.5) == pytest.approx(0, abs=1e-9)
    back = decode(Variant("c"), coordinates, 64)
    torch.testing.assert_close(back.pixels, batch.pixels, atol=1e-4, rtol=0)


def test_every_claim_names_rows_that_exist_and_budgets_are_equal():
    for profile in (smoke(), laptop(), gpu()):
        rows = {v.row: v for v in variants(profile.volumetric)}
        for claim in claims(profile.volumetric):
            assert {claim.row_a, claim.row_b} <= set(rows)
            assert not rows[claim.row_a].long and not rows[claim.row_b].long
        assert 4 <= sum(v.core for v in rows.values()) <= 6


def test_a_trained_variant_comes_back_from_the_cache(sets, tmp_path, monkeypatch):
    train, test = sets
    monkeypatch.setattr(kept, "cache_dir", lambda *parts: tmp_path)
    profile = replace(smoke(), volumetric=replace(smoke().volumetric, images_seen=32, init="scratch"))
    variant = variants(profile.volumetric)[1]
    first = train_variant(variant, profile, train, test, 0, "cpu")
    files = {f: f.stat().st_mtime_ns for f in tmp_path.rglob("*") if f.is_file()}
    again = train_variant(variant, profile, train, test, 0, "cpu")
    assert files and files == {f: f.stat().st_mtime_ns for f in tmp_path.rglob("*") if f.is_file()}
    np.testing.assert_array_equal(first.predictions["pixels"], again.predictions["pixels"])
    assert first.history == again.history and first.parameters == again.parameters > 0
    other = train_variant(variant, profile, train, test, 1, "cpu")
    assert not np.array_equal(first.predictions["pixels"], other.predictions["pixels"])


def test_sheet_rows_and_floors(sets):
    train, test = sets
    sheet = ScoreSheet(test.dataset)
    truth = np.array(test.dataset.arrays["joints3d_h36m17"])
    sheet.add("truth", truth)
    moved = truth + np.array([0.1, 0.2, 0.3])
    sheet.add("moved", moved)
    add_baselines(sheet, train.dataset)
    add_floors(sheet, train, test, 16, 0.5)
    value = sheet.metrics.query("metric == 'mpjpe'").set_index("row")["value"]
    assert value["truth"] == 0 and value["moved"] == pytest.approx(0, abs=1e-3)  # the root is taken off
    expected = 1000 * np.linalg.norm(
        rooted(truth) - rooted(np.array(train.dataset.arrays["joints3d_h36m17"])).mean(0), axis=-1
    )
    assert value["mean pose"] == pytest.approx(expected.mean(), rel=1e-4)
    assert value["mean pose, true orientation"] < value["mean pose"]
    fine, coarse = (value[f"perfect volume {{16}}, {r}, root depth mode 1"] for r in ("soft-argmax", "argmax"))
    assert fine < 0.5 * coarse
    kinds = sheet.metrics.set_index("row")["kind"]
    assert set(kinds["true pose at mean size"]) == {"oracle"} and set(kinds["mean pose"]) == {"baseline"}
    assert sheet.per_sequence.groupby("row").size().eq(6).all()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device, and this machine has none")
def test_a_variant_trains_and_scores_on_a_gpu(sets, tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "cache_dir", lambda *parts: tmp_path)
    train, test = (Batches(s.dataset, "cuda") for s in sets)
    profile = replace(smoke(), volumetric=replace(smoke().volumetric, images_seen=32, init="scratch"))
    made = train_variant(variants(profile.volumetric)[1], profile, train, test, 0, "cuda")
    sheet = ScoreSheet(test.dataset)
    add_floors(sheet, train, test, 16, 0.5)
    joints = to_camera(
        made.predictions["pixels"], made.predictions["relative_depth"], test, 3, mean_bone_lengths(train)
    )
    assert np.isfinite(joints).all() and sheet.metrics["value"].notna().all()
