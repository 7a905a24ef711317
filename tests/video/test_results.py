"""The file of results, there and back."""

import numpy as np
import pytest

from posebook.errors import PosebookError
from posebook.video import TrackResult, read_results, write_results


def result(track, count, **outputs):
    rng = np.random.default_rng(track)
    frames = np.array([0, 1, 5])[:count]
    sizes = np.full((count, 2), 64)
    boxes, affines, gaps = rng.normal(size=(count, 4)), rng.normal(size=(count, 2, 3)), [(2, 4)] if count > 2 else []
    return TrackResult(track, frames, boxes, np.zeros(count, bool), affines, sizes, gaps, outputs)


def test_what_is_read_is_what_was_written(tmp_path):
    tracks = [result(4, 3, joints=np.ones((3, 17, 3), np.float32)), result(11, 1, joints=np.zeros((1, 17, 3)))]
    write_results(tmp_path / "out.npz", tracks, 29.97)
    found = read_results(tmp_path / "out.npz")
    assert found.fps == 29.97 and [t.track for t in found.tracks] == [4, 11]
    for a, b in zip(found.tracks, tracks, strict=True):
        assert a.gaps == b.gaps and a.outputs.keys() == b.outputs.keys()
        for name in ("frames", "boxes", "filled", "affines", "sizes"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        np.testing.assert_array_equal(a.outputs["joints"], b.outputs["joints"])
        assert a.outputs["joints"].dtype == b.outputs["joints"].dtype
    with np.load(tmp_path / "out.npz", allow_pickle=False) as plain:
        assert plain["4/outputs/joints"].shape == (3, 17, 3)


def test_nobody_is_a_file_too(tmp_path):
    write_results(tmp_path / "none.npz", [], 30)
    assert read_results(tmp_path / "none.npz").tracks == []


def test_python_objects_and_other_files_are_refused(tmp_path):
    with pytest.raises(PosebookError, match="7/outputs/words holds Python objects"):
        write_results(tmp_path / "a.npz", [result(7, 1, words=np.array([{}], dtype=object))], 30)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "b.npz").write_text("no archive")
    np.savez(tmp_path / "c.npz", x=1)
    for name in ("b.npz", "c.npz", "none.npz"):
        with pytest.raises(PosebookError, match="expected an NPZ file of write_results"):
            read_results(tmp_path / name)
