"""Figures: each is a plotly figure with a PNG twin; `show` displays both."""

from posebook.plots.bars import bars_figure
from posebook.plots.body_steps import body_steps, body_steps_figure, body_steps_png
from posebook.plots.curves import curves_figure
from posebook.plots.images import depth_image, image_grid, parts_image, sample_panels, scalar_image
from posebook.plots.mesh import mesh_figure, mesh_trace
from posebook.plots.playback import playback_figure, playback_png
from posebook.plots.scatter import scatter_figure
from posebook.plots.show import show
from posebook.plots.skeleton import skeleton_figure, skeleton_trace
from posebook.plots.twin import png_of
from posebook.plots.volume import volume_figure, volume_slices

__all__ = [
    "bars_figure",
    "body_steps",
    "body_steps_figure",
    "body_steps_png",
    "curves_figure",
    "depth_image",
    "image_grid",
    "mesh_figure",
    "mesh_trace",
    "parts_image",
    "playback_figure",
    "playback_png",
    "png_of",
    "sample_panels",
    "scatter_figure",
    "scalar_image",
    "show",
    "skeleton_figure",
    "skeleton_trace",
    "volume_figure",
    "volume_slices",
]
