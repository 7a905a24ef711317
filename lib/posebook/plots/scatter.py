"""Named points in the plane: two numbers of every row against each other."""

from collections.abc import Sequence

import plotly.graph_objects as go

from posebook.errors import PosebookError
from posebook.plots.style import COLOURS, figure


def scatter_figure(
    points: dict[str, tuple[float, float]], title: str = "", x: str = "", y: str = "", groups: Sequence[str] = ()
) -> go.Figure:
    """Draw points with their names beside them.

    Args:
        points: name -> (x, y).
        title, x, y: texts of the figure and its axes.
        groups: starts of names; names of one group share a colour and a legend entry, the rest is "other".

    Raises:
        PosebookError: no points.
    """
    if not points:
        raise PosebookError("Expected at least one point to draw, got none.")
    found = {name: next((g for g in groups if name.startswith(g)), "other" if groups else "") for name in points}
    traces = []
    for i, group in enumerate(dict.fromkeys(found.values())):
        names = [name for name in points if found[name] == group]
        traces.append(
            go.Scatter(x=[points[n][0] for n in names], y=[points[n][1] for n in names], text=names, name=group,
                       mode="markers+text", textposition="top center", showlegend=bool(group),
                       marker={"color": COLOURS[i % len(COLOURS)], "size": 10})
        )  # fmt: skip
    chart = figure(traces, title, height=520)
    chart.update_xaxes(title={"text": x}, automargin=True)
    return chart.update_yaxes(title={"text": y}, automargin=True)
