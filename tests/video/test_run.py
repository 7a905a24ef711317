"""Whole runs on clips of rectangles, with models that say what they saw."""

from typing import NamedTuple

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.smoothing import smooth_vectors
from posebook.video import apply_affine, box_table, invert_affine, read_results, run_video, write_boxes, write_mp4


class Seen(NamedTuple):
    centre: torch.Tensor  # (T, 2) middle of what is red, crop pixels
    length: torch.Tensor  # (T,) frames that the model got at once
    nothing: None = None


def look(crops: torch.Tensor) -> Seen:
    assert crops.dtype == torch.float32 and 0 <= crops.min() and crops.max() <= 1
    red = (crops[:, 0] > 0.7) & (crops[:, 1] < 0.3)  # (T, S, S)
    places = torch.arange(crops.shape[-1]) + 0.5
    count = red.sum((1, 2)).clamp(min=1)
    centre = torch.stack([(red.sum(1) * places).sum(1), (red.sum(2) * places).sum(1)], -1) / count[:, None]
    return Seen(centre, torch.full((len(crops),), len(crops)))


def table(boxes, frames=None, track=None):
    return box_table(np.arange(len(boxes)) if frames is None else frames, boxes, track)


def find_red(picture: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero((picture[..., 0] > 180) & (picture[..., 1] < 80))
    if not len(rows):
        return np.zeros((0, 4))
    return np.array([[columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1, 0.9]])


def seen_in_picture(result):
    return np.stack(
        [apply_affine(invert_affine(a), c) for a, c in zip(result.affines, result.outputs["centre"], strict=True)]
    )


@pytest.mark.parametrize("given", ["table", "path", "detector", "unlinked"])
def test_a_walker_is_seen_where_it_walks(walker, tmp_path, given):
    pictures, boxes = walker
    write_boxes(tmp_path / "b.csv", table(boxes, track=np.full(30, 5)))
    ways = {"table": table(boxes, track=np.full(30, 5)), "path": tmp_path / "b.csv", "detector": find_red,
            "unlinked": table(boxes)}  # fmt: skip
    (result,) = run_video(pictures, look, 64, ways[given])
    assert result.track == (5 if given in ("table", "path") else 0)
    assert result.frames.tolist() == list(range(30)) and result.gaps == [] and not result.filled.any()
    assert set(result.outputs) == {"centre", "length"} and set(result.outputs["length"]) == {30}
    np.testing.assert_allclose(seen_in_picture(result), boxes[:, :2] + boxes[:, 2:] / 2, atol=0.6)
    assert result.sizes.tolist() == [[120, 80]] * 30


def test_one_frame_is_enough(walker):
    (result,) = run_video(walker[0][:1], look, 32, find_red, smoothing="gaussian")
    assert result.frames.tolist() == [0] and result.outputs["length"].tolist() == [1]


def test_short_gaps_are_filled_and_long_ones_start_the_model_anew(walker):
    pictures, boxes = walker
    kept = np.r_[0:8, 11:14, 25:30]
    (result,) = run_video(pictures, look, 64, table(boxes[kept], kept, np.zeros(16)), max_gap=5)
    assert result.gaps == [(14, 24)] and result.frames[result.filled].tolist() == [8, 9, 10]
    assert result.outputs["length"].tolist() == [14] * 14 + [5] * 5
    np.testing.assert_allclose(seen_in_picture(result), boxes[result.frames, :2] + [8, 20], atol=0.6)


def test_two_people_get_results_of_their_own(crossing):
    pictures = np.full((40, 100, 200, 3), 60, np.uint8)
    first, second = run_video(pictures, look, 16, table(crossing.reshape(-1, 4), np.repeat(np.arange(40), 2)))
    assert first.boxes[0, 0] < second.boxes[0, 0] and first.boxes[-1, 0] > second.boxes[-1, 0]


def test_nobody_gives_nothing_and_a_file_that_says_so(walker, tmp_path):
    assert run_video(walker[0], look, 32, lambda picture: np.zeros((0, 4)), output=tmp_path / "out.npz") == []
    assert read_results(tmp_path / "out.npz").tracks == []


def test_results_are_kept(walker, tmp_path):
    (result,) = run_video(walker[0], look, 32, find_red, fps=24, output=tmp_path / "out.npz")
    (found,), fps = read_results(tmp_path / "out.npz")
    assert fps == 24
    np.testing.assert_array_equal(found.outputs["centre"], result.outputs["centre"])


def test_batches_cut_the_sequence_and_change_nothing_else(walker):
    (whole,), (cut,) = (run_video(walker[0], look, 32, find_red, batch=batch) for batch in (None, 8))
    assert cut.outputs["length"].tolist() == [8] * 24 + [6] * 6
    np.testing.assert_array_equal(cut.outputs["centre"], whole.outputs["centre"])


def test_pictures_of_mixed_sizes(walker):
    pictures = [np.pad(picture, ((0, t % 3), (0, t), (0, 0))) for t, picture in enumerate(walker[0])]
    (result,) = run_video(pictures, look, 64, table(walker[1]))
    np.testing.assert_allclose(seen_in_picture(result), walker[1][:, :2] + [8, 20], atol=0.6)
    assert result.sizes[7].tolist() == [127, 81]


def test_a_video_file_runs_like_its_pictures(walker, tmp_path):
    pytest.importorskip("av", reason="PyAV is not installed")
    write_mp4(tmp_path / "walk.mp4", walker[0], 30, quality=10)
    (result,) = run_video(tmp_path / "walk.mp4", look, 64, table(walker[1]))
    np.testing.assert_allclose(seen_in_picture(result), walker[1][:, :2] + [8, 20], atol=1)


def test_smoothing_takes_rotations_as_rotations_and_the_rest_as_numbers(walker):
    turns = torch.eye(3).repeat(30, 2, 1, 1)
    turns[::2, 1] = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    numbers = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))

    def model(crops):
        return {"turns": turns, "numbers": numbers, "index": torch.arange(30)}

    (all_,) = run_video(walker[0], model, 8, find_red, smoothing="gaussian")
    assert np.allclose(np.linalg.det(all_.outputs["turns"]), 1, atol=1e-5)
    np.testing.assert_allclose(all_.outputs["numbers"], smooth_vectors(numbers, 30).numpy())
    assert all_.outputs["index"].tolist() == list(range(30))
    (one,) = run_video(walker[0], model, 8, find_red, smoothing={"numbers": lambda values, fps: values * fps})
    np.testing.assert_allclose(one.outputs["numbers"], 30 * numbers.numpy())
    np.testing.assert_array_equal(one.outputs["turns"], turns.numpy())
    with pytest.raises(PosebookError, match="no output 'pose'; it has turns, numbers, index"):
        run_video(walker[0], model, 8, find_red, smoothing={"pose": "gaussian"})


def test_what_does_not_fit_is_refused(walker):
    pictures, boxes = walker
    with pytest.raises(PosebookError, match="box for frame 29, but only frames 0 to 9"):
        run_video(pictures[:10], look, 8, table(boxes))
    with pytest.raises(PosebookError, match="boxes: expected a BoxTable"):
        run_video(pictures, look, 8, boxes)
    with pytest.raises(PosebookError, match="expected a NamedTuple or a dict"):
        run_video(pictures, lambda crops: crops, 8, find_red)
    with pytest.raises(PosebookError, match=r"x has shape \(2, 3\), expected \(30, ...\)"):
        run_video(pictures, lambda crops: {"x": np.zeros((2, 3))}, 8, find_red)
    with pytest.raises(PosebookError, match="batch: expected at least 1"):
        run_video(pictures, look, 8, find_red, batch=0)
