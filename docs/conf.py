"""Sphinx settings of the site that `make site` builds: README, notebooks with their committed outputs, report.

The source folder is the clone itself, so the links between README, notebooks and results work as they do on GitHub.
Nothing is executed, and a finished page fetches nothing from elsewhere: plotly.js comes from the plotly package.
"""

import sys
from pathlib import Path

import plotly

sys.path.insert(0, str(Path(__file__).parent))

project = "Posebook"
author = copyright = "Posebook developers"
extensions = ["myst_nb", "contents", "plotly_pages"]

root_doc = "README"
include_patterns = [
    "README.md",
    "data_download/README.md",
    "docs/*.md",
    "notebooks/*.ipynb",
    "notebooks/d*/*.ipynb",
    "results/report.md",
    "results/*/*/*/seed0/notebook.ipynb",  # the runs that the tables link to
]
exclude_patterns = [".venv", ".git", "build", "results-local", "**/.ipynb_checkpoints"]

nb_execution_mode = "off"
nb_merge_streams = True
# No kernel runs behind a page: of an explorer it shows the picture that the notebook keeps beside the widget.
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
myst_enable_extensions = []  # no formulas: MathJax would be fetched from another server
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # heading levels are chosen for GitHub

html_theme = "furo"
html_title = "Posebook"
html_static_path = ["static", str(Path(plotly.__file__).parent / "package_data" / "plotly.min.js")]
html_css_files = ["pages.css"]
html_js_files = [("plotly_pages.js", {"defer": "defer"})]
html_additional_pages = {"index": "to_readme.html"}
templates_path = ["templates"]
html_copy_source = False
