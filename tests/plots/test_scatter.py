"""Named points: where they are, their colours by group, and names in the picture without a kernel."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from posebook.errors import PosebookError
from posebook.plots import png_of, scatter_figure


def test_points_lie_where_they_should_and_groups_share_a_colour():
    points = {"VIBE": (1.0, 90.0), "VIBE, slerp": (2.0, 95.0), "mean": (3.0, 200.0)}
    chart = scatter_figure(points, "t", "a", "b", groups=("VIBE",))
    assert [trace.name for trace in chart.data] == ["VIBE", "other"]
    assert list(chart.data[0].x) == [1, 2] and list(chart.data[0].y) == [90, 95]
    assert list(chart.data[0].text) == ["VIBE", "VIBE, slerp"] and list(chart.data[1].text) == ["mean"]
    assert chart.data[0].marker.color != chart.data[1].marker.color


def test_the_picture_holds_the_names():
    short, long = (np.asarray(Image.open(BytesIO(png_of(scatter_figure({name: (1.0, 2.0), "x": (2.0, 3.0)})))))
                   for name in ("a", "a very long name"))  # fmt: skip
    assert (long < 128).sum() > (short < 128).sum()


def test_names_that_would_cover_each_other_are_told_by_the_mouse_alone():
    points = {"first": (1.0, 1.0), "beside it": (1.01, 1.001), "far": (9.0, 9.0), "below": (1.0, 5.0)}
    (trace,) = scatter_figure(points).data
    assert list(trace.text) == ["first", "", "far", "below"] and list(trace.hovertext) == list(points)


def test_no_points_are_refused():
    with pytest.raises(PosebookError, match="at least one"):
        scatter_figure({})
