"""ScaleExplorer: what focal length and root depth do to the size of a mesh that is known in the picture only."""

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import torch

from posebook.errors import PosebookError
from posebook.explorers.base import Explorer, host, live, move, slider
from posebook.models.decode import back_project
from posebook.models.i2l import HeatmapUnits
from posebook.plots.mesh import mesh_trace
from posebook.plots.style import COLOURS, EYE, GREY, figure, scene, upright

REACH = 1.3  # half side of the scene, in half boxes of depth


class ScaleExplorer(Explorer):
    """One mesh of heat-map units, put into metres with an assumed camera and an assumed root depth.

    Attributes:
        focal, depth: sliders, factors on the true focal length and root depth.
        placed: (V, 3) metres, the mesh with both assumptions, its root at the origin.
        height: metres, its extent along the picture's vertical. ratio: to the height at the true values.
        figure: FigureWidget, the true mesh grey. caption: Label.

    Args:
        mesh: (V, 3) heat-map units of `units`.
        units: the box.
        K: (3, 3) true, pixels of the crop.
        root_depth: true, metres.
        faces: (F, 3).
        true_mesh: (V, 3) metres, any root, drawn beside it; None draws the mesh at the true values.
        regressor: (J, V), row 0 is the root.

    Raises:
        PosebookError: shapes that do not fit.
    """

    def __init__(self, mesh, units: HeatmapUnits, K, root_depth: float, faces, regressor, true_mesh=None):
        mesh, K = (torch.from_numpy(host(a).astype(np.float32)) for a in (mesh, K))
        if mesh.ndim != 2 or mesh.shape[1] != 3 or tuple(K.shape) != (3, 3) or regressor.shape[1] != len(mesh):
            raise PosebookError(
                f"Expected one mesh (V, 3), K (3, 3) and a regressor (J, V), got {tuple(mesh.shape)}, "
                f"{tuple(K.shape)} and {tuple(regressor.shape)}."
            )
        self.crop, self.K, self.root_depth = units.to_crop(mesh), K, float(root_depth)
        self.root_row = torch.from_numpy(host(regressor)[:1].astype(np.float32))
        self.focal, self.depth = slider("focal ×", 0.5, 2, 1, 0.05), slider("root depth ×", 0.5, 2, 1, 0.05)
        true = self.metres(1, 1) if true_mesh is None else self.rooted(torch.from_numpy(host(true_mesh)))
        self.true_height = np.ptp(self.metres(1, 1)[:, 1])
        traces = [mesh_trace(true, faces, frame="camera", opacity=0.35, name="true"),
                  mesh_trace(self.metres(1, 1), faces, frame="camera", name="assumed")]  # fmt: skip
        traces[0].update(color=GREY)
        reach = np.float32([[-1], [1]]) * np.float32([REACH * units.depth_size / 2] * 3)
        self.figure = live(figure(traces, "", height=420, width=520, scene=scene(reach, EYE), margin={"t": 10}))
        self.caption = widgets.Label()
        self.watch([self.focal, self.depth], self.update)
        super().__init__([self.focal, self.depth, self.caption, self.figure])
        self.update()

    def rooted(self, mesh: torch.Tensor) -> np.ndarray:
        """(V, 3) metres with the root at the origin."""
        return (mesh.float() - self.root_row @ mesh.float()).numpy()

    def metres(self, focal: float, depth: float) -> np.ndarray:
        """(V, 3) with factors on the true focal length and root depth."""
        K = self.K.clone()
        K[[0, 1], [0, 1]] *= focal
        z = self.crop[:, 2] + depth * self.root_depth
        return self.rooted(back_project(self.crop[None, :, :2], z[None], K)[0])

    def update(self) -> None:
        """Place the mesh and say how tall it is."""
        self.placed = self.metres(self.focal.value, self.depth.value)
        self.height = float(np.ptp(self.placed[:, 1]))
        self.ratio = self.height / self.true_height
        factors = f"focal × {self.focal.value:.2f}, root depth × {self.depth.value:.2f}"
        self.caption.value = f"{factors}: {self.height:.2f} m tall"
        with self.figure.batch_update():
            move(self.figure.data[1], upright(self.placed, "camera"))


def scale_curve(explorer: ScaleExplorer, factors) -> go.Figure:
    """Height against a factor on the focal length, and on the root depth."""
    factors = np.asarray(factors, float)
    lines = {"focal length": [(f, 1.0) for f in factors], "root depth": [(1.0, f) for f in factors]}
    traces = [
        go.Scatter(
            x=factors,
            y=[np.ptp(explorer.metres(*pair)[:, 1]) for pair in pairs],
            name=name,
            mode="lines",
            line={"color": colour},
        )
        for (name, pairs), colour in zip(lines.items(), COLOURS, strict=False)
    ]
    chart = figure(traces, "Height of one lixel mesh", height=320)
    chart.update_xaxes(title={"text": "factor on the true value"})
    return chart.update_yaxes(title={"text": "metres"}, rangemode="tozero")
