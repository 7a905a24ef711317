"""ClipExplorer: step through a clip, and compare what several methods make of it."""

import io
from collections.abc import Mapping, Sequence

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import torch
from matplotlib.figure import Figure
from PIL import Image

from posebook.errors import PosebookError
from posebook.explorers.base import UNDISTORTED, WIDE, Explorer, host, live, move
from posebook.joints import JointSet
from posebook.metrics import mpjpe, root_relative
from posebook.plots.images import draw_image, page_png
from posebook.plots.style import BLUE, COLOURS, GREY, INK, LINES, figure, figure3d, upright
from posebook.plots.twin3d import draw_scene

TRUE = "true"
SMALLEST = 300  # pixels of the shown picture's height
APART = 1.2  # metres between skeletons side by side


class ClipExplorer(Explorer):
    """The picture, the skeletons of the truth and of chosen methods, and each method's error over time.

    Attributes:
        frame: slider over T. play: button that moves it. rows: the methods shown, any number of them.
        apart: checkbox, skeletons side by side instead of over one another.
        errors: name -> (T,) MPJPE in mm, root at 0. caption: Label with the frame's errors.
        picture: Image widget. figure: FigureWidget, one trace a skeleton, the truth first.
        curves: FigureWidget, one line a method, and the frame's marker last.

    Args:
        images: (T, H, W, 3) uint8, or anything that indexes like it.
        rows: method -> (T, J, 3) metres, camera frame, any root.
        bones: pairs (parent, child) of joint numbers, or a JointSet, whose root is then taken.
        truth: (T, J, 3) metres, camera frame.
        fps: of the play button.
        root: joints whose mean is the root.

    Raises:
        PosebookError: shapes that do not fit, no methods, bones beyond the joints.
    """

    def __init__(self, images, rows: Mapping[str, object], bones: JointSet | Sequence[tuple[int, int]], truth,
                 fps: float = 30.0, root: Sequence[int] = (0,)):  # fmt: skip
        if isinstance(bones, JointSet):
            bones, root = bones.bones, bones.root
        tracks = {TRUE: truth, **rows}
        clips = {name: torch.from_numpy(host(joints)) for name, joints in tracks.items()}
        check_clip(images, clips, bones, len(rows))
        self.images, self.bones = images, np.asarray(bones)
        self.tracks = {name: root_relative(joints.double(), root) for name, joints in clips.items()}
        self.errors = {name: mpjpe(self.tracks[name], self.tracks[TRUE], "none").numpy() for name in rows}
        self.colours = dict(zip(rows, [c for c in COLOURS if c not in (GREY, BLUE)] * len(rows), strict=False))
        last = len(images) - 1
        self.frame = widgets.IntSlider(0, 0, last, description="frame", style=WIDE)
        self.play = widgets.Play(min=0, max=last, interval=round(1000 / fps), description="play")
        widgets.jslink((self.play, "value"), (self.frame, "value"))
        self.rows = widgets.SelectMultiple(options=list(rows), value=list(rows)[:2], rows=min(len(rows), 4),
                                           description="methods", style=WIDE)  # fmt: skip
        self.apart = widgets.Checkbox(False, description="side by side", indent=False)
        self.caption, self.picture = widgets.Label(), widgets.Image(format="png", layout=UNDISTORTED)
        self.figure, self.curves = live(self._space()), live(self._lines())
        self.watch([self.frame], self.update)
        self.watch([self.rows, self.apart], self.choose)
        bar = widgets.HBox([self.play, self.frame, self.rows, self.apart])
        super().__init__([bar, self.caption, widgets.HBox([self.picture, self.figure]), self.curves])
        self.choose()

    def _space(self) -> go.Figure:
        traces = [
            go.Scatter3d(x=[0], y=[0], z=[0], mode="lines+markers", name=name, hoverinfo="name",
                         line={"color": self.colours.get(name, GREY), "width": 4 + 3 * (name != TRUE)},
                         marker={"size": 3, "color": self.colours.get(name, GREY)})
            for name in self.tracks
        ]  # fmt: skip
        return figure3d(traces, height=400).update_layout(width=560, margin={"t": 40})

    def _lines(self) -> go.Figure:
        traces = [go.Scatter(y=errors, mode="lines", name=name, line={"color": self.colours[name], "width": 2})
                  for name, errors in self.errors.items()]  # fmt: skip
        top = max(errors.max() for errors in self.errors.values())
        traces.append(go.Scatter(x=[0, 0], y=[0, top], mode="lines", line={"color": INK, "dash": "dot", "width": 1.5},
                                 showlegend=False, hoverinfo="skip"))  # fmt: skip
        chart = figure(traces, height=240, margin={"t": 40})
        chart.update_xaxes(title={"text": "frame"}, automargin=True)
        return chart.update_yaxes(title={"text": "MPJPE, mm"}, rangemode="tozero", automargin=True)

    @property
    def shown(self) -> list[str]:
        """The truth and the chosen methods."""
        return [TRUE, *self.rows.value]

    def choose(self) -> None:
        """Other methods: what is drawn, and how much room they need over the whole clip."""
        shown = self.shown
        everything = np.concatenate([self.placed(name).reshape(-1, 3) for name in shown])
        space = figure3d([go.Scatter3d(x=everything[:, 0], y=everything[:, 1], z=everything[:, 2])]).layout.scene
        with self.figure.batch_update(), self.curves.batch_update():
            for trace in self.figure.data:
                trace.visible = trace.name in shown
            for trace in self.curves.data[:-1]:
                trace.visible = trace.name in shown
            for axis in "xyz":
                self.figure.layout.scene[f"{axis}axis"].range = space[f"{axis}axis"].range
        self.update()

    def placed(self, name: str, frames: slice | int = slice(None)) -> np.ndarray:
        """(…, J, 3) in the figure's frame, root at 0 or at the method's own place."""
        place = self.shown.index(name) * APART if self.apart.value else 0.0
        return upright(self.tracks[name][frames].numpy(), "camera") + np.float32([place, 0, 0])

    def update(self) -> None:
        """Another frame: picture, skeletons, marker, numbers."""
        t = self.frame.value
        self.picture.value = png(self.image(t))
        with self.figure.batch_update(), self.curves.batch_update():
            for trace in self.figure.data:
                if trace.name in self.shown:
                    move(trace, self.polyline(self.placed(trace.name, t)))
            self.curves.data[-1].x = [t, t]
        scores = ", ".join(f"{name} {self.errors[name][t]:.0f} mm" for name in self.rows.value)
        self.caption.value = f"frame {t}: MPJPE {scores}" if scores else f"frame {t}"

    def image(self, t: int) -> np.ndarray:
        """(H, W, 3) uint8 of frame t."""
        return host(self.images[t])

    def polyline(self, joints: np.ndarray) -> np.ndarray:
        """Joints (J, 3) as all bones in one line with breaks, (3 bones, 3)."""
        ends = joints[self.bones]  # (bones, 2, 3)
        return np.concatenate([ends, np.full_like(ends[:, :1], np.nan)], axis=1).reshape(-1, 3)

    def png(self) -> bytes:
        """Picture and skeletons above, errors below."""
        page = Figure(figsize=(8.0, 5.4), dpi=100, layout="constrained")
        panels = page.subplot_mosaic([["picture", "space"], ["curves", "curves"]], height_ratios=[2, 1],
                                     width_ratios=[1, 1.4])  # fmt: skip
        draw_image(panels["picture"], self.image(self.frame.value))
        panels["picture"].set_axis_off()
        draw_scene(panels["space"], self.figure)
        panels["space"].set(xlim=(-1.1, 1.1), ylim=(-0.8, 0.8))
        chart = panels["curves"]
        for name in self.rows.value:
            chart.plot(self.errors[name], color=self.colours[name], label=name, linewidth=1.8)
        chart.axvline(self.frame.value, color=INK, linestyle=":", linewidth=1.5)
        chart.set(xlabel="frame", ylabel="MPJPE, mm")
        chart.set_ylim(bottom=0)
        chart.grid(color=LINES)
        chart.spines[["top", "right"]].set_visible(False)
        handles, names = (entries[::-1] for entries in panels["space"].get_legend_handles_labels())
        panels["space"].legend(handles, names, fontsize=8, frameon=False, loc="upper left")
        page.suptitle(self.caption.value, fontsize=10, color=INK)
        return page_png(page)


def check_clip(images, clips: dict[str, torch.Tensor], bones, methods: int) -> None:
    """Refuse clips whose lengths, joints or bones do not fit."""
    shapes = {name: tuple(joints.shape) for name, joints in clips.items()}
    shape = shapes[TRUE]
    if methods < 1 or len(clips) != methods + 1:
        raise PosebookError(f"rows: expected at least one method, none of them called {TRUE!r}; got {list(clips)[1:]}.")
    if len(shape) != 3 or shape[2] != 3 or set(shapes.values()) != {shape} or len(images) != shape[0] or not shape[0]:
        raise PosebookError(
            f"Expected truth and rows (T, J, 3) of one shape and T images, got {shapes} and {len(images)} images."
        )
    bones = np.asarray(bones)
    if bones.ndim != 2 or bones.shape[1] != 2 or bones.min() < 0 or bones.max() >= shape[1]:
        raise PosebookError(f"bones: expected pairs of joints 0 to {shape[1] - 1}, got shape {bones.shape}.")


def png(pixels: np.ndarray) -> bytes:
    """PNG of a picture, small ones enlarged by whole pixels."""
    picture, data = Image.fromarray(pixels), io.BytesIO()
    times = max(1, -(-SMALLEST // picture.height))
    picture.resize((times * picture.width, times * picture.height), Image.Resampling.NEAREST).save(data, format="png")
    return data.getvalue()
