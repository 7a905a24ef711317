"""Heat-map volumes: slices as an image grid, and in 3D as an isosurface or a cloud of cells."""

import numpy as np
import plotly.graph_objects as go

from posebook.errors import PosebookError
from posebook.plots.images import image_grid
from posebook.plots.style import PAPER, VERMILION, figure3d

KINDS = ("surface", "points")
VOLUME_SCALE = [[0, "#CFE3F1"], [0.5, "#56B4E9"], [1, "#003B5C"]]


def check_volume(volume: np.ndarray) -> np.ndarray:
    """(D, H, W) float32 of one joint."""
    volume = np.asarray(volume, dtype=np.float32)
    if volume.ndim != 3:
        raise PosebookError(f"Expected the volume (D, H, W) of one joint, got shape {volume.shape}; index it first.")
    return volume


def slice_picks(volume: np.ndarray, count: int) -> list[int]:
    """`count` depth bins: evenly spread, the one nearest to the peak's replaced by the peak's own."""
    depth = len(volume)
    picks = np.unique(np.linspace(0, depth - 1, min(count, depth)).round().astype(int))
    peak = int(np.argmax(volume.max((1, 2))))
    picks[np.abs(picks - peak).argmin()] = peak
    return [int(p) for p in picks]


def volume_slices(volume: np.ndarray, count: int = 8, columns: int | None = None) -> bytes:
    """PNG of depth slices of one joint's volume, nearest first, all in one colour scale; the peak's bin is among them.

    Args:
        volume: (D, H, W).
        count: slices shown.
    """
    volume = check_volume(volume)
    picks = slice_picks(volume, count)
    low, high = float(volume.min()), float(volume.max())
    scaled = (volume[picks] - low) / max(high - low, 1e-12)
    peak = int(np.argmax(volume.max((1, 2))))
    titles = [f"bin {p}" + (" (peak)" if p == peak else "") for p in picks]
    return image_grid(list(scaled), titles=titles, columns=columns or len(picks))


def volume_figure(
    volume: np.ndarray, level: float = 0.4, kind: str = "surface", peak: np.ndarray | None = None, title: str = ""
) -> go.Figure:
    """One joint's volume in 3D: x right, image y down, near bins towards the viewer.

    Args:
        volume: (D, H, W).
        level: share between the volume's minimum (0) and maximum (1) where the surface lies, or points begin.
        kind: "surface" (isosurface) or "points" (one marker per cell above the level).
        peak: (3,) continuous cells x, y, z of a decoded joint, drawn as a cross.
    """
    trace = volume_trace(volume, level, kind)
    traces = [trace] if peak is None else [trace, peak_trace(peak)]
    chart = figure3d(traces, title, eye=(0.85, 0.55, 1.55))
    size = max(np.shape(volume))
    depth, height, width = np.shape(volume)
    box = {"x": width, "y": -height, "z": -depth}
    for axis, extent in box.items():  # the whole grid in view, whatever is above the level
        chart.layout.scene[f"{axis}axis"].range = [extent / 2 - size / 2, extent / 2 + size / 2]
    chart.update_scenes({f"{a}axis": {"showticklabels": False, "title": {"text": t}} for a, t in
                         zip("xyz", ("x", "y (down)", "depth bin"), strict=True)})  # fmt: skip
    return chart


def volume_trace(volume: np.ndarray, level: float = 0.4, kind: str = "surface") -> go.Isosurface | go.Scatter3d:
    """Trace behind `volume_figure`; cell centres at index + 0.5, y and depth negated to stand upright."""
    volume = check_volume(volume)
    if kind not in KINDS:
        raise PosebookError(f"Unknown kind {kind!r}: expected one of {', '.join(KINDS)}.")
    low, high = float(volume.min()), float(volume.max())
    share = ((volume - low) / max(high - low, 1e-12)).ravel()
    z, y, x = np.float32([[-1], [-1], [1]]) * (np.indices(volume.shape, np.float32).reshape(3, -1) + np.float32(0.5))
    if kind == "points":
        keep = share >= level
        marker = {"size": 3 + 6 * share[keep], "color": share[keep], "cmin": 0, "cmax": 1, "colorscale": VOLUME_SCALE,
                  "opacity": 0.5}  # fmt: skip
        cells = {"x": x[keep], "y": y[keep], "z": z[keep]}
        return go.Scatter3d(**cells, mode="markers", marker=marker, hoverinfo="skip", showlegend=False)
    return go.Isosurface(
        x=x, y=y, z=z, value=(255 * share).astype(np.uint8), isomin=255 * level, isomax=255.0, surface={"count": 3},
        opacity=0.45, colorscale=VOLUME_SCALE, cmin=0, cmax=255, showscale=False, hoverinfo="skip",
        caps={"x_show": False, "y_show": False, "z_show": False},
    )  # fmt: skip


def peak_trace(peak: np.ndarray, name: str = "decoded") -> go.Scatter3d:
    """A decoded point (3,) in continuous cells x, y, z."""
    x, y, z = (np.float32([v]) for v in (peak[0], -peak[1], -peak[2]))
    marker = {"size": 7, "symbol": "cross", "color": VERMILION, "line": {"color": PAPER, "width": 1}}
    return go.Scatter3d(x=x, y=y, z=z, mode="markers", marker=marker, name=name, showlegend=True)
