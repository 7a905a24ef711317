"""`show`: a live plotly figure in JupyterLab and its PNG on GitHub, from one cell and without a browser."""

import base64
import json

from IPython.display import display

from posebook.errors import PosebookError
from posebook.plots.twin import png_of

PLOTLY_MIME = "application/vnd.plotly.v1+json"


def show(figure=None, png: bytes | None = None, text: str = "") -> None:
    """Display a plotly figure with a PNG beside it, or a PNG alone.

    Args:
        figure: plotly figure; None for a picture that is PNG only (image grids).
        png: PNG bytes; drawn from the figure by `posebook.plots.png_of` if None.
        text: what text-only readers get; the figure's title by default.

    Raises:
        PosebookError: neither a figure nor a PNG.
    """
    display(bundle(figure, png, text), raw=True)


def bundle(figure=None, png: bytes | None = None, text: str = "") -> dict:
    """MIME bundle that `show` displays: PNG and text, and the plotly figure where there is one."""
    if figure is None and png is None:
        raise PosebookError("show needs a plotly figure, or png bytes, or both.")
    if png is None:
        png = png_of(figure)
    if not isinstance(png, bytes) or not png.startswith(b"\x89PNG"):
        raise PosebookError(f"png must be the bytes of a PNG file, got {type(png).__name__}.")
    data = {"image/png": encoded(png), "text/plain": text or describe(figure)}
    if figure is not None:
        data[PLOTLY_MIME] = json.loads(figure.to_json())  # arrays as base64, half the size of numbers in text
    return data


def encoded(png: bytes) -> str:
    """Base64 text, as notebooks store pictures."""
    return base64.b64encode(png).decode()


def describe(figure) -> str:
    """One line of text for a figure: title and what it is made of."""
    if figure is None:
        return "picture"
    kinds = [trace.type for trace in figure.data]
    parts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    return f"{figure.layout.title.text or 'figure'} ({parts})"
