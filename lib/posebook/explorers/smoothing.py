"""SmoothingExplorer: what a filter over time takes from the jitter, and what from the motion."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import torch
from matplotlib.figure import Figure

from posebook.errors import PosebookError
from posebook.explorers.base import Explorer, dropdown, host, live, slider
from posebook.metrics import accel, accel_error, mpjpe, root_relative
from posebook.metrics.spectrum import acceleration_spectrum
from posebook.plots.images import page_png
from posebook.plots.style import BLUE, GREY, INK, VERMILION, figure
from posebook.plots.twin import draw_chart
from posebook.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from posebook.smoothing import official_one_euro_axis_angle, smooth

OFFICIAL = "VIBE demo"  # One-Euro on axis-angle numbers, time in frames
AXES = {"x (right)": 0, "y (down)": 1, "z (depth)": 2}
VIEWS = ("position", "acceleration spectrum")
LINES = {"raw": (GREY, 1.2), "smoothed": (VERMILION, 2.4), "true": (BLUE, 2.0)}


class Dial(NamedTuple):
    """A filter's own parameter at both ends of the strength slider; in between on a logarithmic scale."""

    parameter: str
    unit: str
    weak: float
    strong: float

    def at(self, strength: float) -> float:
        """Value at a strength of 0 to 1."""
        return self.weak * (self.strong / self.weak) ** strength


DIALS = {
    "gaussian": Dial("sigma", " s", 0.01, 0.5),
    "one_euro": Dial("min_cutoff", " Hz", 8.0, 0.05),
    "savitzky_golay": Dial("window", " s", 0.1, 1.5),
    "slerp": Dial("ratio", "", 1.0, 0.03),
    OFFICIAL: Dial("min_cutoff", " cycles/frame", 0.4, 0.0004),
}


class Scores(NamedTuple):
    """Of a track against the truth; accelerations are NaN for fewer than 3 frames."""

    mpjpe: float  # mm
    accel: float  # mm/frame^2
    accel_error: float  # mm/frame^2


class SmoothingExplorer(Explorer):
    """Choose a filter and how strongly it smooths a predicted clip's rotations; joints are posed anew each time.

    Attributes:
        filter: one of DIALS. strength: 0 to 1, see `Dial`. joint, axis: what the curve shows. view: one of VIEWS.
        smoothed: (T, J, 3) metres, root at 0. raw, true: alike.
        scores, raw_scores: Scores. value: of the filter's parameter. caption: HTML with all of them.
        figure: FigureWidget, raw, smoothed and true: the coordinate of the joint over time in mm, or the spectrum of
            all its accelerations, mm/frame^2 over Hz.

    Args:
        joints_truth: (T, J, 3) metres, camera frame.
        rotations: (T, 24, 3, 3) predicted, or any number of joints that `joints_of` takes.
        joints_of: rotations -> (T, J, 3) metres, e.g. a body model with the predicted betas.
        fps: frames per second.
        names: J joint names; numbers by default.
        root: joints whose mean is the root.

    Raises:
        PosebookError: shapes that do not fit.
    """

    def __init__(self, joints_truth, rotations, joints_of: Callable, fps: float, names: Sequence[str] | None = None,
                 root: Sequence[int] = (0,)):  # fmt: skip
        self.rotations, self.joints_of, self.fps, self.root = torch.from_numpy(host(rotations)), joints_of, fps, root
        self.true, self.raw = self.rooted(torch.from_numpy(host(joints_truth))), self.posed(self.rotations)
        if self.raw.shape != self.true.shape or len(self.rotations) != len(self.true):
            raise PosebookError(
                f"joints_of gave {tuple(self.raw.shape)} for rotations {tuple(self.rotations.shape)}; expected the "
                f"shape of joints_truth, {tuple(self.true.shape)}."
            )
        names = [str(i) for i in range(self.true.shape[1])] if names is None else [str(name) for name in names]
        if len(names) != self.true.shape[1]:
            raise PosebookError(f"names: expected {self.true.shape[1]}, one a joint, got {len(names)}.")
        self.filter, self.strength = dropdown("filter", DIALS), slider("strength", 0, 1, 0.5, 0.05)
        self.joint, self.axis = dropdown("joint", names), dropdown("axis", AXES)
        self.joint.value, self.view = names[-1], dropdown("view", VIEWS)
        self.caption, self.raw_scores = widgets.HTML(), self.scored(self.raw)
        self.figure = live(self._chart())
        self.watch([self.filter, self.strength], self.update)
        self.watch([self.joint, self.axis, self.view], self.draw)
        bars = [widgets.HBox([self.filter, self.strength]), widgets.HBox([self.joint, self.axis, self.view])]
        super().__init__([*bars, self.caption, self.figure])
        self.update()

    def _chart(self) -> go.Figure:
        traces = [go.Scatter(mode="lines", name=name, line={"color": colour, "width": width})
                  for name, (colour, width) in LINES.items()]  # fmt: skip
        chart = figure(traces, height=360, margin={"t": 70})
        chart.update_xaxes(title={"text": ""}, automargin=True)
        return chart.update_yaxes(title={"text": ""}, automargin=True)

    def rooted(self, joints: torch.Tensor) -> torch.Tensor:
        """(T, J, 3) float64 with the root at 0."""
        return root_relative(joints.double(), self.root)

    @torch.no_grad()
    def posed(self, rotations: torch.Tensor) -> torch.Tensor:
        """Joints of rotations."""
        return self.rooted(torch.as_tensor(self.joints_of(rotations.to(self.rotations.dtype))).detach().cpu())

    def scored(self, joints: torch.Tensor) -> Scores:
        """Scores of joints (T, J, 3), root at 0."""
        error = mpjpe(joints, self.true).item()
        if len(joints) < 3:
            return Scores(error, float("nan"), float("nan"))
        return Scores(error, accel(joints).item(), accel_error(joints, self.true).item())

    def update(self) -> None:
        """Filter, pose and score."""
        name, dial = self.filter.value, DIALS[self.filter.value]
        self.value = dial.at(self.strength.value)
        if name == "savitzky_golay":
            self.value = max(self.value, 5 / self.fps)  # fewer frames cannot smooth
        if name == OFFICIAL:
            numbers = official_one_euro_axis_angle(matrix_to_axis_angle(self.rotations), min_cutoff=self.value)
            filtered = axis_angle_to_matrix(numbers)
        else:
            filtered = smooth(self.rotations, self.fps, name, **{dial.parameter: self.value})
        self.smoothed = self.posed(filtered)
        self.scores = self.scored(self.smoothed)
        self.caption.value = self.told()
        self.draw()

    def told(self) -> str:
        """Filter, parameter, and the scores before and after."""
        dial, (before, after) = DIALS[self.filter.value], (self.raw_scores, self.scores)
        true = accel(self.true).item() if len(self.true) >= 3 else float("nan")
        return (
            f"{self.filter.value}, {dial.parameter} {self.value:.3g}{dial.unit}<br>MPJPE {before.mpjpe:.1f} → "
            f"<b>{after.mpjpe:.1f} mm</b>, ACCEL {before.accel:.1f} → <b>{after.accel:.1f}</b> (true {true:.1f}), "
            f"ACCEL_ERR {before.accel_error:.1f} → <b>{after.accel_error:.1f} mm/frame²</b>"
        )

    def draw(self) -> None:
        """Show the chosen coordinate, or the spectrum; a clip under 4 frames has none."""
        spectral = self.view.value == VIEWS[1] and len(self.true) >= 4
        labels = ("Hz", "mm/frame²") if spectral else ("seconds", "mm from the root")
        tracks = {"raw": self.raw, "smoothed": self.smoothed, "true": self.true}
        with self.figure.batch_update():
            for trace in self.figure.data:
                trace.x, trace.y = self.curve(tracks[trace.name], spectral)
            layout = self.figure.layout
            layout.xaxis.title.text, layout.yaxis.title.text = labels
            shown = "acceleration by frequency" if spectral else self.axis.value
            layout.title.text = f"{self.joint.value}, {shown}"

    def curve(self, track: torch.Tensor, spectral: bool) -> tuple[np.ndarray, np.ndarray]:
        """x and y of a track (T, J, 3) at the chosen joint."""
        joint = self.joint.index
        if spectral:
            found = acceleration_spectrum(track[:, [joint]], self.fps)
            return found.frequency.numpy(), found.amplitude.numpy()
        return np.arange(len(track)) / self.fps, 1000 * track[:, joint, AXES[self.axis.value]].numpy()

    def png(self) -> bytes:
        """The curves, the caption below them."""
        return curves_png(self.figure, self.caption.value)


def curves_png(chart, caption: str) -> bytes:
    """PNG of a chart of lines with a caption of HTML under its title."""
    page = Figure(figsize=(8.0, 4.0), dpi=100, layout="constrained")
    panel = page.subplots()
    draw_chart(panel, chart)
    panel.legend(frameon=False, ncols=3, fontsize=9, loc="upper right")
    panel.margins(y=0.15)
    panel.set_title(chart.layout.title.text, fontsize=11, color=INK, loc="left")
    said = caption.replace("<br>", "\n").replace("<b>", "").replace("</b>", "")
    page.suptitle(said, fontsize=9, color=INK, x=0.01, ha="left")
    return page_png(page)
