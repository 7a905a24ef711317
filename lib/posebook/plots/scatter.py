"""Named points in the plane: two numbers of every row against each other."""

from collections.abc import Sequence

import plotly.graph_objects as go

from posebook.errors import PosebookError
from posebook.plots.style import COLOURS, figure

LETTER, LINE = 0.011, 0.035  # width of a letter and height of a line, in widths and heights of the chart


def scatter_figure(
    points: dict[str, tuple[float, float]], title: str = "", x: str = "", y: str = "", groups: Sequence[str] = ()
) -> go.Figure:
    """Draw points with their names beside them.

    Where names would cover each other, points that a group is named after keep theirs, then earlier ones.

    Args:
        points: name -> (x, y).
        title, x, y: texts of the figure and its axes.
        groups: starts of names; names of one group share a colour and a legend entry, the rest is "other". A name
            that is not written is told when the mouse is over its point.

    Raises:
        PosebookError: no points.
    """
    if not points:
        raise PosebookError("Expected at least one point to draw, got none.")
    found = {name: next((g for g in groups if name.startswith(g)), "other" if groups else "") for name in points}
    traces, written = [], readable({name: points[name] for name in (*groups, *points) if name in points})
    for i, group in enumerate(dict.fromkeys(found.values())):
        names = [name for name in points if found[name] == group]
        traces.append(
            go.Scatter(x=[points[n][0] for n in names], y=[points[n][1] for n in names], name=group,
                       text=[n if n in written else "" for n in names], hovertext=names, mode="markers+text",
                       textposition="top center", showlegend=bool(group),
                       marker={"color": COLOURS[i % len(COLOURS)], "size": 10})
        )  # fmt: skip
    chart = figure(traces, title, height=520)
    chart.update_xaxes(title={"text": x}, automargin=True)
    return chart.update_yaxes(title={"text": y}, automargin=True)


def readable(points: dict[str, tuple[float, float]]) -> set[str]:
    """Names that can be written without covering another one, the first ones first.

    Args:
        points: name -> (x, y).
    """
    spans = [max(values) - min(values) or 1.0 for values in zip(*points.values(), strict=True)]
    kept: list[str] = []
    for name, (x, y) in points.items():
        apart = (
            abs(x - points[k][0]) > LETTER * (len(name) + len(k)) / 2 * spans[0]
            or abs(y - points[k][1]) > LINE * spans[1]
            for k in kept
        )
        if all(apart):
            kept.append(name)
    return set(kept)
