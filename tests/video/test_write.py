"""MP4 and GIF: what comes out, and that nothing half-written stays."""

import numpy as np
import pytest
from PIL import Image

from posebook.errors import PosebookError
from posebook.video import open_frames, write_gif, write_mp4

PICTURES = np.random.default_rng(0).integers(0, 255, (7, 16, 24, 3)).astype(np.uint8)


@pytest.mark.parametrize(("fps", "frames", "seconds"), [(30, 7, 0.23), (25, 7, 0.28), (100, 4, 0.08)])
def test_a_gif_lasts_as_long_as_the_clip(tmp_path, fps, frames, seconds):
    path = tmp_path / "clip.gif"
    assert write_gif(path, iter(PICTURES), fps) == frames
    with Image.open(path) as gif:
        assert (gif.n_frames, gif.size, gif.info["loop"]) == (frames, (24, 16), 0)
        total = 0
        for i in range(frames):
            gif.seek(i)
            total += gif.info["duration"]
    assert total == pytest.approx(1000 * seconds, abs=10)


def test_gif_pictures_are_the_clip_s(tmp_path, walker):
    write_gif(tmp_path / "walk.gif", walker[0], 30)
    with Image.open(tmp_path / "walk.gif") as gif:
        gif.seek(20)
        np.testing.assert_array_equal(np.array(gif.convert("RGB")), walker[0][20])


def test_one_picture_is_a_gif_too(tmp_path):
    assert write_gif(tmp_path / "one.gif", PICTURES[:1], 30) == 1


def test_mp4_is_what_browsers_play_and_odd_sides_are_widened(tmp_path):
    av = pytest.importorskip("av", reason="PyAV is not installed")
    path = tmp_path / "odd.mp4"
    assert write_mp4(path, np.full((3, 17, 23, 3), 90, np.uint8), 29.97) == 3
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (24, 18) and float(stream.average_rate) == pytest.approx(29.97)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # playable before it is loaded whole
    assert open_frames(path).count == 3


def test_nothing_is_left_of_a_file_that_failed(tmp_path):
    pytest.importorskip("av", reason="PyAV is not installed")
    mixed = [PICTURES[0], PICTURES[1][:8]]
    for write, name in ((write_mp4, "a.mp4"), (write_gif, "a.gif")):
        with pytest.raises(PosebookError, match="Picture 1: expected"):
            write(tmp_path / name, mixed, 30)
        with pytest.raises(PosebookError, match="at least one picture"):
            write(tmp_path / name, [], 30)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(PosebookError, match="fps must be positive"):
        write_gif(tmp_path / "a.gif", PICTURES, 0)
