"""Joint sets against the numbers of specs/data.md."""

import pytest

from posebook.errors import PosebookError
from posebook.joints import H36M17, JOINT_SETS, LSP14, SMPL24, joint_set

SMPL_FLIP = [0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20, 23, 22]
LIMBS = {  # specs/data.md section 2, cross table; in the order of NAMES below
    "smpl24": [8, 5, 2, 1, 4, 7, 21, 19, 17, 16, 18, 20],
    "h36m17": [3, 2, 1, 4, 5, 6, 16, 15, 14, 11, 12, 13],
    "coco17": [16, 14, 12, 11, 13, 15, 10, 8, 6, 5, 7, 9],
    "lsp14": list(range(12)),
}
NAMES = [f"right_{n}" for n in ("ankle", "knee", "hip")] + [f"left_{n}" for n in ("hip", "knee", "ankle")]
NAMES += [f"right_{n}" for n in ("wrist", "elbow", "shoulder")] + [f"left_{n}" for n in ("shoulder", "elbow", "wrist")]


def test_flip_permutations():
    assert list(SMPL24.flip) == SMPL_FLIP
    assert [H36M17.flip[i] for i in (1, 2, 3, 14, 15, 16)] == [4, 5, 6, 11, 12, 13]
    for s in JOINT_SETS.values():
        assert [s.flip[s.flip[j]] for j in range(len(s))] == list(range(len(s)))


@pytest.mark.parametrize("name", LIMBS)
def test_limb_joints_are_where_the_spec_says(name):
    assert [joint_set(name).index(n) for n in NAMES] == LIMBS[name]


def test_trees():
    for s in JOINT_SETS.values():
        assert len(s.bones) == len(s) - 1 and len(set(s.names)) == len(s)
        for j in range(len(s)):  # every joint leads to the one root
            seen = set()
            while s.parents[j] >= 0:
                assert j not in seen
                seen.add(j)
                j = s.parents[j]


def test_unknown_names():
    with pytest.raises(PosebookError, match="h36m17"):
        joint_set("h36m")
    with pytest.raises(PosebookError, match="no joint"):
        LSP14.index("nose")
