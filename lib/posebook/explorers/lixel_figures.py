"""What LixelExplorer draws and refuses: empty figures of photo and lines, marks, and checks of what is passed in."""

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
import torch

from posebook.errors import PosebookError
from posebook.explorers.base import host
from posebook.explorers.parts import picture_figure
from posebook.models.i2l.lixel import Lixels
from posebook.plots.style import BLUE, GREEN, LINES, SKY, VERMILION, figure
from posebook.plots.twin import DASHES

MARKS = {"soft-argmax": (VERMILION, "solid"), "argmax": (BLUE, "dash"), "true": (GREEN, "dot")}


class Plane(NamedTuple):
    """How likely each place on the picture plane is."""

    title: str
    chance: np.ndarray | None = None  # (H, W), sums to 1; None where there is no voxel twin
    found: np.ndarray | None = None  # (2,) soft-argmax x, y in bins


def expect(fits: bool, what: str, expected: str, found) -> None:
    """Refuse what does not fit."""
    if not fits:
        raise PosebookError(f"{what}: expected {expected}, got {found}. Pass the same pictures and vertices.")


def single(values) -> torch.Tensor:
    """Float32 tensor on the CPU, without gradient, of a tensor or array."""
    return torch.as_tensor(values).detach().cpu().float()


def check_mesh(images, lixels, true_mesh) -> tuple[np.ndarray, Lixels, np.ndarray]:
    """Pictures (N, S, S, 3), lines (N, V, bins) and true mesh (N, V, 3) of the same N and V."""
    expect(len(lixels) == 3, "lixels", "three lines: x, y, z", len(lixels))
    images, lixels, true_mesh = host(images), Lixels(*map(single, lixels)), host(true_mesh).astype(np.float32)
    shape, shapes = images.shape, [tuple(axis.shape) for axis in lixels]
    square = len(shape) == 4 and len(images) > 0 and shape[1] == shape[2] and shape[3] == 3
    expect(square and images.dtype == np.uint8, "images", "square crops (N, S, S, 3) uint8, N at least 1",
           f"{shape} {images.dtype}")  # fmt: skip
    same = len(shapes[0]) == 3 and shapes[0] == shapes[1] == shapes[2] and 0 not in shapes[0]
    expect(same and shapes[0][0] == len(images), "lixels", f"three times ({len(images)}, V, bins)", shapes)
    expected = (*shapes[0][:2], 3)
    expect(true_mesh.shape == expected, "true_mesh", f"{expected}, heat-map units", true_mesh.shape)
    return images, lixels, true_mesh


def check_faces(faces, vertices: int) -> np.ndarray:
    """(F, 3) indices below V."""
    faces = host(faces)
    fits = faces.ndim == 2 and faces.shape[1] == 3 and faces.size and 0 <= faces.min() and faces.max() < vertices
    expect(fits, "faces", f"(F, 3) indices 0 to {vertices - 1}", f"{faces.shape}, at most {faces.max(initial=-1)}")
    return faces


def check_volumes(volumes, ids, count: int, vertices: int) -> tuple[torch.Tensor | None, dict[int, int]]:
    """Volumes (N, K, D, H, W), and vertex -> its place among the K; None and {} if none are given."""
    if volumes is None and ids is None:
        return None, {}
    if volumes is None or ids is None:
        missing = "volumes" if volumes is None else "volume_vertices"
        raise PosebookError(f"Expected volumes and volume_vertices together, got no {missing}. Pass both or neither.")
    volumes, ids = single(volumes), host(ids)
    fits = ids.ndim == 1 and ids.size and np.issubdtype(ids.dtype, np.integer)
    expect(fits and 0 <= ids.min() and ids.max() < vertices, "volume_vertices",
           f"(K,) vertex indices 0 to {vertices - 1}", ids.tolist())  # fmt: skip
    shape = tuple(volumes.shape)
    expect(len(shape) == 5 and shape[:2] == (count, len(ids)) and 0 not in shape, "volumes",
           f"({count}, {len(ids)}, D, H, W), one for each of volume_vertices", shape)  # fmt: skip
    return volumes, {int(vertex): k for k, vertex in enumerate(ids)}


def place_traces(**axes) -> list[go.Scatter]:
    """Empty traces of the true place, a ring, and of the predicted one, a cross."""
    ring = {"symbol": "circle-open", "size": 12, "color": GREEN, "line": {"width": 3}}
    cross = {"symbol": "x", "size": 9, "color": VERMILION, "line": {"width": 1, "color": "white"}}
    bar = {"color": VERMILION, "thickness": 2, "width": 4}
    return [
        go.Scatter(mode="markers", name="true", marker=ring, **axes),
        go.Scatter(mode="markers", name="predicted ± 1 SD", marker=cross, error_x=bar, error_y=bar, **axes),
    ]


def put(traces, truth, found, **bars) -> None:
    """Put the true and the predicted place into their two traces."""
    for trace, place in zip(traces, (truth, found), strict=True):
        trace.update(x=[place[0]], y=[place[1]])
    traces[1].update(**bars)


def photo_figure(size: int) -> go.Figure:
    """Empty figure of one crop with two places on it."""
    chart = picture_figure(size).add_traces(place_traces())
    return chart.update_layout(height=450, margin={"t": 70})


def lines_figure(bins: int) -> go.Figure:
    """Three empty lines of bins under one another, each with its MARKS."""
    traces, layout = [], {}
    for i, axis in enumerate("xyz"):
        place = {"mode": "lines", "yaxis": f"y{i + 1}"}
        traces.append(go.Scatter(x=np.arange(bins), fill="tozeroy", line={"color": SKY}, showlegend=False, **place))
        for name, (colour, dash) in MARKS.items():
            line = {"color": colour, "dash": dash}
            traces.append(go.Scatter(name=name, legendgroup=name, showlegend=i == 0, line=line, **place))
        domain = [1 - 0.35 * i - 0.3, 1 - 0.35 * i]
        layout[f"yaxis{i + 1}"] = {"domain": domain, "title": {"text": axis}, "automargin": True, "rangemode": "tozero"}
    chart = figure(traces, "chance of each bin", 420, width=460, xaxis={"anchor": "y3", "automargin": True}, **layout)
    return chart.update_xaxes(title={"text": "bin"})


def draw_line(panel, traces, axis: str) -> None:
    """One line of bins and its marks."""
    curve, *marks = traces
    panel.fill_between(curve.x, curve.y, color=SKY, alpha=0.5, linewidth=0)
    panel.plot(curve.x, curve.y, color=SKY, linewidth=1.5)
    for mark in marks:
        style = {"color": mark.line.color, "linestyle": DASHES[mark.line.dash], "linewidth": 2}
        panel.plot(mark.x, mark.y, label=mark.name, **style)
    panel.set_ylabel(axis, fontsize=10, rotation=0, labelpad=8)
    panel.set_ylim(bottom=0)
    panel.tick_params(labelsize=8, labelbottom=axis == "z")
    panel.grid(color=LINES)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)


def draw_places(panel, truth, found, spread=None) -> None:
    """Ring and cross, with bars of one standard deviation where it is given."""
    panel.plot(*truth[:2], "o", markersize=9, markerfacecolor="none", markeredgecolor=GREEN, markeredgewidth=2.2)
    bars = {} if spread is None else {"xerr": spread[:1], "yerr": spread[1:2]}
    panel.errorbar(*found[:2], **bars, marker="X", markersize=8, color=VERMILION, elinewidth=1.8, capsize=3,
                   markeredgecolor="white", markeredgewidth=0.7)  # fmt: skip
