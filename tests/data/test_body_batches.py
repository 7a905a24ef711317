"""Bodies in batches: true to their pictures, shown other maps on request, and mirrored exactly."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from posebook.body import load_body
from posebook.cameras import project
from posebook.data import open_dataset
from posebook.data.body_batches import PART_FLIP, BodyBatches, mirrored_bodies, parameters
from posebook.errors import PosebookError
from posebook.joint_layer import JointLayer
from posebook.joints import SMPL24
from posebook.profile import smoke


@pytest.fixture(scope="module")
def layer(body_cache):
    return JointLayer(load_body())


@pytest.fixture(scope="module")
def batches(layer):
    return BodyBatches(open_dataset("procedural", "test", smoke()), layer=layer)


@pytest.fixture(scope="module")
def shown(batches):
    """The same bodies with maps and joints that are not the true ones."""
    rng = np.random.default_rng(0)
    stored = batches.dataset.arrays
    labels = rng.integers(0, 25, stored["parts"].shape).astype(np.uint8)
    return batches.showing(labels, rng.uniform(0, 64, stored["joints2d"].shape).astype(np.float32))


def test_rotations_are_the_stored_poses(batches):
    arrays, batch = batches.dataset.arrays, batches.get(slice(0, 8))
    pose = np.concatenate([arrays["global_orient"], arrays["body_pose"]], 1)[:8].reshape(-1, 3)
    expected = Rotation.from_rotvec(pose).as_matrix().reshape(8, 24, 3, 3)
    np.testing.assert_allclose(batch.relative.numpy(), expected, atol=1e-5)
    for joint, parent in enumerate(SMPL24.parents):
        above = batch.rotations[:, parent] if parent >= 0 else torch.eye(3)
        torch.testing.assert_close(batch.rotations[:, joint], above @ batch.relative[:, joint], atol=1e-5, rtol=0)


def test_parameters_joints_and_pixels_are_of_one_body(batches, layer):
    batch = batches.get(slice(0, None))
    assert len(batches) == len(batch.image) == 48
    assert not batch.joints3d[:, 0].any()
    torch.testing.assert_close(layer(batch.betas, batch.rotations), batch.joints3d, atol=1e-4, rtol=0)
    found = project(batch.joints3d + batch.root[:, None], batch.K)
    torch.testing.assert_close(found, batch.pixels, atol=0.01, rtol=0)


def test_shapes_and_ranges(batches):
    batch = batches.get(np.array([3, 5, 8]))
    assert batch.image.shape == (3, 3, 64, 64) and 0 <= batch.image.min() and batch.image.max() <= 1
    stored = np.array(batches.dataset.arrays["image"][5]).transpose(2, 0, 1)
    np.testing.assert_allclose(batch.image[1].numpy(), stored / 255, atol=1e-6)
    assert batch.labels.dtype == batch.parts.dtype == torch.uint8
    assert batch.labels.shape == (3, 64, 64) and batch.seen.shape == (3, 24, 2)
    assert all(values.dtype == torch.float32 for values in batch[2:3] + batch[4:])


def test_what_is_seen_is_true_unless_shown(batches, shown):
    rows = np.array([1, 4, 40])
    true, other = batches.get(rows), shown.get(rows)
    assert torch.equal(true.labels, true.parts) and torch.equal(true.seen, true.pixels)
    np.testing.assert_array_equal(other.labels.numpy(), shown.labels[rows])
    np.testing.assert_array_equal(other.seen.numpy(), shown.seen[rows])
    for name in ("image", "parts", "pixels", "joints3d", "root", "K", "betas", "rotations", "relative"):
        assert torch.equal(getattr(true, name), getattr(other, name))  # the truth stays the truth
    again = batches.get(rows)
    assert torch.equal(again.labels, true.labels)  # showing leaves the original as it was


def test_given_at_the_start_or_shown_later_is_the_same(batches, shown, layer):
    made = BodyBatches(batches.dataset, labels=shown.labels, joints2d=shown.seen, layer=layer)
    rows = slice(10, 14)
    assert torch.equal(made.get(rows).labels, shown.get(rows).labels)
    assert torch.equal(made.get(rows).seen, shown.get(rows).seen)


def test_maps_of_another_dataset_are_refused(batches, shown, layer):
    with pytest.raises(PosebookError, match=r"labels: expected \(48, 64, 64\).*this very dataset"):
        batches.showing(shown.labels[:47], shown.seen)
    with pytest.raises(PosebookError, match=r"joints2d: expected \(48, 24, 2\)"):
        batches.showing(shown.labels, shown.seen[:, :17])
    with pytest.raises(PosebookError, match="labels: expected"):
        BodyBatches(batches.dataset, labels=shown.labels[:, :32, :32], layer=layer)


def test_a_mirrored_picture_has_mirrored_labels(shown):
    batch = shown.get(slice(0, 6))
    turned = mirrored_bodies(batch, 64)
    assert torch.equal(turned.image[..., 5], batch.image[..., 58])
    sides = {0: 0}
    for joint, name in enumerate(SMPL24.names):
        other = name.replace("left", "L").replace("right", "left").replace("L", "right")
        sides[joint + 1] = SMPL24.index(other) + 1
    assert tuple(sides[label] for label in range(25)) == PART_FLIP
    for name in ("labels", "parts"):
        before, after = getattr(batch, name), getattr(turned, name)
        assert after.dtype == torch.uint8
        for label, other in sides.items():
            assert torch.equal(after.flip(-1) == other, before == label)


def test_mirrored_joints_fall_on_mirrored_pixels(shown):
    batch = shown.get(slice(0, None))
    batch.K[:, 0, 2] += torch.linspace(-9, 9, 48)  # a principal point that is not the centre
    batch = batch._replace(pixels=project(batch.joints3d + batch.root[:, None], batch.K))
    turned = mirrored_bodies(batch, 64)
    left, right = SMPL24.index("left_wrist"), SMPL24.index("right_wrist")
    for name in ("pixels", "seen"):
        before, after = getattr(batch, name), getattr(turned, name)
        torch.testing.assert_close(after[:, left, 0], 64 - before[:, right, 0])
        torch.testing.assert_close(after[:, left, 1], before[:, right, 1])
        torch.testing.assert_close(after[:, 0, 0], 64 - before[:, 0, 0])
    found = project(turned.joints3d + turned.root[:, None], turned.K)
    torch.testing.assert_close(found, turned.pixels, atol=1e-3, rtol=0)
    assert (turned.K[:, 0, 0] > 0).all() and not turned.joints3d[:, 0].any()


def test_mirrored_twice_is_the_original(shown):
    batch = shown.get(slice(0, 12))
    again = mirrored_bodies(mirrored_bodies(batch, 64), 64)
    for name in batch._fields:
        torch.testing.assert_close(getattr(again, name), getattr(batch, name), atol=1e-4, rtol=1e-6)


def test_a_mirrored_body_is_a_body(batches, layer):
    turned = mirrored_bodies(batches.get(slice(0, None)), 64)
    torch.testing.assert_close(layer.to_global(turned.relative), turned.rotations, atol=1e-5, rtol=0)
    assert (torch.linalg.det(turned.rotations) > 0.999).all()
    off = (layer(turned.betas, turned.rotations) - turned.joints3d).norm(dim=-1)
    assert off.mean() < 0.005 and off.max() < 0.02  # metres: no body is quite symmetric
    unmirrored = (batches.get(slice(0, None)).joints3d - turned.joints3d).norm(dim=-1)
    assert unmirrored.mean() > 0.1


def test_augmentation_mirrors_about_half_and_follows_its_generator(shown):
    rows = np.arange(48)
    one, two = (shown.augmented(rows, torch.Generator().manual_seed(5)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    plain, turned = shown.get(rows), mirrored_bodies(shown.get(rows), 64)
    flipped = (one.pixels != plain.pixels).flatten(1).any(1)
    assert 12 < flipped.sum() < 36
    for name in one._fields[1:]:  # every field of a sample comes from the same side of the mirror
        after = getattr(one, name)
        assert torch.equal(after[flipped], getattr(turned, name)[flipped])
        assert torch.equal(after[~flipped], getattr(plain, name)[~flipped])
    other = shown.augmented(rows, torch.Generator().manual_seed(6))
    assert not torch.equal(other.pixels, one.pixels)


def test_augmentation_scales_each_colour(batches):
    rows = np.arange(48)
    found = batches.augmented(rows, torch.Generator().manual_seed(5))
    plain = batches.get(rows)
    flipped = (found.pixels != plain.pixels).flatten(1).any(1)
    expected = torch.where(flipped[:, None, None, None], plain.image.flip(-1), plain.image)
    dark = (expected > 0.1) & (expected < 0.8)  # where nothing is cut off at 1
    ratio = torch.where(dark, found.image / expected.clamp(min=1e-3), torch.nan).flatten(2)
    low, high = ratio.nan_to_num(9).amin(-1), ratio.nan_to_num(0).amax(-1)
    torch.testing.assert_close(low, high, atol=1e-4, rtol=0)  # one factor for each picture and channel
    assert 0.8 <= low.min() < 0.85 and 1.15 < low.max() <= 1.2001
    assert found.image.min() >= 0 and found.image.max() <= 1


def test_parameters_of_a_whole_dataset(batches, layer):
    rotations, relative = parameters(batches.dataset, layer)
    assert rotations.shape == relative.shape == (48, 24, 3, 3)
    np.testing.assert_array_equal(rotations[:, 0], relative[:, 0])
