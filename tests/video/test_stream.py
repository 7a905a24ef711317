"""PyAV is optional: without it there is a remedy, not a traceback."""

import sys

import pytest

from posebook.errors import PosebookError
from posebook.video import open_frames, write_mp4
from posebook.video.stream import open_stream


def test_without_pyav_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "a.mp4").write_bytes(b"")
    for use in (lambda: open_frames(tmp_path / "a.mp4"), lambda: write_mp4(tmp_path / "b.mp4", [], 30)):
        with pytest.raises(PosebookError, match=r"pip install posebook\[video\]"):
            use()


def test_sound_without_pictures_is_no_video(tmp_path):
    pytest.importorskip("av", reason="PyAV is not installed")
    import wave

    with wave.open(str(tmp_path / "a.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\0" * 1600)
    with pytest.raises(PosebookError, match="no video in this file"), open_stream(tmp_path / "a.wav"):
        pass
