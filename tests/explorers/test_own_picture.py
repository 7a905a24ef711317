"""OwnPictureExplorer driven by its controls."""

import datetime
import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from posebook.errors import PosebookError
from posebook.explorers import OwnPictureExplorer
from posebook.explorers.own_picture_files import guess_box, read_picture
from posebook.methods import BodyAnswer, Method, PictureAnswer

FACES = np.array([[0, 2, 1], [0, 3, 2], [0, 1, 3], [1, 2, 3]])
TETRA = torch.tensor([[0.0, 0.6, 0], [0.5, 0.6, 0.4], [-0.5, 0.6, 0.4], [0, -0.8, 0.2]])
BOX = [30.0, 20.0, 40.0, 60.0]
calls = []


def drawn(crops):
    calls.append(len(crops))
    points = torch.tensor([[10.0, 10.0, 0], [20, 30, 0.1], [30, 22, -0.1], [16, 16, 0]]).expand(len(crops), 4, 3)
    return PictureAnswer(points, points)


def posed(crops):
    body = TETRA.expand(len(crops), 4, 3)
    return BodyAnswer(body, body, torch.full((len(crops), 2), 16.0), torch.full((len(crops),), 18.0))


def failing(crops):
    raise PosebookError("no weights after all")


BONES = ((0, 1), (1, 2))
METHODS = [
    Method("drawn", "a", PictureAnswer, drawn, 32, 1.25, BONES, FACES),
    Method("posed", "b", BodyAnswer, posed, 32, 1.25, BONES, FACES, warning="not for real photos"),
    Method("bones", "c", BodyAnswer, posed, 32, 1.25, BONES),
    Method("broken", "d", BodyAnswer, failing, 32, 1.25, BONES),
]


def picture(seed=0, height=100, width=120):
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)


@pytest.fixture
def explorer():
    calls.clear()
    return OwnPictureExplorer([picture()], BOX, METHODS, 500.0, ["VIBE: not here"])


def test_it_shows_every_method_that_runs_and_says_the_rest(explorer):
    assert [p.method.name for p in explorer.people] == ["drawn", "posed", "bones"]
    assert [t.name for t in explorer.figure.data] == ["drawn", "posed", "bones"]
    assert len(explorer.picture.data) == 4 and explorer.picture.layout.images[0].sizex == 120
    told = explorer.status.value
    assert "posed: 1.40 m tall" in told and "not for real photos" in told
    assert "broken: no weights after all" in told and "VIBE: not here" in told
    assert explorer.png().startswith(b"\x89PNG")


def test_focal_length_and_depth_do_what_they_do(explorer):
    height, depth = (lambda i: explorer.people[i].placed.height), (lambda i: explorer.people[i].placed.depth)
    before = height(0), depth(1)
    explorer.auto.value = False
    explorer.depth.value = 4.0
    held = height(0)
    explorer.focal.value = 1000.0
    assert height(0) == pytest.approx(held / 2, rel=1e-4) and depth(0) == 4.0
    assert height(1) == pytest.approx(1.4, abs=1e-5) and depth(1) == pytest.approx(2 * before[1], rel=1e-4)
    explorer.auto.value = True
    assert explorer.root_depth() == pytest.approx(1000 * 2 / (1.25 * 60))
    assert calls == [1]  # nothing ran again


def test_the_box_by_numbers_and_by_mouse(explorer):
    explorer.width.value = 80.0
    assert explorer.boxes[0].tolist() == [30, 20, 80, 60] and calls == [1, 1]
    explorer.select(SimpleNamespace(xrange=(70.0, 10.0), yrange=(15.0, 95.0)))
    assert explorer.boxes[0].tolist() == [10, 15, 60, 80]
    assert [c.value for c in (explorer.x, explorer.y, explorer.width, explorer.height)] == [10, 15, 60, 80]
    shape = explorer.picture.layout.shapes[0]
    assert (shape.x0, shape.x1, shape.y0, shape.y1) == (10, 70, 15, 95)
    assert calls == [1, 1, 1]
    explorer.height.value = -5.0
    assert "drawn: " in explorer.status.value and not explorer.people


def test_methods_are_chosen_and_stand_in_a_row(explorer):
    explorer.rows.value = ("posed", "bones")
    assert [t.name for t in explorer.figure.data] == ["posed", "bones"]
    first, second = (np.nanmin(t.x) for t in explorer.figure.data)
    assert second > first
    explorer.apart.value = False
    np.testing.assert_allclose(np.nanmax(explorer.figure.data[0].z), -explorer.people[0].placed.vertices[:, 2].min())
    explorer.rows.value = ()
    assert len(explorer.figure.data) == 0 and explorer.png().startswith(b"\x89PNG")


def test_frames(explorer):
    explorer.take([picture(1), picture(2), picture(3)], BOX)
    explorer.update()
    assert explorer.frame.max == 2 and calls[-1] == 3
    explorer.frame.value = 2
    explorer.x.value = 5.0
    assert explorer.boxes[:, 0].tolist() == [30, 30, 5]
    explorer.frame.value = 0
    assert explorer.x.value == 30


def upload(*files):
    about = {"type": "image/png", "last_modified": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)}
    return tuple({"name": name, "content": memoryview(content), "size": len(content), **about}
                 for name, content in files)  # fmt: skip


def encoded(pixels, kind="png"):
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, format=kind)
    return data.getvalue()


def test_uploaded_files_are_frames_in_the_order_of_their_names(explorer, monkeypatch):
    monkeypatch.setattr("posebook.explorers.own_picture.guess_box", lambda image: np.array([1.0, 2, 30, 40]))
    files = [(f"frame{i}.png", encoded(picture(i))) for i in (10, 2)]
    explorer.upload.set_trait("value", upload(*files))
    assert np.array_equal(explorer.pictures[0], picture(2)) and np.array_equal(explorer.pictures[1], picture(10))
    assert explorer.boxes.tolist() == [[1, 2, 30, 40]] * 2


def test_a_file_that_is_no_picture_is_said_and_the_old_one_stays(explorer):
    explorer.upload.set_trait("value", upload(("notes.txt", b"hello")))
    assert "notes.txt is not a picture that can be read" in explorer.status.value
    assert len(explorer.pictures) == 1 and explorer.pictures[0].shape == (100, 120, 3)
    with pytest.raises(PosebookError, match="not a picture"):
        read_picture("cut.png", encoded(picture())[:200])


def test_a_box_is_guessed_and_wrong_ones_are_refused(monkeypatch):
    monkeypatch.setattr("posebook.explorers.own_picture_files.person_detector", lambda: lambda image: np.zeros((0, 5)))
    x, y, width, height = guess_box(picture(height=200, width=100))
    assert (x, y) == (pytest.approx(5), pytest.approx(10)) and (width, height) == (
        pytest.approx(90),
        pytest.approx(180),
    )
    found = lambda image: np.array([[1, 2, 3, 4, 0.9]])  # noqa: E731
    monkeypatch.setattr("posebook.explorers.own_picture_files.person_detector", lambda: found)
    assert guess_box(picture()).tolist() == [1, 2, 3, 4]
    for box in ([1, 2, 3], [0, 0, 0, 5], [[0, 0, 5, 5]] * 3):
        with pytest.raises(PosebookError, match="Expected a box x, y, width, height"):
            OwnPictureExplorer([picture(), picture()], box, METHODS[:1])
