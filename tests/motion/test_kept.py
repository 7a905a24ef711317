"""Kept clips equal fresh ones; a source's version sees every number of the clips it samples."""

import numpy as np
import pytest

from posebook.motion import kept, load_clip


@pytest.fixture
def fresh(tmp_path, monkeypatch, body_cache):
    monkeypatch.setattr(kept, "cache_dir", lambda *parts: tmp_path)
    clear = kept.kept_clip.cache_clear, kept.motion_version.cache_clear  # the tests replace one of the two
    for forget in clear:
        forget()
    yield tmp_path
    for forget in clear:
        forget()


def test_kept_clip_is_the_clip(fresh, monkeypatch):
    expected = load_clip("procedural", "walk_003")
    kept.kept_clip("procedural", "walk_003")
    kept.kept_clip.cache_clear()
    monkeypatch.setattr(kept, "load_clip", lambda *_: pytest.fail("made again although it was kept"))
    monkeypatch.setattr(kept, "motion_version", lambda _: "same")
    again = kept.kept_clip("procedural", "walk_003")
    assert again[:4] == expected[:4]
    for a, b in zip(again[4:], expected[4:], strict=True):
        np.testing.assert_array_equal(a, b)


def test_version_sees_a_root_that_turned(fresh, monkeypatch):
    monkeypatch.setattr(kept, "EVERY", 200)
    before = kept.motion_version("procedural")
    assert before == kept.motion_version("procedural")
    kept.motion_version.cache_clear()
    turned = lambda motion, name: (c := load_clip(motion, name))._replace(global_orient=c.global_orient + 0.1)  # noqa: E731
    monkeypatch.setattr(kept, "load_clip", turned)
    assert kept.motion_version("procedural") != before
