"""Playback figures: every frame holds its own pose, and the controls reach all of them."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from posebook.errors import PosebookError
from posebook.joints import H36M17
from posebook.plots import playback_figure, playback_png
from posebook.plots.skeleton import bone_points

CLIP = np.random.default_rng(0).normal(size=(5, 17, 3)) + [0, 0, 4]


def test_each_frame_moves_the_skeletons_to_its_pose():
    chart = playback_figure({"true": CLIP, "net": CLIP + 0.1}, H36M17, 25)
    assert len(chart.frames) == 5
    for t, frame in enumerate(chart.frames):
        assert frame.name == str(t) and list(frame.traces) == [0, 1]
        for trace, joints in zip(frame.data, (CLIP[t], CLIP[t] + 0.1), strict=True):
            expected = bone_points(joints * [1, -1, -1], H36M17)[0]
            np.testing.assert_allclose(np.stack([trace.x, trace.y, trace.z], -1), expected, atol=1e-6)
            assert np.asarray(trace.x).dtype == np.float32
    names = [trace.name for trace in chart.data if trace.showlegend]
    assert names == ["true", "net"]


def test_the_button_plays_at_the_frame_rate_and_the_slider_reaches_every_frame():
    chart = playback_figure(CLIP, H36M17, 25)
    play, pause = chart.layout.updatemenus[0].buttons
    assert play.args[1]["frame"] == {"duration": 40, "redraw": True} and pause.args[0] == (None,)
    assert [step.args[0] for step in chart.layout.sliders[0].steps] == [(str(t),) for t in range(5)]


def test_the_scene_holds_the_whole_clip():
    chart = playback_figure(CLIP, H36M17, 25)
    for axis in "xyz":
        low, high = chart.layout.scene[f"{axis}axis"].range
        values = np.concatenate([frame.data[0][axis] for frame in chart.frames])
        assert low <= np.nanmin(values) and np.nanmax(values) <= high


def test_pictures_play_beside_the_skeletons():
    images = np.stack([np.full((400, 300, 3), 40 * t, np.uint8) for t in range(5)])
    chart = playback_figure(CLIP, H36M17, 30, images)
    for t, frame in enumerate(chart.frames):
        data = base64.b64decode(frame.data[-1].source.split(",")[1])
        picture = np.array(Image.open(io.BytesIO(data)))
        assert picture.shape == (220, 165, 3) and abs(int(picture.mean()) - 40 * t) <= 2
    assert chart.layout.xaxis.domain[1] < chart.layout.scene.domain.x[0]
    assert playback_png(chart, 3).startswith(b"\x89PNG")


def test_one_frame_and_missing_joints():
    clip = CLIP[:1].copy()
    clip[0, 3] = np.nan
    chart = playback_figure(clip, H36M17, 30)
    assert len(chart.frames) == 1 and playback_png(chart).startswith(b"\x89PNG")


def test_what_does_not_fit_is_refused():
    for arguments in (
        (CLIP[:, :5], H36M17, 30),
        ({"a": CLIP, "b": CLIP[:2]}, H36M17, 30),
        (CLIP, H36M17, 0),
        (CLIP[:0], H36M17, 30),
        (CLIP, H36M17, 30, np.zeros((2, 4, 4, 3), np.uint8)),
    ):
        with pytest.raises(PosebookError, match="Expected clips"):
            playback_figure(*arguments)
