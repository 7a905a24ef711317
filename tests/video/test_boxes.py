"""Box tables and their files, there and back, and what is wrong with bad ones."""

import json

import numpy as np
import pytest

from posebook.errors import PosebookError
from posebook.video import box_table, read_boxes, write_boxes
from posebook.video.boxes import UNLINKED, by_frame

TABLE = box_table([2, 0, 0], [[1.5, 2, 3, 4], [5, 6, 7, 8.25], [9, 10, 11, 12]], [1, 4, 1], [0.5, np.nan, 2])


def same(a, b):
    for left, right in zip(a, b, strict=True):
        np.testing.assert_array_equal(left, right)


def test_rows_are_sorted_by_frame_then_track():
    assert TABLE.frame.tolist() == [0, 0, 2] and TABLE.track.tolist() == [1, 4, 1]
    assert TABLE.box[:, 0].tolist() == [9, 5, 1.5]
    assert [len(rows) for rows in by_frame(TABLE)] == [2, 0, 1]


@pytest.mark.parametrize("name", ["boxes.csv", "boxes.json", "boxes.txt"])
@pytest.mark.parametrize("scored", [True, False])
def test_files_give_the_same_table_back(tmp_path, name, scored):
    table = TABLE if scored else TABLE._replace(score=np.full(3, np.nan))
    write_boxes(tmp_path / name, table)
    same(read_boxes(tmp_path / name), table)


def test_documented_files_are_read(tmp_path):
    text = "frame,track,x,y,width,height\n1,1,413.0,81,95,239\n0,1,412.5,80,95,240\n"
    (tmp_path / "a.csv").write_text(text)
    found = read_boxes(tmp_path / "a.csv")
    assert found.box.tolist() == [[412.5, 80, 95, 240], [413, 81, 95, 239]] and np.isnan(found.score).all()
    columns = {"frame": [0, 1], "x": [1, 1], "y": [2, 2], "width": [3, 3], "height": [4, 4]}
    (tmp_path / "b.json").write_text(json.dumps(columns))
    (tmp_path / "c.csv").write_text("\ufeffheight,width,y,x,track,frame\n4,3,2,1,,0\n4,3,2,1,-1,1\n")
    for name in ("b.json", "c.csv"):
        found = read_boxes(tmp_path / name)
        assert found.track.tolist() == [UNLINKED] * 2 and found.box.tolist() == [[1, 2, 3, 4]] * 2


def test_an_empty_file_is_an_empty_table(tmp_path):
    write_boxes(tmp_path / "none.csv", box_table([], []))
    assert read_boxes(tmp_path / "none.csv").box.shape == (0, 4) and by_frame(box_table([], [])) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("frame,track,x,y,width\n0,0,1,2,3\n", "line 2: no height"),
        ("frame,track,x,y,width,height\n0,0,1,2,3,4\n1,0,a,2,3,4\n", "line 3: x is 'a', expected a number"),
        ("frame,track,x,y,width,height\n0,0,1,2,3,\n", "line 2: height is ''"),
        ("frame,track,x,y,width,height\n0,0,1,2,0,4\n", "width and height above 0"),
        ("frame,track,x,y,width,height\n0,0,1,2,3,4\n0,0,1,2,3,4\n", "Track 0 has two boxes in frame 0"),
        ("frame,track,x,y,width,height\n-1,0,1,2,3,4\n", "frame: expected whole numbers from 0"),
        ("frame,track,x,y,width,height\n0.5,0,1,2,3,4\n", "frame: expected whole numbers from 0"),
        ("frame,track,x,y,width,height\n0,0,nan,2,3,4\n", "expected finite"),
    ],
)
def test_bad_files_say_where_and_what(tmp_path, text, message):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(PosebookError, match=message) as caught:
        read_boxes(path)
    assert "bad.csv" in str(caught.value)


def test_missing_files_and_broken_json(tmp_path):
    with pytest.raises(PosebookError, match="No box file"):
        read_boxes(tmp_path / "no.csv")
    for text in ("{", "3", '{"frame": 1}'):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(PosebookError, match="not a JSON file of boxes"):
            read_boxes(tmp_path / "bad.json")


def test_lengths_must_agree():
    with pytest.raises(PosebookError, match="Expected 2 boxes"):
        box_table([0, 1], [[1, 2, 3, 4]])
