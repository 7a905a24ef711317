"""Part labels and their groupings, against specs/nbf.md section 2 written out by hand."""

import numpy as np
import pytest

from posebook.body import PALETTE, load_assets, part_groups
from posebook.errors import PosebookError
from posebook.joints import SMPL24

# The spec's own line: SMPL joint numbers -> part.
NBF = {(15,): 1, (6, 9, 13, 14): 2, (12,): 7, (0, 3): 8, (16,): 9, (17,): 4, (18, 20, 22): 3, (19, 21, 23): 10,
       (1,): 5, (2,): 6, (4, 7, 10): 11, (5, 8, 11): 12}  # fmt: skip


def test_twelve_parts_are_the_papers():
    groups = part_groups(12)
    expected = {joint + 1: part for joints, part in NBF.items() for joint in joints}
    assert {label: int(groups[label]) for label in range(1, 25)} == expected


@pytest.mark.parametrize("count", [24, 12, 6, 3, 1])
def test_groupings(count):
    groups = part_groups(count)
    assert groups.shape == (25,) and groups[0] == 0
    assert set(groups[1:].tolist()) == set(range(1, count + 1))


def test_coarser_groupings_only_merge():
    finer = part_groups(24)
    for count in (12, 6, 3, 1):
        coarser = part_groups(count)
        for part in np.unique(finer):
            assert len(set(coarser[finer == part].tolist())) == 1
        finer = coarser


def test_sides_stay_apart_where_they_should():
    flip = np.array([0, *(j + 1 for j in SMPL24.flip)])
    assert (part_groups(3)[flip] == part_groups(3)).all()
    assert (part_groups(6)[flip] != part_groups(6)).sum() == 16  # 8 joints of limbs on each side


def test_unknown_grouping():
    with pytest.raises(PosebookError, match="7"):
        part_groups(7)


def test_palette_is_distinguishable():
    assert PALETTE.shape == (25, 3) and PALETTE.dtype == np.uint8 and not PALETTE[0].any()
    colours = PALETTE.astype(float)
    distance = np.linalg.norm(colours[:, None] - colours[None], axis=-1) + 1e9 * np.eye(25)
    assert distance.min() > 25
    blind = colours @ np.array([[0.567, 0.558, 0], [0.433, 0.442, 0.242], [0, 0, 0.758]])  # protanopia, approximately
    left = [SMPL24.index(n) + 1 for n in SMPL24.names if n.startswith("left")]
    right = [SMPL24.flip[j - 1] + 1 for j in left]
    assert np.linalg.norm(blind[left] - blind[right], axis=1).min() > 40


@pytest.mark.parametrize("level", ["full", "coarse"])
def test_every_part_has_faces_near_its_joint(level, body_cache):
    assets = load_assets(level)
    assert set(np.unique(assets.part_of_face)) == set(range(1, 25))
    centres = assets.template[assets.faces].mean(1)
    for side, x in (("left", 1), ("right", -1)):
        for name in ("hip", "knee", "ankle", "foot", "shoulder", "elbow", "wrist", "hand"):
            part = assets.part_of_face == SMPL24.index(f"{side}_{name}") + 1
            assert (x * centres[part, 0] > -0.03).all()
