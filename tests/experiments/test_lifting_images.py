"""Chapter 5's pipeline from pictures: what the networks are told, the film, the stages, kill and resume."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from posebook import checkpoint
from posebook.data import open_dataset
from posebook.errors import PosebookError
from posebook.experiments import lifting_images
from posebook.experiments.lifting import Variant, train_variant
from posebook.experiments.lifting_images import (
    MOMENTS,
    Filmed,
    ImageVariant,
    Pictures,
    build_pipeline,
    filmed_rows,
    image_variants,
    lift_read,
    taught_loss,
    train_images,
)
from posebook.experiments.lifting_sets import open_setting, to_pixels
from posebook.profile import smoke


@pytest.fixture(scope="module")
def sizes():
    made = smoke()
    small = replace(made.lifting, stills=48, prior_poses=64, poses_seen=64, images_seen=16, image_batch=4)
    return replace(made, lifting=small)


@pytest.fixture(scope="module")
def setting(sizes, body_cache):
    return open_setting("procedural", sizes, open_dataset("procedural", "test", smoke()))


@pytest.mark.parametrize("variant", image_variants(), ids=lambda v: v.row)
def test_every_pipeline_trains_is_filmed_and_kept(variant, setting, sizes, cache):
    made = train_images(variant, sizes, setting, 0, "cpu")
    assert np.isfinite(made.history.losses).all()
    assert made.predictions["pose"].shape == (48, 17, 2) and np.abs(made.predictions["pose"]).max() <= 1
    assert made.predictions["joints3d"].shape == (48, 17, 3) and not made.predictions["joints3d"][:, 0].any()
    film = made.predictions["film"].astype(np.float32)
    assert film.shape == (len(MOMENTS) + 1, 4, 32, 32)
    assert np.abs(np.diff(film[[0, -2, -1]], axis=0)).max((1, 2, 3)).min() > 1e-4  # it moves
    shown = filmed_rows(48)
    np.testing.assert_allclose(made.predictions["film_pose"][-1], made.predictions["pose"][shown], atol=1e-4)
    again = train_images(variant, sizes, setting, 0, "cpu")
    assert again.history == made.history and np.array_equal(again.predictions["film"], made.predictions["film"])
    assert not any(name.startswith("painted") for name in made.state)  # weights only


def test_no_label_reaches_a_pipeline_without_labels(setting, sizes, cache):
    """Other depths and other 2D poses of the very same pictures: the same training, to the bit."""
    blind = replace(setting, train=setting.train._replace(poses=setting.train.poses + 1, depth=-setting.train.depth))
    arrays = blind.datasets[1].arrays
    liar = type("Liar", (), {"arrays": arrays | {"joints2d_h36m17": np.zeros_like(arrays["joints2d_h36m17"])}})()
    blind.datasets = (setting.datasets[0], liar, setting.datasets[2])
    told, taught = image_variants()[0], image_variants()[1]
    a, b = (lifting_images.train_anew(told, sizes, s, 0, "cpu") for s in (setting, blind))
    assert all(torch.equal(a.state[name], b.state[name]) for name in a.state)
    c, d = (lifting_images.train_anew(taught, sizes, s, 0, "cpu") for s in (setting, blind))
    assert not all(torch.equal(c.state[name], d.state[name]) for name in c.state)


def test_masked_pictures_keep_the_person_only(setting):
    rows = np.array([0, 5])
    plain, masked = (Pictures(setting.datasets[1], setting.structure, masked=m).get(rows) for m in (False, True))
    raw = np.array(setting.datasets[1].arrays["image"][rows])
    np.testing.assert_allclose(plain.permute(0, 2, 3, 1).numpy(), raw / 127.5 - 1, atol=1e-6)
    person = torch.from_numpy(np.array(setting.datasets[1].arrays["parts"][rows]) > 0)
    assert 0 < person.float().mean() < 0.9
    assert torch.equal(masked.permute(0, 2, 3, 1)[person], plain.permute(0, 2, 3, 1)[person])
    assert not masked.permute(0, 2, 3, 1)[~person].any()


def test_smaller_pictures_are_means_and_keep_every_joint_in_place(setting):
    whole, half = (Pictures(setting.datasets[1], setting.structure, size=size) for size in (None, 32))
    large, small = (p.get(slice(0, 2)) for p in (whole, half))
    assert small.shape == (2, 3, 32, 32)
    torch.testing.assert_close(small[1, 2, 7, 20], large[1, 2, 14:16, 40:42].mean())
    torch.testing.assert_close(to_pixels(half.poses, 32) * 2, to_pixels(whole.poses, 64), atol=1e-4, rtol=0)
    torch.testing.assert_close(half.poses[:, 3] - half.poses[:, 0], _unzoomed(whole, half))
    with pytest.raises(PosebookError, match="divisor of the pictures' 64 pixels, got 48"):
        Pictures(setting.datasets[1], setting.structure, size=48)


def _unzoomed(whole, half):
    """A bone in the small picture's unit, from the large one's and both zooms."""
    return (whole.poses[:, 3] - whole.poses[:, 0]) * (half.zoom / whole.zoom)[:, None]


def test_the_pipeline_joins_reader_and_lifter_by_the_bags_scale(setting, sizes, cache):
    model = build_pipeline(image_variants()[0], sizes, setting, 0, "cpu")
    assert float(model.scale) == pytest.approx(setting.scale, rel=1e-5)
    pictures = Pictures(setting.datasets[1], setting.structure, size=sizes.lifting.image_size)
    flat = model.normalised(pictures.poses, pictures.zoom)
    torch.testing.assert_close(flat, setting.train.poses, atol=1e-5, rtol=0)  # true 2D through the crop and back


def test_a_perfect_twin_has_no_loss(setting, sizes, cache):
    model = build_pipeline(ImageVariant("x"), sizes, setting, 0, "cpu")
    pictures = Pictures(setting.datasets[1], setting.structure, size=sizes.lifting.image_size)
    depth = setting.train.depth[:4]
    images, poses, zoom = pictures.get(slice(0, 4)), pictures.poses[:4], pictures.zoom[:4]
    told = model.lifting.lifter(model.normalised(poses, zoom)).depth.detach()
    model.painter.forward = lambda _: model.draw(poses)
    model.reader.forward = lambda _: poses
    assert taught_loss(model, images, zoom, poses, told).item() == pytest.approx(0, abs=1e-5)
    moved = told.clone()
    moved[:, 0] += 5  # the root has no depth
    assert taught_loss(model, images, zoom, poses, moved).item() == pytest.approx(0, abs=1e-5)
    expected = (told - depth)[:, 1:].abs().mean()
    assert taught_loss(model, images, zoom, poses, depth).item() == pytest.approx(expected.item(), rel=1e-4)


def test_filming_changes_no_weight(setting, sizes, cache):
    """A film of four pictures is a look, not a step: batch norm's running means stay."""
    model = build_pipeline(ImageVariant("x"), sizes, setting, 0, "cpu").train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    pictures = Pictures(setting.datasets[2], setting.structure, size=sizes.lifting.image_size)
    filmed = Filmed(model, pictures.get(slice(0, 4)), pictures.zoom[:4], 100)
    filmed._film()
    assert filmed.painted[0].any() and not filmed.painted[1:].any() and model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_an_interrupted_pipeline_goes_on_to_the_same_numbers(setting, sizes, cache, stopping_at, monkeypatch):
    """Picture pool, batch norm, film: all of it."""
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    variant = image_variants()[0]
    unbroken = lifting_images.train_anew(variant, sizes, setting, 0, "cpu")
    calls = stopping_at(monkeypatch, lifting_images.ImageModel, "forward", 3)
    with pytest.raises(KeyboardInterrupt):
        train_images(variant, sizes, setting, 0, "cpu")
    resumed = train_images(variant, sizes, setting, 0, "cpu")
    assert len(calls) == 3 + 2  # two of four steps were kept
    assert all(torch.equal(unbroken.state[name], resumed.state[name]) for name in unbroken.state)
    for name in ("film", "joints3d", "pose"):
        assert np.array_equal(unbroken.predictions[name], resumed.predictions[name])


def test_a_half_done_notebook_does_not_stop_posebook_train(setting, sizes, cache, launching, stopping_at, monkeypatch):
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    variant = image_variants()[0]
    whole = lifting_images.train_anew(variant, sizes, setting, 0, "cpu")
    calls = stopping_at(monkeypatch, lifting_images.ImageModel, "forward", 3)
    with pytest.raises(KeyboardInterrupt):
        train_images(variant, sizes, setting, 0, "cpu")
    assert [*cache.glob("checkpoints/*.pt")]
    with launching():
        made = train_images(variant, sizes, setting, 0, "cpu")
    assert len(calls) == 3 + 4  # from its beginning: the notebook's half is the notebook's
    assert all(torch.equal(whole.state[name], made.state[name]) for name in whole.state)
    assert not [*cache.glob("training/*/*.last.pt")]


def test_a_lifter_of_true_2d_reads_what_networks_read(setting, sizes, cache):
    """Given the true 2D in the crop, it says what it says of true 2D."""
    lifter = train_variant(Variant("lifter"), sizes, setting, 0, "cpu")
    true = Pictures(setting.datasets[2], setting.structure, size=sizes.lifting.image_size).poses
    found = lift_read(lifter, true.numpy(), sizes, setting, 0, "cpu")
    np.testing.assert_allclose(found, lifter.predictions["joints3d"], atol=1e-4)
