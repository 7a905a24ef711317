"""Accuracy against cost: which methods no other one beats in both."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from posebook.errors import PosebookError
from posebook.leaderboard.methods import FLOOR, PAPER, RIVAL
from posebook.plots.scatter import readable
from posebook.plots.style import BLUE, GREY, ORANGE, figure

SIDE = 0.22  # of the spread, left and right: room for names
ROLE_COLOURS = {PAPER: BLUE, RIVAL: ORANGE, FLOOR: GREY}

COST_TITLES = {
    "flops": ("GFLOP per image", 1e9),
    "parameters": ("million parameters", 1e6),
    "ms_per_image": ("ms per image", 1),
    "train_minutes": ("training minutes", 1),
}


def pareto_front(cost: Sequence[float], error: Sequence[float]) -> np.ndarray:
    """Which points no other point equals or beats in both numbers while it beats it in one.

    Args:
        cost, error: (N,) smaller is better; points with a NaN are never on the front.

    Returns:
        (N,) bool.
    """
    cost, error = np.asarray(cost, float), np.asarray(error, float)
    if cost.shape != error.shape or cost.ndim != 1:
        raise PosebookError(f"cost and error must be (N,) alike, got {cost.shape} and {error.shape}.")
    no_worse = (cost[:, None] <= cost) & (error[:, None] <= error)  # (N, N): row i is no worse than column j
    better = (cost[:, None] < cost) | (error[:, None] < error)
    return ~(no_worse & better).any(0) & ~np.isnan(cost) & ~np.isnan(error)


def pareto_figure(board: pd.DataFrame, cost: str = "flops", metric: str = "mpjpe", title: str = "") -> go.Figure:
    """Methods by cost and error, the front as a stepped line across the chart: below and left of it there is nothing.

    Args:
        board: of `standings`; rows without the cost or the metric are left out.
        cost: one of COST_TITLES. metric: a column of the board.

    Raises:
        PosebookError: no row has both.
    """
    name, unit = COST_TITLES[cost]
    known = board.dropna(subset=[cost, metric]).sort_values([cost, metric], kind="stable")
    if known.empty:
        raise PosebookError(f"No method of this table has both {cost} and {metric}.")
    on_front = pareto_front(known[cost], known[metric])
    points = {line["label"]: (line[cost] / unit, line[metric]) for _, line in known.iterrows()}
    front = [label for label, kept in zip(points, on_front, strict=True) if kept]
    error = metric.replace("_", "-").upper()
    chart = figure(role_traces(points, known["role"], front), title or f"{error} against {name}", height=460)
    spread = float(np.ptp([x for x, _ in points.values()])) or max(x for x, _ in points.values())
    ends = [min(points.values())[0] - SIDE * spread, max(points.values())[0] + SIDE * spread]
    on_it = [points[label] for label in front]
    steps = staircase([(on_it[0][0], known[metric].max()), *on_it, (ends[1], on_it[-1][1])])
    chart.add_trace(go.Scatter(x=steps[:, 0], y=steps[:, 1], mode="lines", name="Pareto front",
                               line={"color": GREY, "dash": "dash", "width": 1.5}))  # fmt: skip
    chart.update_xaxes(title={"text": name}, range=ends, automargin=True)
    return chart.update_yaxes(title={"text": f"{error}, mm"}, automargin=True)


def role_traces(points: dict[str, tuple[float, float]], roles: pd.Series, first: Sequence[str]) -> list[go.Scatter]:
    """Points with their names, one colour per role; names on the front are written before others that they cover."""
    written = readable({name: points[name] for name in (*first, *points)})
    traces = []
    for role, colour in ROLE_COLOURS.items():
        names = [name for name, own in zip(points, roles, strict=True) if own == role]
        if names:
            x, y = zip(*(points[n] for n in names), strict=True)
            texts = [n if n in written else "" for n in names]
            traces.append(go.Scatter(x=x, y=y, name=role, text=texts, hovertext=names, mode="markers+text",
                                     textposition="top center", marker={"color": colour, "size": 10}))  # fmt: skip
    return traces


def staircase(points: Sequence[tuple[float, float]]) -> np.ndarray:
    """Corners (2N - 1, 2) of a front sorted by cost: the error holds until the next point is paid for."""
    corners = [points[0]]
    for before, after in zip(points, points[1:], strict=False):
        corners += [(after[0], before[1]), after]
    return np.array(corners)
