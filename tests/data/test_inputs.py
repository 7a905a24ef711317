"""The regressor's pictures against per-pixel loops, and the refusals of unusable label maps."""

import numpy as np
import pytest
import torch

from posebook.body import PALETTE, part_groups
from posebook.data.inputs import (
    INPUTS,
    channels,
    check_labels,
    group_palette,
    joints_picture,
    network_input,
    parts_picture,
    rgb_picture,
)
from posebook.errors import PosebookError
from posebook.joints import SMPL24


def random_labels(shape=(2, 5, 7), high=25, seed=0):
    return torch.randint(0, high, shape, generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


@pytest.mark.parametrize(("count", "apart"), [(24, 25), (12, 40), (6, 100), (3, 100), (1, 400)])
def test_group_colours_are_apart_and_background_is_black(count, apart):
    palette = group_palette(count)
    assert palette.shape == (count + 1, 3) and palette.dtype == np.uint8 and not palette[0].any()
    distance = np.linalg.norm(palette[:, None].astype(float) - palette[None], axis=-1) + 1e9 * np.eye(count + 1)
    assert distance.min() > apart


@pytest.mark.parametrize("count", [12, 6])
def test_left_is_cold_right_is_warm_and_all_groups_differ_without_red_green_vision(count):
    palette, groups = group_palette(count).astype(float), part_groups(count)
    for j, name in enumerate(SMPL24.names):
        if name.startswith(("left", "right")) and groups[j + 1] != groups[SMPL24.flip[j] + 1]:
            red, _, blue = palette[groups[j + 1]]
            assert red < blue if name.startswith("left") else red > blue, name
    blind = palette @ np.array([[0.567, 0.558, 0], [0.433, 0.442, 0.242], [0, 0, 0.758]])  # protanopia, approximately
    assert (np.linalg.norm(blind[:, None] - blind[None], axis=-1) + 1e9 * np.eye(count + 1)).min() > 20


@pytest.mark.parametrize("count", [24, 12, 6, 3])
def test_a_group_has_the_colour_of_one_of_its_members(count):
    palette, groups = group_palette(count), part_groups(count)
    for part in range(1, count + 1):
        assert palette[part].tolist() in PALETTE[np.flatnonzero(groups == part)].tolist()


@pytest.mark.parametrize("parts", [1, 3, 6, 12, 24])
def test_palette_and_one_hot_pixel_by_pixel(parts):
    labels = random_labels()
    painted, hot = parts_picture(labels, parts), parts_picture(labels, parts, "one-hot")
    assert painted.shape == (2, 3, 5, 7) and hot.shape == (2, parts + 1, 5, 7)
    groups, colours = part_groups(parts), group_palette(parts)
    for b, y, x in np.ndindex(2, 5, 7):
        group = groups[int(labels[b, y, x])]
        np.testing.assert_allclose((painted[b, :, y, x].numpy() + 1) / 2 * 255, colours[group], atol=1e-4)
        assert hot[b, :, y, x].nonzero().flatten().tolist() == [group] and hot[b, group, y, x] == 1
    assert (painted[:, :, labels[0] == 0][0] == -1).all()


def test_grouped_labels_give_the_same_picture():
    labels = random_labels()
    for fine in (24, 12, 6, 3):
        grouped = torch.as_tensor(part_groups(fine))[labels.long()]
        for coarse in (p for p in (24, 12, 6, 3, 1) if p <= fine):
            assert torch.equal(parts_picture(grouped, coarse, labelled=fine), parts_picture(labels, coarse))
    with pytest.raises(PosebookError, match="cannot be split into 12"):
        parts_picture(labels.clamp(max=6), 12, labelled=6)


def discs_by_loops(pixels, size, radius):
    picture = -np.ones((3, size, size))
    for j, (u, v) in enumerate(pixels):
        for y, x in np.ndindex(size, size):
            cover = np.clip(radius + 0.5 - np.hypot(x + 0.5 - u, y + 0.5 - v), 0, 1)
            if np.isfinite(u + v):
                picture[:, y, x] += cover * (PALETTE[j + 1] / 127.5 - 1 - picture[:, y, x])
    return picture


@pytest.mark.parametrize("radius", [0.3, 1.5, 2.75, 9.0])
def test_discs_against_loops(radius):
    size, generator = 20, torch.Generator().manual_seed(1)
    pixels = torch.rand(3, 24, 2, generator=generator) * 30 - 5  # some outside, some across the border
    pixels[0, :4] = torch.tensor([[np.nan, 3], [10, np.inf], [1e9, 5], [5, -1e9]])
    picture = joints_picture(pixels, size, radius)
    assert picture.shape == (3, 3, size, size) and picture.dtype == torch.float32
    for b in range(3):
        np.testing.assert_allclose(picture[b], discs_by_loops(pixels[b].double().numpy(), size, radius), atol=1e-4)


def test_disc_radius_order_and_area():
    pixels = torch.full((1, 2, 2), 112.0)
    picture = joints_picture(pixels, 224)
    colour = torch.tensor(PALETTE[2] / 127.5 - 1).float()  # the later joint lies on top
    torch.testing.assert_close(picture[0, :, 112, 112], colour)
    assert joints_picture(pixels, 224, 3.0).equal(picture)  # the paper's 3 px of 224
    one = (joints_picture(pixels[:, :1], 224) > -1).float().amax(1)
    assert 9 * np.pi < one.sum() < 3.8**2 * np.pi
    assert joints_picture(pixels / 7, 32).equal(joints_picture(pixels / 7, 32, 1.5))
    assert (joints_picture(torch.full((1, 24, 2), np.nan), 16) == -1).all()


def test_joints_keep_the_subject_sides_when_mirrored():
    pixels = torch.rand(1, 24, 2, generator=torch.Generator().manual_seed(2)) * 16
    mirrored = torch.stack([16 - pixels[..., 0], pixels[..., 1]], -1)
    torch.testing.assert_close(joints_picture(mirrored, 16), joints_picture(pixels, 16).flip(-1), atol=1e-5, rtol=0)


@pytest.mark.parametrize("encoding", ["palette", "one-hot"])
@pytest.mark.parametrize("name", INPUTS)
def test_network_input_has_its_channels_and_range(name, encoding):
    image, labels, pixels = torch.rand(2, 3, 8, 8), random_labels((2, 8, 8)), torch.rand(2, 24, 2) * 8
    picture = network_input(name, image, labels, pixels, encoding)
    assert picture.shape == (2, channels(name, encoding), 8, 8) and picture.dtype == torch.float32
    assert picture.min() >= -1 and picture.max() <= 1
    if name == "rgb":
        torch.testing.assert_close((picture + 1) / 2, image)


def test_good_labels_pass_in_many_forms():
    labels = random_labels()
    for given in (labels, labels.long(), labels.int(), labels.numpy(), labels.numpy().astype(np.uint16)):
        assert torch.equal(check_labels(given).long(), labels.long())
    assert check_labels(labels[0]).shape == (1, 5, 7)
    assert check_labels(random_labels((2, 6, 6)), size=6).shape == (2, 6, 6)


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (torch.full((2, 4, 4), 25), {}, "Unknown part label 25: expected 0 .* to 24"),
        (torch.full((2, 4, 4), -1), {}, "Unknown part label -1"),
        (torch.full((2, 4, 4), 13), {"parts": 12}, "Unknown part label 13: expected 0 .* to 12"),
        (torch.ones(2, 4, 4), {}, "must be integers 0..24, not torch.float32"),
        (torch.ones(2, 4, 4, dtype=torch.bool), {}, "not torch.bool"),
        (torch.ones(4, dtype=torch.long), {}, r"\(B, H, W\) or \(H, W\), not \(4,\)"),
        (torch.ones(2, 4, 4, 3, dtype=torch.long), {}, "colour picture"),
        (torch.ones(0, 4, 4, dtype=torch.long), {}, r"not \(0, 4, 4\)"),
        (torch.ones(2, 4, 5, dtype=torch.long), {"size": 4}, "4 x 4 pixels, got 4 x 5"),
        (torch.zeros(4, 4, dtype=torch.long), {}, "No person in part map 0"),
    ],
)
def test_unusable_labels_are_refused(labels, options, message):
    with pytest.raises(PosebookError, match=message):
        check_labels(labels, **options)


def test_the_empty_maps_are_named():
    labels = torch.zeros(3, 4, 4, dtype=torch.uint8)
    labels[1, 2, 2] = 7
    with pytest.raises(PosebookError, match="No person in part map 0, 2:"):
        check_labels(labels)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: group_palette(7), "not 7"),
        (lambda: parts_picture(random_labels(), 5), "not 5"),
        (lambda: parts_picture(random_labels(), 12, "colour"), "Unknown encoding 'colour'"),
        (lambda: parts_picture(random_labels(high=200), 12), "Unknown part label"),
        (lambda: channels("parts5"), "Unknown input 'parts5'"),
        (lambda: channels("rgb", "colour"), "Unknown encoding 'colour'"),
        (lambda: joints_picture(torch.zeros(24, 2), 8), r"\(B, J, 2\)"),
        (lambda: joints_picture(torch.zeros(1, 25, 2), 8), "J <= 24"),
        (lambda: joints_picture(torch.zeros(1, 24, 2), 8, 0.0), "radius > 0"),
        (lambda: rgb_picture(torch.zeros(1, 8, 8, 3)), r"\(B, 3, H, W\)"),
        (lambda: rgb_picture(torch.zeros(1, 3, 8, 8, dtype=torch.uint8)), "uint8"),
    ],
)
def test_bad_calls_are_refused(call, message):
    with pytest.raises(PosebookError, match=message):
        call()
