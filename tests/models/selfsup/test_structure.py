"""Structures: bones against the recording, the order of arms, and a description of ten lines."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.joints import H36M17, JointSet
from posebook.models.selfsup import BODY17, ELEPOSE_BODY17, HAND, Structure, joint_major
from posebook.models.selfsup.structure import ELEPOSE_FROM_H36M17


@pytest.mark.parity
def test_bone_lengths_repeat_the_official_ones(recorded):
    own = ELEPOSE_BODY17.bone_lengths(joint_major(recorded["helpers"]["bones_in"], 3))
    torch.testing.assert_close(own, recorded["helpers"]["bones_out"], atol=1e-3, rtol=0)  # mm
    means = torch.tensor(ELEPOSE_BODY17.bone_means)
    torch.testing.assert_close(means, recorded["step"]["plain"]["bone_relations_mean"], atol=1e-6, rtol=0)


def test_official_order_has_the_right_arm_first():
    for ours, theirs in enumerate(ELEPOSE_FROM_H36M17):
        assert H36M17.names[theirs] == ELEPOSE_BODY17.joints.names[ours]
    assert ELEPOSE_BODY17.joints.index("right_shoulder") == 11 and H36M17.index("left_shoulder") == 11
    twice = [ELEPOSE_FROM_H36M17[j] for j in ELEPOSE_FROM_H36M17]
    assert twice == list(range(17))


@pytest.mark.parametrize("structure", [BODY17, ELEPOSE_BODY17, HAND])
def test_sides_are_alike(structure):
    assert sum(structure.bone_means) == pytest.approx(len(structure.links), rel=1e-3)
    mean = {child: m for (_, child), m in zip(structure.links, structure.bone_means, strict=True)}
    for left, right in structure.pairs:
        assert mean[left] == mean[right]
    assert len(structure.pairs) == (0 if structure is HAND else 6)


def test_another_structure_is_a_few_lines():
    crane = Structure(
        JointSet("crane4", ("base", "top", "jib", "hook"), (-1, 0, 1, 2), (0,)),
        bone_means=(1.0, 1.5, 0.5),
        far_joint=1,
        coefficients=4,
    )
    points = torch.tensor([[[0.0, 0, 0], [0, -2, 0], [3, -2, 0], [3, -1, 0]]])
    torch.testing.assert_close(crane.bone_lengths(points), torch.tensor([[2.0, 3, 1]]))
    assert crane.with_bones_of(points.repeat(3, 1, 1)).bone_means == pytest.approx((1, 1.5, 0.5))


def test_descriptions_that_do_not_fit_are_refused():
    joints = JointSet("crane4", ("base", "top", "jib", "hook"), (-1, 0, 1, 2), (0,))
    for change, words in (
        ({"bone_means": (1.0, 1.0)}, "3 links"), ({"bone_means": (2.0, 3.0, 1.0)}, "mean must be 1"),
        ({"far_joint": 0}, "far joint"), ({"coefficients": 7}, "6 coefficients"),
    ):  # fmt: skip
        options = {"bone_means": (1.0, 1.0, 1.0), "far_joint": 1, "coefficients": 4} | change
        with pytest.raises(PosebookError, match=words):
            Structure(joints, **options)
    with pytest.raises(PosebookError, match=r"\(N, 17, 3\)"):
        BODY17.with_bones_of(torch.zeros(2, 16, 3))
