"""ClipExplorer driven by its controls."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from posebook.errors import PosebookError
from posebook.explorers import ClipExplorer
from posebook.explorers.clip import APART
from posebook.joints import H36M17

RNG = np.random.default_rng(0)
T, J = 6, 4
BONES = [(0, 1), (1, 2), (0, 3)]
IMAGES = RNG.integers(0, 255, (T, 10, 12, 3)).astype(np.uint8)
TRUTH = RNG.normal(size=(T, J, 3)) * 0.4 + [0, 0, 3]
ROWS = {name: TRUTH + RNG.normal(size=TRUTH.shape) * size for name, size in (("a", 0.02), ("b", 0.05), ("c", 0.1))}


@pytest.fixture
def explorer():
    return ClipExplorer(IMAGES, ROWS, BONES, torch.from_numpy(TRUTH))


def drawn(trace):
    return np.stack([trace.x, trace.y, trace.z], axis=-1)


def rooted(joints):
    return joints - joints[:, :1]


def test_the_slider_shows_the_frame_s_picture_skeletons_and_errors(explorer):
    explorer.frame.value = 4
    picture = np.array(Image.open(io.BytesIO(explorer.picture.value)))
    np.testing.assert_array_equal(picture[15::30, 15::30], IMAGES[4])  # enlarged by whole pixels
    for trace, joints in zip(explorer.figure.data, [TRUTH, ROWS["a"], ROWS["b"]], strict=False):
        ends = rooted(joints)[4] * [1, -1, -1]  # the camera's frame turned upright
        expected = np.concatenate([[ends[p], ends[c], [np.nan] * 3] for p, c in BONES])
        np.testing.assert_allclose(drawn(trace), expected, atol=1e-6)
    assert list(explorer.curves.data[-1].x) == [4, 4]
    error = 1000 * np.linalg.norm(rooted(ROWS["a"])[4] - rooted(TRUTH)[4], axis=-1).mean()
    assert f"frame 4: MPJPE a {error:.0f} mm" in explorer.caption.value and " c " not in explorer.caption.value


def test_curves_are_each_frame_s_error(explorer):
    for trace, joints in zip(explorer.curves.data, ROWS.values(), strict=False):
        expected = 1000 * np.linalg.norm(rooted(joints) - rooted(TRUTH), axis=-1).mean(-1)
        np.testing.assert_allclose(trace.y, expected)


def test_only_chosen_methods_are_shown(explorer):
    assert [trace.visible for trace in explorer.figure.data] == [True, True, True, False]
    explorer.rows.value = ("c",)
    assert [trace.visible for trace in explorer.figure.data] == [True, False, False, True]
    assert [trace.visible for trace in explorer.curves.data[:-1]] == [False, False, True]
    explorer.rows.value = ()
    assert explorer.caption.value == "frame 0" and explorer.png().startswith(b"\x89PNG")


def test_side_by_side_moves_each_method_on_and_the_scene_holds_them_all(explorer):
    before = drawn(explorer.figure.data[2])
    explorer.apart.value = True
    np.testing.assert_allclose(drawn(explorer.figure.data[2]) - before, np.where(np.isnan(before), np.nan,
                               np.float32([2 * APART, 0, 0])), atol=1e-6)  # fmt: skip
    for t in range(T):
        explorer.frame.value = t
        for trace in explorer.figure.data[:3]:
            for axis in "xyz":
                low, high = explorer.figure.layout.scene[f"{axis}axis"].range
                assert low <= np.nanmin(trace[axis]) and np.nanmax(trace[axis]) <= high


def test_every_method_has_a_colour_of_its_own_in_both_figures(explorer):
    colours = [trace.line.color for trace in explorer.figure.data]
    assert len(set(colours)) == 4 and colours[1:] == [trace.line.color for trace in explorer.curves.data[:-1]]


def test_a_joint_set_gives_bones_and_root_and_one_frame_is_a_clip():
    truth = RNG.normal(size=(1, 17, 3))
    explorer = ClipExplorer(IMAGES[:1], {"same": truth + 1}, H36M17, truth)
    assert explorer.errors["same"][0] == pytest.approx(0, abs=1e-9) and explorer.frame.max == 0
    assert len(explorer.figure.data[0].x) == 3 * len(H36M17.bones)
    assert explorer.png().startswith(b"\x89PNG")


def test_what_does_not_fit_is_refused():
    cases = [
        ((IMAGES[:3], ROWS, BONES, TRUTH), "T images"),
        ((IMAGES, {"a": TRUTH[:, :2]}, BONES, TRUTH), "of one shape"),
        ((IMAGES, {}, BONES, TRUTH), "at least one method"),
        ((IMAGES, {"true": TRUTH}, BONES, TRUTH), "none of them called 'true'"),
        ((IMAGES, ROWS, [(0, 4)], TRUTH), "bones: expected pairs of joints 0 to 3"),
    ]
    for arguments, message in cases:
        with pytest.raises(PosebookError, match=message):
            ClipExplorer(*arguments)
