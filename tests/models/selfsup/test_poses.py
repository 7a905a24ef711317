"""Normalisation against the recording; a bag of poses that is not the structure's is refused."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.selfsup import ELEPOSE_BODY17, axis_major, check_prior, joint_major, mean_scale, normalise
from posebook.models.selfsup.poses import bone_agreement
from posebook.models.selfsup.structure import ELEPOSE_FROM_H36M17


@pytest.mark.parity
def test_normalisation_repeats_the_official_one(recorded):
    helpers = recorded["helpers"]
    pixels = joint_major(helpers["px"])
    before = pixels.clone()
    for scale, name in ((None, "normalize_head"), (145.5329587, "normalize_head_test")):
        own = axis_major(normalise(pixels, ELEPOSE_BODY17, scale))
        torch.testing.assert_close(own, helpers[name], atol=1e-6, rtol=0)
    assert torch.equal(pixels, before)


def test_layouts_by_a_loop():
    points = torch.arange(2 * 5 * 3.0).view(2, 5, 3)
    numbers = axis_major(points)
    for b in range(2):
        for j in range(5):
            for c in range(3):
                assert numbers[b, 5 * c + j] == points[b, j, c]
    assert torch.equal(joint_major(numbers, 3), points)


@pytest.mark.parity
def test_a_right_prior_passes_and_wrong_ones_say_why(recorded_poses):
    good = recorded_poses
    check_prior(good, ELEPOSE_BODY17)
    assert bone_agreement(good, ELEPOSE_BODY17) > 0.95
    shuffled = good[:, [0, *range(5, 10), *range(1, 5), 10, *range(16, 10, -1)]]
    late_nan = good.clone()
    late_nan[3, 4, 0] = float("nan")
    wrong = {
        r"\(N, 17, 2\)": good[:, :16],
        "finite": late_nan,
        "at least 2": good[:1],
        "should be about 0.1": 3 * good,
        "must be at 0": good + 0.01,
        "another order": shuffled,
        "contradict": good[:, list(ELEPOSE_FROM_H36M17)],  # the arms exchanged
    }
    for words, poses in wrong.items():
        with pytest.raises(PosebookError, match=words):
            check_prior(poses, ELEPOSE_BODY17)


def test_all_joints_at_one_point_are_refused():
    with pytest.raises(PosebookError, match="one point"):
        normalise(torch.ones(4, 17, 2), ELEPOSE_BODY17)


def test_scale_is_of_the_set(toy):
    structure, _, poses = toy
    drawn = poses(50)
    assert mean_scale(drawn, structure).item() == pytest.approx(0.1, rel=1e-5)
    single = torch.linalg.vector_norm(drawn[:, structure.far_joint], dim=1)
    assert single.std() > 1e-4  # foreshortening stays
