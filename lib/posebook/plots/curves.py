"""Curves: training and validation over images seen, with the line that a useless answer would reach."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from posebook.plots.style import COLOURS, DASHES, GREY, figure


def curves_figure(
    curves: dict[str, tuple[Sequence[float], Sequence[float]]],
    lines: dict[str, float] | None = None,
    title: str = "",
    x: str = "images seen",
    y: str = "loss",
    log: bool = False,
) -> go.Figure:
    """Draw named curves over one another.

    Args:
        curves: name -> (x values, y values).
        lines: name -> height of dashed reference lines, e.g. {"all-zero answer": 0.0021}: a loss at that height has
            learned nothing, whatever its digits look like.
        log: logarithmic y axis.
    """
    traces = [
        go.Scatter(x=np.asarray(xs, dtype=np.float32), y=np.asarray(ys, dtype=np.float32), mode="lines", name=name,
                   line={"color": COLOURS[i % len(COLOURS)], "width": 2})
        for i, (name, (xs, ys)) in enumerate(curves.items())
    ]  # fmt: skip
    ends = [float(v) for xs, _ in curves.values() for v in (np.min(xs), np.max(xs))]
    for i, (name, height) in enumerate((lines or {}).items()):
        traces.append(go.Scatter(x=[min(ends), max(ends)], y=[height, height], mode="lines", name=name,
                                 line={"color": GREY, "dash": DASHES[i % len(DASHES)], "width": 1.5}))  # fmt: skip
    chart = figure(traces, title, height=360)
    chart.update_xaxes(title={"text": x}, automargin=True)
    return chart.update_yaxes(title={"text": y}, type="log" if log else "linear", automargin=True)
