"""Running a method on pictures: crops, boxes, devices."""

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.methods import Method, PictureAnswer, look, same_box

BONES = ((0, 1),)


def brightest(crops):
    """Says where the brightest pixel of each crop is: one point, twice."""
    n, _, size, _ = crops.shape
    index = crops.sum(1).flatten(1).argmax(1)
    x, y = index % size + 0.5, index // size + 0.5
    point = torch.stack((x, y, torch.zeros(n)), -1)[:, None]
    return PictureAnswer(None, point.expand(-1, 2, -1))


def pictures(places):
    made = np.zeros((len(places), 100, 140, 3), np.uint8)
    for image, (x, y) in zip(made, places, strict=True):
        image[y - 1 : y + 2, x - 1 : x + 2] = 255
    return made


METHOD = Method("brightest", "a test", PictureAnswer, brightest, 32, 1.25, BONES)


def test_answers_come_back_in_the_pictures_pixels():
    places = [(40, 60), (44, 58), (50, 50)]
    looked = look(METHOD, pictures(places), same_box([20, 30, 40, 40], 3))
    for row, place in enumerate(places):
        found = looked.placed(row, 500.0, 3.0).joints_pixels[0].numpy()
        assert np.abs(found - (np.array(place) + 0.5)).max() < 50 / 32
    assert looked.to_crop[0][0, 0] == pytest.approx(32 / (1.25 * 40))
    assert (looked.sizes == [140, 100]).all() and looked.frames.tolist() == [0, 1, 2]


def test_a_method_that_reads_clips_gets_all_frames_at_once():
    seen = []

    def model(crops):
        seen.append(len(crops))
        return brightest(crops)

    clip = pictures([(40, 60)] * 20)
    look(
        Method("clip", "", PictureAnswer, model, 32, 1.0, BONES, whole_clip=True), clip, same_box([20, 30, 40, 40], 20)
    )
    look(Method("frames", "", PictureAnswer, model, 32, 1.0, BONES), clip, same_box([20, 30, 40, 40], 20))
    assert seen == [20, 16, 4]


def test_networks_move_with_their_method():
    network = torch.nn.Linear(2, 2)
    moved = Method("", "", PictureAnswer, brightest, 32, 1.0, BONES, networks=(network,)).on("meta")
    assert network.weight.device.type == "meta" and str(moved.device) == "meta"


def test_nobody_and_no_box():
    with pytest.raises(PosebookError, match="Nobody was found"):
        look(METHOD, pictures([(40, 60)]), lambda image: np.zeros((0, 5)))
    with pytest.raises(PosebookError, match="Expected a box x, y, width, height"):
        same_box([1, 2, 3], 4)
