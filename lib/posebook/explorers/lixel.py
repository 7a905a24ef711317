"""LixelExplorer: choose a vertex of a predicted mesh, and see the three lines its place was read from."""

import textwrap
from collections.abc import Sequence

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import torch
from matplotlib.figure import Figure

from posebook.explorers.base import WIDE, Explorer, live, move, slider
from posebook.explorers.lixel_figures import (
    Plane,
    check_faces,
    check_mesh,
    check_volumes,
    draw_line,
    draw_places,
    expect,
    lines_figure,
    photo_figure,
    place_traces,
    put,
)
from posebook.explorers.parts import source
from posebook.models.i2l.lixel import Lixels, lixel_coordinates, lixel_spread
from posebook.models.i2l.representations import expected_index
from posebook.plots.images import draw_image, page_png
from posebook.plots.mesh import mesh_trace
from posebook.plots.style import GREY, INK, VERMILION, figure, scene, upright
from posebook.plots.twin3d import draw_scene

BINS = 64  # of the official network, whose bin i is at i / 64 of the box
IMPLIED, SUMMED = "x line times y line", "voxels, summed over depth"
DOTS = {"vertices": {"size": 3, "color": GREY, "opacity": 0.15}, "chosen": {"size": 8, "color": VERMILION}}
LISTED = 6  # vertices with a voxel twin that the figure names


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
        centred: bin i of b is read at (i + 1/2) 64 / b - 1/2 of 64, as `posebook.experiments.i2l.answer` does, instead
            of the official i 64 / b.

    Raises:
        PosebookError: shapes that do not fit, vertices beyond V, volumes without their vertices or the reverse.
    """

    def __init__(self, images, lixels: Lixels, true_mesh, faces, volumes=None, names: Sequence[str] | None = None,
                 volume_vertices: Sequence[int] | None = None, centred: bool = False):  # fmt: skip
        self.centred = centred
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

    def cells(self, index, side: int):
        """Where cell `index` of `side` lies, in bins of the lines."""
        cell = self.bins / side
        return (index + 0.5) * cell - 0.5 if self.centred else index * cell

    def pixels(self, bins: np.ndarray) -> np.ndarray:
        """Bins of the lines -> pixels of the crop."""
        offset = 0.5 - 0.5 * self.bins / BINS if self.centred else 0.0
        return (bins + offset) * self.images.shape[1] / self.bins

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
        span, traces = [-0.5 if self.centred else -cell / 2, self.bins - 0.5], []
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
        found = expected_index(volume, 3)[:2].tolist()  # x, y
        found = [self.cells(index, side) for index, side in zip(found, chance.shape[::-1], strict=True)]
        return [*planes, Plane(SUMMED, chance, np.array(found))]

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
        truth, found = self.pixels(self.truth), self.pixels(self.coordinates)
        pixels = self.images.shape[1] / self.bins
        with self.photo.batch_update(), self.twin.batch_update():
            bars = {f"error_{a}": {"array": [s * pixels]} for a, s in zip("xy", self.spread, strict=False)}
            put(self.photo.data[1:], truth, found, **bars)
            for i, plane in enumerate(self.planes):
                heat, *places = self.twin.data[3 * i : 3 * i + 3]
                self.twin.layout[f"xaxis{i + 1 if i else ''}"].title.text = plane.title
                for trace in (heat, *places):
                    trace.visible = plane.chance is not None
                if plane.chance is not None:
                    y, x = (self.cells(np.arange(side), side) for side in plane.chance.shape)
                    heat.update(x=x, y=y, z=plane.chance)
                    put(places, self.truth, plane.found)

    def png(self) -> bytes:
        """Photo and lines above, mesh and planes below."""
        page = Figure(figsize=(8.4, 6.4), dpi=100, layout="constrained")
        below = ["mesh", "plane0", "plane1" if self.twins else "."]
        panels = page.subplot_mosaic([["photo", a, a] for a in "xyz"] + [below], height_ratios=[1, 1, 1, 3.3])
        pixels = self.images.shape[1] / self.bins
        draw_image(panels["photo"], self.images[self.picture.value])
        draw_places(panels["photo"], self.pixels(self.truth), self.pixels(self.coordinates), self.spread * pixels)
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
            x, y = (0.5 if self.centred else self.bins / side / 2 for side in plane.chance.shape[::-1])
            extent = (-x, self.bins - x, self.bins - y, -y)  # cell i is drawn round its index
            panel.imshow(plane.chance, extent=extent, cmap="cividis", interpolation="nearest")
            draw_places(panel, self.truth, plane.found)
        panel.set(xlim=span, ylim=span[::-1], aspect="equal")
