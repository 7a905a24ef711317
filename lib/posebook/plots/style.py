"""One look for all figures: colours, plotly template, camera, and how frames are turned upright.

Colours are Okabe and Ito's, told apart without red-green vision. A subject's left is always blue, right always orange.
3D figures have x to the viewer's right, y up, z towards the viewer: the world frame as it is, the camera frame turned
by half a turn about x, which keeps left and right (flipping y alone would mirror people).
"""

import numpy as np
import plotly.graph_objects as go

from posebook.errors import PosebookError

BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, PINK, YELLOW, GREY = "#56B4E9", "#CC79A7", "#F0E442", "#595959"
COLOURS = (BLUE, VERMILION, GREEN, PINK, ORANGE, SKY, YELLOW, GREY)

# (left, right, middle) of the first, second, … skeleton of a figure; later ones recede
SIDES = ((BLUE, VERMILION, "#222222"), ("#8FC1E3", "#F2B183", "#A6A6A6"), (GREEN, PINK, "#7A6F5D"))
SKIN = "#C9B8A8"
DASHES = ("dash", "dot", "dashdot")  # of reference lines, in turn
INK, PAPER, LINES = "#222222", "#FFFFFF", "#DDDDDD"
EYE = (0.42, 0.22, 1.36)  # the fixed camera, in sides of the scene's cube from its centre
VIEWS = {"front": EYE, "side": (1.36, 0.22, 0.42)}  # the side view is for what a picture cannot show: depth
FIELD_OF_VIEW = 45.0  # degrees, plotly's perspective camera
IN_PICTURE = 0.97  # of the picture's half height: lines and markers have a width
FRAMES = ("world", "camera")


def template() -> go.layout.Template:
    """The plotly template of every figure."""
    axis = {"gridcolor": LINES, "linecolor": INK, "zeroline": False, "ticks": "outside"}
    layout = go.Layout(
        colorway=COLOURS,
        font={"family": "sans-serif", "size": 13, "color": INK},
        paper_bgcolor=PAPER,
        plot_bgcolor=PAPER,
        xaxis=axis,
        yaxis=axis,
        margin={"l": 10, "r": 10, "t": 70, "b": 10},
        title={"x": 0.01, "xanchor": "left", "y": 0.98, "yanchor": "top"},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0.0},
        uirevision="posebook",  # a constant: the reader's view survives updates
    )
    return go.layout.Template(layout=layout)


def upright(points: np.ndarray, frame: str) -> np.ndarray:
    """Turn points (..., 3) of the world or camera frame into the figure's frame: camera (x, y, z) -> (x, -y, -z)."""
    if frame not in FRAMES:
        raise PosebookError(f"Unknown frame {frame!r}: expected one of {', '.join(FRAMES)}.")
    points = np.asarray(points, dtype=np.float32)
    return points * np.float32([1, -1, -1]) if frame == "camera" else points


def cube(points: np.ndarray) -> np.ndarray:
    """Cube round all finite points (N, 3): (3, 2) ranges of equal length, so shapes keep their proportions."""
    points = np.asarray(points, dtype=float)
    points = points[np.isfinite(points).all(-1)]
    if not len(points):
        raise PosebookError("Expected at least one finite 3D point to draw, found none.")
    low, high = points.min(0), points.max(0)
    half = max((high - low).max() * 0.54, 1e-3)  # 4 % of air on each side
    middle = (low + high) / 2
    return np.stack((middle - half, middle + half), axis=-1)


def scene(points: np.ndarray, eye: tuple[float, float, float] = EYE) -> dict:
    """Plotly scene with the fixed camera round points (N, 3) of the figure's frame."""
    ranges = cube(points)
    axes = {
        f"{name}axis": {"range": [float(v) for v in span], "title": {"text": ""}, "showbackground": False,
                        "showticklabels": False, "gridcolor": LINES, "zeroline": False}
        for name, span in zip("xyz", ranges, strict=True)
    }  # fmt: skip
    view = {"eye": dict(zip("xyz", eye, strict=True)), "up": {"x": 0, "y": 1, "z": 0}}
    return {"aspectmode": "cube", "camera": view, "uirevision": "posebook", **axes}


def far_enough(points: np.ndarray, eye: tuple[float, float, float]) -> tuple[float, float, float]:
    """The eye, moved straight back until the points (N, 3) of the figure's frame are in a picture as wide as high.

    What is near the viewer looks larger, so a corner of the scene's cube may lie outside the picture.
    """
    points = np.asarray(points, dtype=float)
    ranges = cube(points)
    local = (points[np.isfinite(points).all(-1)] - ranges.mean(1)) / np.ptp(ranges, axis=1)
    distance = np.linalg.norm(eye)
    back = np.asarray(eye, dtype=float) / distance
    right = np.cross([0.0, 1.0, 0.0], back)
    right /= np.linalg.norm(right)
    aside = np.abs(local @ np.stack((right, np.cross(back, right)), -1)).max(1)
    needed = local @ back + aside / (IN_PICTURE * np.tan(np.radians(FIELD_OF_VIEW) / 2))
    return tuple(float(v) for v in back * max(distance, needed.max()))


def figure(traces: list, title: str = "", height: int = 420, **layout) -> go.Figure:
    """Figure in the house style."""
    return go.Figure(traces, go.Layout(template=template(), title={"text": title}, height=height, **layout))


def figure3d(traces: list, title: str = "", height: int = 460, eye: tuple[float, float, float] = EYE) -> go.Figure:
    """Figure of 3D traces in one scene whose cube and picture hold them all."""
    points = np.concatenate([np.stack([np.asarray(t[a], dtype=float) for a in "xyz"], -1) for t in traces])
    swatches = [swatch(t) for t in traces if t.legendgroup]
    return figure([*traces, *swatches], title, height, scene=scene(points, far_enough(points, eye)))


def swatch(trace: go.Scatter3d) -> go.Scatter3d:
    """Legend entry of a trace with many line colours, in the first of them; plotly would show such a trace in black."""
    nowhere, line = [None, None], {"color": trace.line.color[0], "width": trace.line.width}
    return go.Scatter3d(x=nowhere, y=nowhere, z=nowhere, mode="lines", line=line, name=trace.name,
                        legendgroup=trace.legendgroup, showlegend=True)  # fmt: skip
