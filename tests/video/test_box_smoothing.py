"""Box smoothing: the official one against its recording, ours by what it keeps and removes."""

import numpy as np
import pytest

from posebook.errors import PosebookError
from posebook.video import link, official_smooth_boxes, smooth_boxes


@pytest.mark.parity
def test_official_boxes_match_the_recording(parity):
    data = parity.load("vibe.pt")["data"]
    parameters, first, last = data["bbox_smooth"]
    found = official_smooth_boxes(data["bbox_kps"].numpy())
    assert (found.first, found.last) == (first, last)
    np.testing.assert_allclose(found.parameters, parameters.numpy(), atol=1e-9)


def test_unseen_ends_are_cut_and_an_unseen_person_is_refused():
    joints = np.random.default_rng(0).uniform(0, 100, (20, 5, 3))
    joints[:3, :, 2] = joints[17:, :, 2] = 0
    joints[3:17, :, 2] = 1
    found = official_smooth_boxes(joints)
    assert (found.first, found.last, found.parameters.shape) == (3, 17, (17, 3))
    assert not found.parameters[:3].any()
    with pytest.raises(PosebookError, match="no frame has joints"):
        official_smooth_boxes(joints[:3])
    with pytest.raises(PosebookError, match=r"expected \(T, J, 3\)"):
        official_smooth_boxes(joints[0])


def test_a_box_at_rest_stays_and_an_outlier_goes():
    boxes = np.tile([10.0, 20, 30, 60], (25, 1))
    boxes[12] = [15, 25, 40, 50]
    found = smooth_boxes(link([[box] for box in boxes]).pop()).boxes
    np.testing.assert_allclose(found, np.tile(boxes[0], (25, 1)))


def test_a_steady_walk_stays_to_its_ends(walker):
    found = smooth_boxes(link([[box] for box in walker[1]]).pop()).boxes
    np.testing.assert_allclose(found, walker[1], atol=1e-6)


def test_jitter_shrinks(walker):
    noisy = walker[1] + np.random.default_rng(0).normal(size=walker[1].shape)
    found = smooth_boxes(link([[box] for box in noisy]).pop()).boxes
    assert np.abs(np.diff(found, axis=0, n=2)).mean() < 0.1 * np.abs(np.diff(noisy, axis=0, n=2)).mean()
    assert np.abs(found - walker[1]).mean() < 0.6 * np.abs(noisy - walker[1]).mean()


def test_the_two_sides_of_a_gap_do_not_mix():
    boxes = [[[0, 0, 20, 20]]] * 5 + [None] * 3 + [[[6, 0, 20, 20]]] * 5
    found = smooth_boxes(link(boxes).pop())
    assert found.gaps == [(5, 7)] and found.boxes[:, 0].round(9).tolist() == [0] * 5 + [6] * 5


def test_one_box_and_switched_off_filters_change_nothing(walker):
    one = link([[walker[1][0]]]).pop()
    np.testing.assert_allclose(smooth_boxes(one).boxes, one.boxes)
    all_boxes = link([[box] for box in walker[1]]).pop()
    np.testing.assert_allclose(smooth_boxes(all_boxes, median=1, sigma=0).boxes, walker[1])
    with pytest.raises(PosebookError, match="odd median"):
        smooth_boxes(one, median=4)
