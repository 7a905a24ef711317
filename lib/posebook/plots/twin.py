"""The PNG twin of a plotly figure, drawn by matplotlib from the figure's own traces.

Plotly's PNG export needs a Chrome; GitHub shows no plotly at all. So every figure of this package is drawn a second
time here, from the same numbers. It knows the trace kinds this package makes, and refuses others.
"""

import numpy as np
from matplotlib.figure import Figure

from posebook.errors import PosebookError
from posebook.plots.images import page_png
from posebook.plots.style import GREY, INK, LINES
from posebook.plots.twin3d import KINDS_3D, draw_scene

DASHES = {None: "-", "solid": "-", "dash": "--", "dot": ":", "dashdot": "-."}


def png_of(figure, width: int | None = None) -> bytes:
    """PNG bytes of a figure made of Mesh3d, Scatter3d, Isosurface, or of Scatter and Bar traces.

    Args:
        figure: plotly figure; its height in pixels is kept.
        width: pixels; 480 for 3D scenes, 640 for charts if None.

    Raises:
        PosebookError: for a trace kind that has no twin here.
    """
    kinds = {trace.type for trace in figure.data}
    width = width or (480 if kinds <= set(KINDS_3D) else 640)
    page = Figure(figsize=(width / 100, (figure.layout.height or 420) / 100), dpi=100, layout="constrained")
    panel = page.subplots()
    if kinds and kinds <= set(KINDS_3D):
        draw_scene(panel, figure)
    elif kinds <= {"scatter", "bar"}:
        draw_chart(panel, figure)
    else:
        raise PosebookError(f"No PNG twin for traces {sorted(kinds)}; pass your own bytes to show(fig, png=...).")
    if figure.layout.title.text:
        panel.set_title(figure.layout.title.text, fontsize=11, color=INK, loc="left")
    handles = dict(zip(*reversed(panel.get_legend_handles_labels()), strict=True))
    names = [label(trace) for trace in figure.data if label(trace) in handles]
    if names:
        page.legend([handles[n] for n in names], names, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return page_png(page)


def draw_chart(panel, figure) -> None:
    """Lines and horizontal bars in two dimensions."""
    axes = figure.layout
    categories = list(axes.yaxis.categoryarray) if axes.yaxis.categoryarray is not None else None
    for trace in figure.data:
        y = [categories.index(v) for v in trace.y] if categories else trace.y
        if trace.type == "bar":
            draw_bars(panel, trace, y)
        else:
            draw_line(panel, trace, np.add(y, (-0.5, 0.5)) if categories and len(y) == 2 else y)
    if categories:
        panel.set_yticks(range(len(categories)), categories)
        panel.set_ylim(len(categories) - 0.5, -0.5)
    if axes.yaxis.type == "log":
        panel.set_yscale("log")
    if axes.xaxis.range and axes.xaxis.type != "log":
        panel.set_xlim(axes.xaxis.range)
    panel.set_xlabel(axes.xaxis.title.text or "")
    panel.set_ylabel(axes.yaxis.title.text or "")
    panel.grid(color=LINES, axis="x" if categories else "both")
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)


def label(trace) -> str | None:
    """Legend entry of a trace, None where it has none."""
    return trace.name if trace.name and trace.showlegend is not False else None


def draw_bars(panel, trace, y) -> None:
    """Horizontal bars with their intervals."""
    panel.barh(y, trace.x, height=0.7, color=trace.marker.color, label=label(trace))
    error = np.nan_to_num([trace.error_x.arrayminus, trace.error_x.array])
    shown = error.sum(0) > 0
    if shown.any():
        x, y = np.asarray(trace.x)[shown], np.asarray(y)[shown]
        panel.errorbar(x, y, xerr=error[:, shown], fmt="none", ecolor=INK, elinewidth=1.4, capsize=3)


def draw_line(panel, trace, y) -> None:
    """A line, markers, or both; with texts, names above the points."""
    mode = trace.mode or "lines"
    style = DASHES.get(trace.line.dash, "-") if "lines" in mode else "none"
    colour = (trace.line.color if "lines" in mode else trace.marker.color) or GREY
    marker = "o" if "markers" in mode else None
    style = {"linestyle": style, "linewidth": trace.line.width or 2}
    panel.plot(trace.x, y, marker=marker, color=colour, label=label(trace), **style)
    for point in zip(trace.text, trace.x, y, strict=True) if "text" in mode else ():
        panel.annotate(point[0], point[1:], (0, 6), textcoords="offset points", ha="center", fontsize=8, color=INK)
