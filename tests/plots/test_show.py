"""What a notebook cell carries: live figure, PNG, text; and PNG twins of charts."""

import base64
import json
import sys
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from posebook.errors import PosebookError
from posebook.plots import bars_figure, curves_figure, image_grid, mesh_figure, png_of
from posebook.plots.show import PLOTLY_MIME, bundle, show

VERTICES = np.float32([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
FACES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])


def test_bundle_carries_live_figure_png_and_text():
    data = bundle(mesh_figure(VERTICES, FACES, title="Tetrahedron"))
    assert set(data) == {PLOTLY_MIME, "image/png", "text/plain"}
    picture = Image.open(BytesIO(base64.b64decode(data["image/png"])))
    assert picture.size == (480, 460)
    mesh = json.loads(json.dumps(data[PLOTLY_MIME]))["data"][0]
    assert (mesh["x"]["dtype"], mesh["i"]["dtype"]) == ("f4", "u2")
    assert np.frombuffer(base64.b64decode(mesh["j"]["bdata"]), np.uint16).tolist() == [2, 1, 3, 2]
    assert data["text/plain"].startswith("Tetrahedron")


def test_own_png_is_kept_and_wrong_bytes_are_refused():
    png = image_grid([np.zeros((4, 4, 3), np.uint8)])
    assert base64.b64decode(bundle(png=png)["image/png"]) == png
    assert PLOTLY_MIME not in bundle(png=png)
    for wrong in ({"png": b"GIF89a"}, {}):
        with pytest.raises(PosebookError):
            bundle(**wrong)


def test_show_displays_raw(monkeypatch):
    shown = []
    monkeypatch.setattr(sys.modules["posebook.plots.show"], "display", lambda data, raw: shown.append((data, raw)))
    show(bars_figure(["a"], [1.0]))
    assert shown[0][1] is True and PLOTLY_MIME in shown[0][0]


def column_of(png: bytes, colour: tuple[int, int, int]) -> int:
    """Rightmost column that holds a colour."""
    pixels = np.asarray(Image.open(BytesIO(png)).convert("RGB")).astype(int)
    return int(np.nonzero((np.abs(pixels - colour).max(-1) < 12).any(0))[0].max())


def test_png_bar_length_follows_value():
    blue = (0, 0x72, 0xB2)
    lines = {"limit": 100.0}  # fixes the axis
    ends = [column_of(png_of(bars_figure(["a", "b"], [v, v], lines=lines)), blue) for v in (20.0, 40.0, 80.0)]
    assert ends[1] - ends[0] == pytest.approx((ends[2] - ends[1]) / 2, abs=2)


def test_values_outside_their_interval_are_refused():
    with pytest.raises(PosebookError, match="inside its interval"):
        bars_figure(["a"], [10.0], [2.0], [3.0])


def test_curves_carry_reference_line_over_the_whole_range():
    chart = curves_figure({"train": ([0, 10], [1.0, 0.5]), "val": ([0, 20], [1.0, 0.6])}, {"all-zero answer": 0.7})
    assert [t.name for t in chart.data] == ["train", "val", "all-zero answer"]
    assert list(chart.data[2].x) == [0.0, 20.0] and list(chart.data[2].y) == [0.7, 0.7]
    assert png_of(chart).startswith(b"\x89PNG")


def test_unknown_trace_kind_is_refused():
    import plotly.graph_objects as go

    with pytest.raises(PosebookError, match="pie"):
        png_of(go.Figure(go.Pie(values=[1])))
