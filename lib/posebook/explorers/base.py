"""What explorers share: controls above, figures below, and a picture of the current state for readers without a kernel.

An explorer is a plain ipywidgets box. Everything it shows follows from traits of its controls, so tests drive it
without a browser: set `explorer.depth.value = 3` and read `explorer.figure.data`.
"""

import base64
from collections.abc import Callable, Iterable

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import torch

from posebook.plots.twin import png_of

WIDE = {"description_width": "110px"}
UNDISTORTED = {"flex": "0 0 auto", "align_self": "flex-start"}  # of a picture in a row, which would stretch it


class Explorer(widgets.VBox):
    """Base class; subclasses make the controls, call `watch`, and redraw in `update`.

    Attributes:
        figure: the FigureWidget that `png` draws.
    """

    figure: go.FigureWidget

    def watch(self, controls: Iterable[widgets.Widget], update: Callable[[], None]) -> None:
        """Call `update` whenever the value of a control changes."""
        for control in controls:
            control.observe(lambda _: update(), names="value")

    def png(self) -> bytes:
        """PNG of the current state, shown where no kernel runs (GitHub, printed pages)."""
        return png_of(self.figure)

    def _repr_mimebundle_(self, **kwargs):
        data = super()._repr_mimebundle_(**kwargs)
        return {**data, "image/png": base64.b64encode(self.png()).decode()}


def slider(description: str, low: float, high: float, value: float = 0.0, step: float = 1.0) -> widgets.FloatSlider:
    """Float slider of the house width."""
    return widgets.FloatSlider(value, min=low, max=high, step=step, description=description, style=WIDE)


def dropdown(description: str, options: Iterable) -> widgets.Dropdown:
    """Choice of one; the first is selected."""
    return widgets.Dropdown(options=list(options), description=description, style=WIDE)


def move(trace, points) -> None:
    """Put new coordinates (N, 3) into a 3D trace."""
    trace.update(x=points[:, 0], y=points[:, 1], z=points[:, 2])


def host(values) -> np.ndarray:
    """Own numpy copy of a tensor on any device, with or without gradient, or of anything like an array."""
    return np.array(values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values)


class LiveFigure(go.FigureWidget):
    """FigureWidget whose traces reach the browser in its first message.

    plotly's own tells the browser of an empty figure and sends the traces after it; its page draws once and never looks
    at traces that come later, so on a busy machine the figure could stay empty.
    """

    _complete = False

    def open(self) -> None:
        """Tell the browser of this figure, once it has its traces; ipywidgets calls this before that."""
        if self._complete:
            super().open()


def live(figure: go.Figure) -> go.FigureWidget:
    """FigureWidget of a figure (needs anywidget)."""
    widget = LiveFigure(figure)
    widget._complete = True
    widget.open()
    return widget
