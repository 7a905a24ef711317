"""Reading pictures: folders, arrays, and a real H.264 file there and back."""

import struct

import numpy as np
import pytest
from PIL import Image

from posebook.errors import PosebookError
from posebook.video import open_frames, write_mp4
from posebook.video.frames import Frames


def test_a_folder_is_read_in_natural_order_and_other_files_are_left_alone(tmp_path):
    for number in (10, 2, 1):
        Image.fromarray(np.full((4, 6, 3), number, np.uint8)).save(tmp_path / f"frame{number}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    frames = open_frames(tmp_path)
    assert (frames.count, frames.fps) == (3, 30) and open_frames(tmp_path, fps=25).fps == 25
    assert [picture[0, 0, 0] for picture in frames] == [1, 2, 10]
    assert [picture.shape for picture in frames] == [(4, 6, 3)] * 3  # a second time


def test_grey_and_transparent_pictures_become_rgb_and_one_picture_is_a_clip(tmp_path):
    Image.fromarray(np.full((4, 4), 9, np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(np.full((4, 4, 4), 9, np.uint8)).save(tmp_path / "b.png")
    assert [picture.shape for picture in open_frames(tmp_path)] == [(4, 4, 3)] * 2
    assert open_frames(tmp_path / "a.png").count == 1


def test_a_photo_turned_by_its_header_comes_out_upright(tmp_path):
    photo, header = Image.fromarray(np.full((40, 60, 3), 9, np.uint8)), Image.Exif()
    header[0x0112] = 6  # turn by 90 degrees clockwise
    photo.save(tmp_path / "photo.jpg", exif=header)
    assert next(iter(open_frames(tmp_path))).shape == (60, 40, 3)


def test_arrays_of_any_sizes_and_frames_themselves():
    pictures = [np.zeros((4, 6, 3), np.uint8), np.zeros((8, 2, 3), np.uint8)]
    frames = open_frames(pictures, fps=24)
    assert isinstance(frames, Frames) and open_frames(frames) is frames and frames.fps == 24
    assert [picture.shape for picture in frames] == [(4, 6, 3), (8, 2, 3)]


def test_an_mp4_comes_back_frame_by_frame(tmp_path, walker):
    pytest.importorskip("av", reason="PyAV is not installed")
    path = tmp_path / "walk.mp4"
    assert write_mp4(path, walker[0], fps=25, quality=10) == 30
    frames = open_frames(path)
    assert (frames.fps, frames.count) == (25, 30)
    found = list(frames)
    assert len(found) == 30 and found[0].dtype == np.uint8
    assert np.abs(np.stack(found).astype(int) - walker[0]).mean() < 4  # of 255
    middle = [np.flatnonzero(picture[40, :, 0] > 180).mean() for picture in found]
    np.testing.assert_allclose(middle, walker[1][:, 0] + 7.5, atol=1)  # nothing dropped, repeated or shifted


def test_a_telephone_s_upright_video_comes_out_upright(tmp_path, walker):
    """The header's matrix (x, y) -> (-y, x), y down, turns by 90 degrees clockwise on display."""
    pytest.importorskip("av", reason="PyAV is not installed")
    path = tmp_path / "walk.mp4"
    write_mp4(path, walker[0], fps=25, quality=10)
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44
    values = [0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30]
    data[matrix : matrix + 36] = struct.pack(">9i", *values)
    path.write_bytes(data)
    found = next(iter(open_frames(path)))
    expected = walker[0][0].transpose(1, 0, 2)[:, ::-1]  # rows become columns from right to left
    assert found.shape == expected.shape and np.abs(found.astype(int) - expected).mean() < 4


def test_missing_and_broken_sources_say_so(tmp_path):
    with pytest.raises(PosebookError, match="No video or folder"):
        open_frames(tmp_path / "none.mp4")
    with pytest.raises(PosebookError, match="holds no pictures"):
        open_frames(tmp_path)
    with pytest.raises(PosebookError, match="at least one picture"):
        open_frames([])
    with pytest.raises(PosebookError, match="got generator"):
        open_frames(picture for picture in ())
    with pytest.raises(PosebookError, match="fps must be positive"):
        open_frames([np.zeros((4, 4, 3), np.uint8)], fps=0)
    with pytest.raises(PosebookError, match=r"Picture 0: expected \(H, W, 3\) uint8"):
        list(open_frames([np.zeros((4, 4, 3))]))
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(PosebookError, match="a.png: not a picture"):
        list(open_frames(tmp_path))


def test_a_file_that_is_no_video(tmp_path):
    pytest.importorskip("av", reason="PyAV is not installed")
    (tmp_path / "bad.mp4").write_bytes(b"not a video" * 50)
    with pytest.raises(PosebookError, match="bad.mp4: not a video"):
        open_frames(tmp_path / "bad.mp4")
