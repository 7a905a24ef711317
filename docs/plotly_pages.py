"""Sphinx extension: plotly figures stay live in pages made from notebooks.

A notebook keeps a figure twice, as plotly's JSON and as PNG. The page gets both: static/plotly_pages.js draws the JSON
when the reader comes near it, and the PNG is there before that, in print, and without JavaScript.
"""

import html
import json

from sphinx.application import Sphinx

PLOTLY_MIME = "application/vnd.plotly.v1+json"


def figure_html(data: dict) -> str:
    """HTML of one output: the PNG, and the figure as JSON that no browser takes for markup."""
    figure = json.dumps(data[PLOTLY_MIME], separators=(",", ":")).replace("<", "\\u003c")
    text = html.escape("".join(data.get("text/plain", "figure")))
    height = data[PLOTLY_MIME]["layout"].get("height", 450)
    return (
        f'<div class="plotly-page-figure" style="min-height: {height}px">'
        f'<img alt="{text}" src="data:image/png;base64,{"".join(data["image/png"]).strip()}">'
        f'<script type="application/json">{figure}</script></div>'
    )


def keep_figures_live(app: Sphinx, page: str, source: list[str]) -> None:
    """Sphinx's `source-read` event: give every output with a plotly figure the HTML that shows it."""
    if app.env.doc2path(page).suffix != ".ipynb":
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            if PLOTLY_MIME in output.get("data", {}):
                output["data"] = {"text/html": figure_html(output["data"])}
    source[0] = json.dumps(notebook)


def setup(app: Sphinx) -> dict:
    """Called by Sphinx."""
    app.connect("source-read", keep_figures_live)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
