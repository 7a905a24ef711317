"""Rows with intervals: one point a row, its interval as a bar, reference lines across."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from posebook.errors import PosebookError
from posebook.plots.style import COLOURS, DASHES, GREY, INK, figure


def bars_figure(
    names: Sequence[str],
    values: Sequence[float],
    low: Sequence[float] | None = None,
    high: Sequence[float] | None = None,
    title: str = "",
    unit: str = "mm",
    lines: dict[str, float] | None = None,
    groups: Sequence[str] | None = None,
) -> go.Figure:
    """Bars from 0, first row on top, with intervals.

    Args:
        names: (R,) row labels. values: (R,) in `unit`.
        low, high: (R,) ends of the intervals; NaN where a row has none.
        lines: name -> value of dashed reference lines, e.g. {"mean pose": 276.0}.
        groups: (R,) group of each row; rows of one group share a colour and a legend entry.
    """
    names, values = [str(n) for n in names], np.asarray(values, dtype=float)
    low, high = (np.asarray(values if v is None else v, dtype=float) for v in (low, high))
    if not len(names) == len(values) == len(low) == len(high):
        raise PosebookError(f"Got {len(names)} names, {len(values)} values and intervals of {len(low)}, {len(high)}.")
    if (np.nan_to_num(low, nan=-np.inf) > values).any() or (np.nan_to_num(high, nan=np.inf) < values).any():
        raise PosebookError("Every value must lie inside its interval: pass the ends, not the widths, as low and high.")
    groups = [str(g) for g in groups] if groups is not None else [""] * len(names)
    traces = []
    for colour, group in enumerate(dict.fromkeys(groups)):
        rows = [i for i, g in enumerate(groups) if g == group]
        error = {"type": "data", "symmetric": False, "thickness": 1.5, "width": 4, "color": INK,
                 "array": high[rows] - values[rows], "arrayminus": values[rows] - low[rows]}  # fmt: skip
        traces.append(go.Bar(x=values[rows], y=[names[i] for i in rows], orientation="h", name=group, error_x=error,
                             marker={"color": COLOURS[colour % len(COLOURS)]}, showlegend=bool(group)))  # fmt: skip
    for i, (name, value) in enumerate((lines or {}).items()):
        traces.append(go.Scatter(x=[value, value], y=[names[0], names[-1]], mode="lines", name=name,
                                 line={"dash": DASHES[i % len(DASHES)], "color": GREY}))  # fmt: skip
    chart = figure(traces, title, height=110 + 34 * len(names), barmode="overlay")
    chart.update_yaxes(autorange="reversed", categoryorder="array", categoryarray=names, automargin=True, ticks="")
    return chart.update_xaxes(title={"text": unit}, rangemode="tozero", automargin=True)
