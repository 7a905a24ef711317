"""2D skeletons for explorers: traces in the colours of left and right, and pages of several panels as PNG."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure

from posebook.explorers.base import host
from posebook.joints import JointSet
from posebook.plots.images import page_png
from posebook.plots.skeleton import bone_points
from posebook.plots.style import INK, SIDES, figure
from posebook.plots.twin import draw_chart
from posebook.plots.twin3d import KINDS_3D, draw_scene

INCHES = 3.6  # a panel
ZOOM = 0.7  # half side of a 3D panel, in half heights of plotly's picture


def flat_coordinates(pose, joint_set: JointSet) -> list[tuple[np.ndarray, np.ndarray]]:
    """x and y of the lines of each side that the joint set has; y turned up.

    Args:
        pose: (J, 2), y down.
    """
    points, sides = bone_points(host(pose), joint_set)
    return [(points[sides == s, 0], -points[sides == s, 1]) for s in np.unique(sides)]


def flat_traces(pose, joint_set: JointSet, name: str, rank: int = 0) -> list[go.Scatter]:
    """One 2D skeleton, a trace per side; the last one has the legend entry.

    Args:
        pose: (J, 2), y down.
        rank: 0 for the strongest colours.
    """
    sides = np.unique(bone_points(host(pose), joint_set)[1])
    drawn = zip(sides, flat_coordinates(pose, joint_set), strict=True)
    return [
        go.Scatter(x=x, y=y, mode="lines+markers", name=name, showlegend=bool(s == sides[-1]), hoverinfo="name",
                   line={"color": SIDES[rank][s], "width": 4 - 1.5 * rank}, marker={"color": SIDES[rank][s], "size": 5},
                   connectgaps=False)
        for s, (x, y) in drawn
    ]  # fmt: skip


def flat_figure(traces: list, title: str, reach: float) -> go.Figure:
    """Square 2D figure without ticks, from -reach to reach both ways."""
    hidden = {"range": [-reach, reach], "showticklabels": False, "ticks": ""}
    chart = figure(traces, title, 400, width=360)
    chart.update_xaxes(**hidden)
    return chart.update_yaxes(**hidden, scaleanchor="x")


def move_flat(traces: Sequence, pose, joint_set: JointSet) -> None:
    """Put a new pose (J, 2) into the traces of one skeleton."""
    for trace, (x, y) in zip(traces, flat_coordinates(pose, joint_set), strict=True):
        trace.update(x=x, y=y)


def page(figures: Sequence[go.Figure], text: str = "") -> bytes:
    """PNG of several figures side by side; their ranges are kept.

    Args:
        figures: of 3D traces, or of lines.
        text: lines set in a panel of their own, e.g. a table; none if empty.
    """
    count = len(figures) + bool(text)
    sheet = Figure(figsize=(INCHES * count, INCHES + 0.9), dpi=100, layout="constrained")
    panels = sheet.subplots(1, count, squeeze=False)[0]
    for panel, drawn in zip(panels, figures, strict=False):
        if {trace.type for trace in drawn.data} <= set(KINDS_3D):
            draw_scene(panel, drawn)
            panel.set(xlim=(-ZOOM, ZOOM), ylim=(-ZOOM, ZOOM))
        else:
            draw_chart(panel, drawn)
            _keep_ranges(panel, drawn)
        panel.set_title(drawn.layout.title.text or "", fontsize=10, color=INK, loc="left")
        handles, names = panel.get_legend_handles_labels()
        if names:
            below = -0.02 if not panel.get_xlabel() else -0.14
            style = {"fontsize": 8, "frameon": False, "ncols": 2}
            panel.legend(handles, names, loc="upper center", bbox_to_anchor=(0.5, below), **style)
    if text:
        panels[-1].set_axis_off()
        panels[-1].text(0, 0.98, text, va="top", fontsize=9, family="monospace", color=INK)
    return page_png(sheet)


def _keep_ranges(panel, drawn: go.Figure) -> None:
    axes = drawn.layout
    if axes.yaxis.scaleanchor:
        panel.set_aspect("equal")
        panel.set(xticklabels=[], yticklabels=[])
        panel.tick_params(length=0)
    if axes.xaxis.range:
        panel.set_xlim(*axes.xaxis.range)
    if axes.yaxis.range:
        panel.set_ylim(*axes.yaxis.range)
