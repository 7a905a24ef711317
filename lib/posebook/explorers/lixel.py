"""LixelExplorer: choose a vertex of a predicted mesh, and see the three lines its place was read from."""

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import torch
from matplotlib.figure import Figure

from posebook.errors import PosebookError
from posebook.explorers.base import WIDE, Explorer, host, live, move, slider
from posebook.explorers.parts import picture_figure, source
from posebook.models.i2l.lixel import Lixels, lixel_coordinates, lixel_spread
from posebook.models.i2l.representations import expected_index
from posebook.plots.images import draw_image, page_png
from posebook.plots.mesh import mesh_trace
from posebook.plots.style import BLUE, GREEN, GREY, INK, LINES, SKY, VERMILION, figure, scene, upright
from posebook.plots.twin import DASHES
from posebook.plots.twin3d import draw_scene

MARKS = {"soft-argmax": (VERMILION, "solid"), "argmax": (BLUE, "dash"), "true": (GREEN, "dot")}
IMPLIED, SUMMED = "x line times y line", "voxels, summed over depth"
DOTS = {"vertices": {"size": 3, "color": GREY, "opacity": 0.15}, "chosen": {"size": 8, "color": VERMILION}}
LISTED = 6  # vertices with a voxel twin that the figure names


class Plane(NamedTuple):
    """How likely each place on the picture plane is."""

    title: str
    chance: np.ndarray | None = None  # (H, W), sums to 1; None where there is no voxel twin
    found: np.ndarray | None = None  # (2,) soft-argmax x, y in bins


class LixelExplorer(Explorer):
    """From three lines of bins to one vertex: softmax, expectation, and what the lines cannot say.

    All places are in heat-map units (posebook.models.i2l.units): bin i of x and y is pixel i * S / bins of the crop.
    The mesh is drawn in these units too: its depth has another scale than its width and height.

    Attributes:
        picture: slider over N. vertex: 0 to V - 1, also set by a click on the mesh.
        temperature: logits, the voxels' too, are divided by it before the softmax.
        vertices: (V, 3) the predicted mesh at this temperature. truth: (3,) the vertex's true place.
        chances: (3, bins) of the vertex, after the softmax. coordinates, spread: (3,) their mean and standard
            deviation in bins. error: distance to the true place in bins.
        planes: the picture that the x and y lines imply, and that of the voxel twin where `volumes` are given.
        mesh, photo, lines, twin: FigureWidgets; `figure` is `lines`. caption: Label with the numbers.

    Args:
        images: (N, S, S, 3) uint8 crops, as the network saw them.
        lixels: logits of three lines per vertex, each (N, V, bins), tensors or arrays.
        true_mesh: (N, V, 3) heat-map units.
        faces: (F, 3) vertex indices.
        volumes: (N, K, D, H, W) logits of a voxel head for `volume_vertices` on the same crops; D, H, W may differ from
            `bins`.
        names: N captions of the pictures.
        volume_vertices: (K,) vertices that `volumes` are of; the first is shown at first.

    Raises:
        PosebookError: shapes that do not fit, vertices beyond V, volumes without their vertices or the reverse.
    """

    def __init__(self, images, lixels: Lixels, true_mesh, faces, volumes=None, names: Sequence[str] | None = None,
                 volume_vertices: Sequence[int] | None = None):  # fmt: skip
        self.images, self.lixels, self.true_mesh = check_mesh(images, lixels, true_mesh)
        (count, vertices, self.bins), self.faces = self.lixels.x.shape, check_faces(faces, self.true_mesh.shape[1])
        self.volumes, self.twins = check_volumes(volumes, volume_vertices, count, vertices)
        self.names = [f"picture {i}" for i in range(count)] if names is None else [str(name) for name in names]
        expect(len(self.names) == count, "names", f"{count}, one a picture", len(self.names))
        self.picture = widgets.IntSlider(0, 0, count - 1, description="picture", style=WIDE)
        start = next(iter(self.twins), 0)
        self.vertex = widgets.BoundedIntText(start, 0, vertices - 1, description="vertex", style=WIDE)
        self.temperature = slider("temperature", 0.25, 4, 1, step=0.05)
        self.caption = widgets.Label()
        self.photo, self.lines = live(photo_figure(self.images.shape[1])), live(lines_figure(self.bins))
        self.mesh, self.twin, self.figure = live(self._mesh()), live(self._twin()), self.lines
        for trace in self.mesh.data[:2]:
            trace.on_click(self.click)
        self.watch([self.picture, self.temperature], self.look)
        self.watch([self.vertex], self.update)
        bar = widgets.HBox([self.picture, self.vertex, self.temperature])
        rows = widgets.HBox([self.mesh, self.photo]), widgets.HBox([self.lines, self.twin])
        super().__init__([bar, self.caption, *rows])
        self.look()

    def _mesh(self) -> go.Figure:
        box = upright(np.array([[0, 0, 0], [self.bins] * 3]), "camera")
        marks = {name: go.Scatter3d(mode="markers", name=name, marker=marker) for name, marker in DOTS.items()}
        traces = [mesh_trace(self.true_mesh[0], self.faces, frame="camera", name="predicted"), *marks.values()]
        for trace in traces:  # plotly reports no clicks on a trace whose hover is skipped
            trace.update(hoverinfo=None, hovertemplate="vertex %{pointNumber}<extra></extra>")
        traces[2].update(hoverinfo="skip", hovertemplate=None)
        style = {"scene": scene(box), "margin": {"t": 40}, "showlegend": False, "width": 440}
        return figure(traces, "predicted mesh; click a vertex", 450, **style)

    def _twin(self) -> go.Figure:
        """One or two pictures in the same axes, each with its places."""
        sides = ("", "2") if self.twins else ("",)
        cell = max([1.0] + [self.bins / side for side in self.volumes.shape[3:]]) if self.twins else 1.0
        span, traces = [-cell / 2, self.bins - 0.5], []
        chart = figure([], "x and y together", 420, width=320 * len(sides) + 60, showlegend=False)
        for i, side in enumerate(sides):
            axes = {"xaxis": f"x{side}", "yaxis": f"y{side}"}
            traces += [go.Heatmap(colorscale="Cividis", showscale=False, **axes), *place_traces(**axes)]
            x = {"domain": [i * 0.53, i * 0.53 + 0.47] if self.twins else [0, 1], "range": span, "anchor": f"y{side}"}
            y = {"range": span[::-1], "scaleanchor": f"x{side}", "anchor": f"x{side}"}
            chart.update_layout({f"xaxis{side}": x, f"yaxis{side}": {**y, "constrain": "domain", "automargin": True}})
        return chart.add_traces(traces).update_xaxes(constrain="domain", automargin=True)

    def click(self, trace, points, state=None) -> None:
        """Choose the vertex that was clicked; plotly calls this for every trace of the figure."""
        if points.point_inds:
            self.vertex.value = int(points.point_inds[0])

    def look(self) -> None:
        """Another picture or temperature: read out all lines, draw the mesh."""
        self.sharpened = Lixels(*(axis[self.picture.value] / self.temperature.value for axis in self.lixels))
        self.vertices = lixel_coordinates(self.sharpened).numpy()
        self.photo.data[0].source = source(self.images[self.picture.value])
        with self.mesh.batch_update():
            for trace in self.mesh.data[:2]:
                move(trace, upright(self.vertices, "camera"))
        self.update()

    def update(self) -> None:
        """Another vertex: its lines, its places, its numbers."""
        vertex = self.vertex.value
        own = Lixels(*(axis[vertex] for axis in self.sharpened))
        self.chances = torch.stack(own).softmax(-1).numpy()
        self.coordinates, self.spread = lixel_coordinates(own).numpy(), lixel_spread(own).numpy()
        self.truth = self.true_mesh[self.picture.value, vertex]
        self.error = float(np.linalg.norm(self.coordinates - self.truth))
        self.planes = self._planes()
        move(self.mesh.data[2], upright(self.vertices[vertex : vertex + 1], "camera"))
        self._show_lines()
        self._show_places()
        x, y, z = (f"{a} {mean:.1f} ± {s:.1f}" for a, mean, s in zip("xyz", self.coordinates, self.spread, strict=True))
        self.caption.value = (f"{self.names[self.picture.value]}, vertex {vertex}: soft-argmax ± standard deviation "
                              f"{x}, {y}, {z} bins; {self.error:.1f} bins from the true place")  # fmt: skip

    def _planes(self) -> list[Plane]:
        planes = [Plane(IMPLIED, np.outer(self.chances[1], self.chances[0]), self.coordinates[:2])]
        if not self.twins:
            return planes
        if self.vertex.value not in self.twins:
            listed = [str(v) for v in self.twins][:LISTED] + ["…"] * (len(self.twins) > LISTED)
            return [*planes, Plane(f"no voxels here, but of {', '.join(listed)}")]
        volume = self.volumes[self.picture.value, self.twins[self.vertex.value]] / self.temperature.value
        chance = volume.flatten().softmax(0).view_as(volume).sum(0).numpy()
        cell = self.bins / np.array(chance.shape[::-1])  # bins of the lines per voxel, x first
        return [*planes, Plane(SUMMED, chance, expected_index(volume, 3)[:2].numpy() * cell)]

    def _show_lines(self) -> None:
        marks = np.stack((self.coordinates, self.chances.argmax(1), self.truth), axis=1)  # (axes, MARKS)
        with self.lines.batch_update():
            for i, chance in enumerate(self.chances):
                curve, *others = self.lines.data[4 * i : 4 * i + 4]
                curve.y = chance
                for trace, mark in zip(others, marks[i], strict=True):
                    trace.update(x=[mark, mark], y=[0, chance.max()])

    def _show_places(self) -> None:
        """True and predicted place on the photo, in pixels, and on the planes, in bins."""
        pixels = self.images.shape[1] / self.bins
        with self.photo.batch_update(), self.twin.batch_update():
            bars = {f"error_{a}": {"array": [s * pixels]} for a, s in zip("xy", self.spread, strict=False)}
            put(self.photo.data[1:], self.truth * pixels, self.coordinates * pixels, **bars)
            for i, plane in enumerate(self.planes):
                heat, *places = self.twin.data[3 * i : 3 * i + 3]
                self.twin.layout[f"xaxis{i + 1 if i else ''}"].title.text = plane.title
                for trace in (heat, *places):
                    trace.visible = plane.chance is not None
                if plane.chance is not None:
                    y, x = (np.arange(side) * self.bins / side for side in plane.chance.shape)
                    heat.update(x=x, y=y, z=plane.chance)
                    put(places, self.truth, plane.found)

    def png(self) -> bytes:
        """Photo and lines above, mesh and planes below."""
        page = Figure(figsize=(8.4, 6.4), dpi=100, layout="constrained")
        below = ["mesh", "plane0", "plane1" if self.twins else "."]
        panels = page.subplot_mosaic([["photo", a, a] for a in "xyz"] + [below], height_ratios=[1, 1, 1, 3.3])
        pixels = self.images.shape[1] / self.bins
        draw_image(panels["photo"], self.images[self.picture.value])
        draw_places(panels["photo"], self.truth * pixels, self.coordinates * pixels, self.spread * pixels)
        panels["photo"].set_axis_off()
        for i, axis in enumerate("xyz"):
            draw_line(panels[axis], self.lines.data[4 * i : 4 * i + 4], axis)
        panels["z"].set_xlabel("bin", fontsize=9)
        panels["x"].legend(ncols=3, frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1, 0.97))
        draw_scene(panels["mesh"], go.Figure([self.mesh.data[0], self.mesh.data[2]], self.mesh.layout))
        panels["mesh"].set(xlim=(-0.85, 0.85), ylim=(-0.85, 0.85))
        for i, plane in enumerate(self.planes):
            self._draw_plane(panels[f"plane{i}"], plane)
        titles = {"photo": "what the network sees", "mesh": f"vertex {self.vertex.value} on the predicted mesh"}
        for name, title in titles.items():
            panels[name].set_title(title, fontsize=9, color=INK)
        said = "\n".join(textwrap.fill(part, 110) for part in self.caption.value.rsplit("; ", 1))
        page.suptitle(said, fontsize=9, color=INK)
        return page_png(page)

    def _draw_plane(self, panel, plane: Plane) -> None:
        panel.set_title(plane.title, fontsize=9, color=INK)
        panel.tick_params(labelsize=8)
        span = self.twin.layout.xaxis.range
        if plane.chance is not None:
            x, y = (self.bins / side / 2 for side in plane.chance.shape[::-1])
            extent = (-x, self.bins - x, self.bins - y, -y)  # cell i is drawn round its index
            panel.imshow(plane.chance, extent=extent, cmap="cividis", interpolation="nearest")
            draw_places(panel, self.truth, plane.found)
        panel.set(xlim=span, ylim=span[::-1], aspect="equal")


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
