"""VolumeExplorer: a predicted volume by stack and joint, slice by slice and as a surface."""

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go

from posebook.errors import PosebookError
from posebook.explorers.base import Explorer, dropdown, host, live
from posebook.joints import H36M17, JointSet
from posebook.plots.style import figure
from posebook.plots.volume import check_volume, volume_figure


class VolumeExplorer(Explorer):
    """Heat-map volumes of one image.

    Attributes:
        stack, joint: what is shown; opens on the stack with the most depth bins (one bin has no surface).
        depth: bin of the slice; its range follows the stack's own depth.
        level: share of the maximum where the surface lies.
        slice: FigureWidget of the slice. figure: FigureWidget of the volume.
        peak: Label with the strongest cell.

    Args:
        volumes: name of each stack -> (J, D, H, W), tensor or array; D may differ.
        joint_set: names of the J joints.
        decoded: name of each stack -> (J, 3) continuous cells x, y, z, drawn as a cross; None draws none.
    """

    def __init__(self, volumes: dict, joint_set: JointSet = H36M17, decoded: dict | None = None):
        self.volumes = {name: host(volume).astype(np.float32) for name, volume in volumes.items()}
        for name, volume in self.volumes.items():
            if volume.ndim != 4 or len(volume) != len(joint_set):
                raise PosebookError(f"{name}: expected ({len(joint_set)}, D, H, W), got {volume.shape}.")
        self.joint_set, self.decoded = joint_set, decoded or {}
        self.stack, self.joint = dropdown("stack", self.volumes), dropdown("joint", joint_set.names)
        self.stack.value = max(self.volumes, key=lambda name: self.volumes[name].shape[1])
        self.depth = widgets.IntSlider(0, 0, 0, description="depth bin")
        self.level = widgets.FloatSlider(0.4, min=0.05, max=0.95, step=0.05, description="surface")
        self.peak = widgets.Label()
        self.slice = live(self._slice())
        self.figure = live(volume_figure(self.volume, self.level.value))
        self.watch([self.stack, self.joint], self.choose)
        self.watch([self.level], self.redraw)
        self.watch([self.depth], self.show_slice)
        bars = widgets.HBox([self.stack, self.joint, self.peak]), widgets.HBox([self.depth, self.level])
        super().__init__([*bars, widgets.HBox([self.slice, self.figure])])
        self.choose()

    @property
    def volume(self) -> np.ndarray:
        """(D, H, W) of the chosen stack and joint."""
        return check_volume(self.volumes[self.stack.value][self.joint_set.index(self.joint.value)])

    def _slice(self) -> go.Figure:
        chart = figure([go.Heatmap(colorscale="Cividis", showscale=True)], height=420, width=430)
        chart.update_yaxes(autorange="reversed", scaleanchor="x")
        return chart

    def choose(self) -> None:
        """Another stack or joint: go to the bin of its peak."""
        volume = self.volume
        z, y, x = (int(i) for i in np.unravel_index(volume.argmax(), volume.shape))
        self.peak.value = f"peak {volume.max():.3g} in cell x {x}, y {y}, depth bin {z} of {len(volume)}"
        self.depth.max = len(volume) - 1
        self.depth.value = z
        self.redraw()
        self.show_slice()

    def show_slice(self) -> None:
        """One depth bin, in the colours of the whole volume."""
        volume = self.volume
        height, width = volume.shape[1:]
        with self.slice.batch_update():
            self.slice.data[0].update(
                x=np.arange(width) + 0.5, y=np.arange(height) + 0.5, z=volume[self.depth.value],
                zmin=float(volume.min()), zmax=float(volume.max()),
            )  # fmt: skip
            self.slice.layout.title.text = f"{self.joint.value}, bin {self.depth.value}"

    def redraw(self) -> None:
        """The surface, and the decoded point where there is one."""
        cells = self.decoded.get(self.stack.value)
        peak = None if cells is None else host(cells)[self.joint_set.index(self.joint.value)]
        fresh = volume_figure(self.volume, self.level.value, peak=peak)
        with self.figure.batch_update():
            self.figure.data = ()
            self.figure.add_traces(fresh.data)
            for axis in "xyz":
                self.figure.layout.scene[f"{axis}axis"].range = fresh.layout.scene[f"{axis}axis"].range
