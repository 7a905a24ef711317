"""What OwnPictureExplorer draws: the picture with its box, people in space, a page for readers without a kernel."""

import base64
import io
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure
from PIL import Image

from posebook.methods import Method, Placed
from posebook.plots.images import DOTS, page_png
from posebook.plots.mesh import mesh_trace
from posebook.plots.projected import draw_projected_mesh
from posebook.plots.style import COLOURS, EYE, INK, PAPER, VIEWS, figure, scene, upright
from posebook.plots.twin3d import draw_scene

APART = 1.1  # metres between people side by side
PICTURE_HEIGHT = 420  # pixels of the shown picture
GRID = 24  # invisible points along the longer side, which a drawn box selects
COLUMN = 2.1  # inches of a method's column on the page
AIR = 0.25  # share of the box that the page shows round it


class Shown(NamedTuple):
    """One method's person in the picture shown."""

    method: Method
    placed: Placed
    colour: str


def colour_of(number: int) -> str:
    """Of a method, by its place in the list."""
    return COLOURS[number % len(COLOURS)]


def lines(points: np.ndarray, bones) -> np.ndarray:
    """Joints (J, 2 or 3) as all bones in one line with breaks, (3 bones, 2 or 3)."""
    ends = np.asarray(points)[np.asarray(bones)]
    return np.concatenate([ends, np.full_like(ends[:, :1], np.nan)], axis=1).reshape(-1, ends.shape[-1])


def picture_figure(picture: np.ndarray) -> go.Figure:
    """The picture as a chart in its own pixels; a box is drawn with the mouse over an invisible grid of points."""
    height, width = picture.shape[:2]
    step = max(height, width) / GRID
    x, y = (a.ravel() for a in np.meshgrid(np.arange(0, width, step) + step / 2, np.arange(0, height, step) + step / 2))
    grid = go.Scatter(x=x, y=y, mode="markers", opacity=0, hoverinfo="skip", showlegend=False, name="grid")
    chart = figure([grid], height=PICTURE_HEIGHT, width=round(PICTURE_HEIGHT * width / height) + 20,
                   dragmode="select", margin={"l": 10, "r": 10, "t": 30, "b": 10}, showlegend=False)  # fmt: skip
    chart.add_layout_image(source=data_url(picture), x=0, y=0, sizex=width, sizey=height, xref="x", yref="y",
                           layer="below", sizing="stretch")  # fmt: skip
    chart.update_xaxes(range=[0, width], visible=False)
    return chart.update_yaxes(range=[height, 0], visible=False, scaleanchor="x")


def data_url(picture: np.ndarray) -> str:
    """(H, W, 3) uint8 as the source of a layout image."""
    data = io.BytesIO()
    Image.fromarray(picture).save(data, format="png")
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


def overlay_trace(shown: Shown) -> go.Scatter:
    """A method's vertices as dots, or its bones, over the picture."""
    if shown.placed.vertices_pixels is not None:
        points, mode = shown.placed.vertices_pixels.numpy(), "markers"
    else:
        points, mode = lines(shown.placed.joints_pixels.numpy(), shown.method.bones), "lines"
    return go.Scatter(x=points[:, 0], y=points[:, 1], mode=mode, name=shown.method.name, hoverinfo="name", opacity=0.6,
                      marker={"size": 2, "color": shown.colour}, line={"color": shown.colour, "width": 3})  # fmt: skip


def box_shape(box) -> dict:
    """Plotly shape of a box x, y, width, height."""
    x, y, width, height = box
    return {"type": "rect", "x0": x, "y0": y, "x1": x + width, "y1": y + height, "line": {"color": DOTS, "width": 2}}


def space_traces(people: list[Shown], apart: bool) -> list:
    """People in 3D: each with its root at its place in a row, or where each method says that it stands."""
    traces = []
    for i, shown in enumerate(people):
        joints, move = shown.placed.joints.numpy(), np.zeros(3, np.float32)
        if apart:
            move = np.float32([i * APART, 0, 0]) - joints[0]
        if shown.placed.vertices is not None and shown.method.faces is not None:
            trace = mesh_trace(shown.placed.vertices.numpy() + move, shown.method.faces, frame="camera",
                               name=shown.method.name)  # fmt: skip
            trace.update(color=shown.colour, hoverinfo="name", showlegend=True)
        else:
            points = upright(lines(joints + move, shown.method.bones), "camera")
            trace = go.Scatter3d(x=points[:, 0], y=points[:, 1], z=points[:, 2], mode="lines", name=shown.method.name,
                                 line={"color": shown.colour, "width": 7})  # fmt: skip
        traces.append(trace)
    return traces


def points_of(traces: list) -> np.ndarray:
    """All points (N, 3) of traces."""
    return np.concatenate([np.stack([np.asarray(t[a], dtype=float) for a in "xyz"], -1) for t in traces])


def extent(shown: Shown) -> float:
    """Longest side, metres, of what is drawn of a person."""
    points = points_of(space_traces([shown], apart=True))
    return float((np.nanmax(points, 0) - np.nanmin(points, 0)).max())


def space_figure(traces: list, eye=EYE) -> go.Figure:
    """People in one scene; empty without traces."""
    points = points_of(traces) if traces else np.zeros((2, 3)) + [[-1], [1]]
    return figure(traces, height=PICTURE_HEIGHT, width=640, scene=scene(points, eye), margin={"t": 30})


def page(picture: np.ndarray, box, people: list[Shown], caption: str) -> bytes:
    """PNG: the picture with its box, then a column a method: over the picture, in space from the front and the side."""
    columns = 1 + len(people)
    sheet = Figure(figsize=(COLUMN * max(columns, 2), 6.0 if people else 2.6), dpi=100, layout="constrained")
    panels = sheet.subplots(3 if people else 1, columns, squeeze=False)
    for panel in panels.ravel():
        panel.set_axis_off()
    draw_picture(panels[0, 0], picture)
    x, y, width, height = box
    panels[0, 0].plot([x, x + width, x + width, x, x], [y, y, y + height, y + height, y], color=DOTS, linewidth=1.5)
    panels[0, 0].set_title("picture and box", fontsize=8, color=INK)
    half = max((extent(p) for p in people), default=1.0) * 0.54
    for i, shown in enumerate(people):
        draw_column(panels[:, i + 1], picture, box, shown, half)
    sheet.suptitle(caption, fontsize=8, color=INK)
    return page_png(sheet)


def overlay_strip(pictures, boxes, people: list[list[Shown]], frames: list[int]) -> bytes:
    """PNG: a row a method, a column a frame, each person over the picture.

    Args:
        pictures: (T,) pictures. boxes: (T, 4). people: for each of `frames` the methods' people. frames: rows shown.
    """
    count = max(len(people[0]), 1)
    sheet = Figure(figsize=(COLUMN * 0.75 * len(frames), COLUMN * 0.85 * count), dpi=100, layout="constrained")
    panels = sheet.subplots(count, len(frames), squeeze=False)
    for j, frame in enumerate(frames):
        for panel, shown in zip(panels[:, j], people[j], strict=False):
            draw_over(panel, pictures[frame], boxes[frame], shown)
            panel.set_title(f"{shown.method.name}, {frame}", fontsize=7)
    for panel in panels.ravel():
        panel.set_axis_off()
    return page_png(sheet)


def draw_picture(panel, picture: np.ndarray) -> None:
    """The picture in its continuous pixels."""
    height, width = picture.shape[:2]
    panel.imshow(picture, extent=(0, width, height, 0), interpolation="nearest")


def draw_column(panels, picture: np.ndarray, box, shown: Shown, half: float) -> None:
    """One method over the picture, from the front and from the side, in a cube of side 2 half metres."""
    draw_over(panels[0], picture, box, shown)
    panels[0].set_title(shown.method.name, fontsize=8)
    traces = space_traces([shown], apart=True)
    points = points_of(traces)
    middle = (np.nanmin(points, 0) + np.nanmax(points, 0)) / 2
    for panel, view in zip(panels[1:], ("front", "side"), strict=True):
        ranges = scene(middle + half / 1.08 * np.array([[-1], [1]]), VIEWS[view])
        draw_scene(panel, figure(traces, scene=ranges))
        panel.set(xlim=(-1, 1), ylim=(-1, 1))
        panel.set_title(f"from the {view}", fontsize=7, color=INK)


def draw_over(over, picture: np.ndarray, box, shown: Shown) -> None:
    """One method's person over the part of the picture round the box."""
    placed, method = shown.placed, shown.method
    draw_picture(over, picture)
    if placed.vertices is not None and method.faces is not None:
        draw_projected_mesh(over, placed.vertices_pixels, placed.vertices, method.faces, shown.colour)
    else:
        points = lines(placed.joints_pixels.numpy(), method.bones)
        over.plot(*points.T, color=PAPER, linewidth=3.4)
        over.plot(*points.T, color=shown.colour, linewidth=2)
    x, y, width, height = box
    side = max(width, height) * (0.5 + AIR)
    middle = x + width / 2, y + height / 2
    over.set(xlim=(middle[0] - side, middle[0] + side), ylim=(middle[1] + side, middle[1] - side))
