"""Sphinx extension: the list of pages, kept out of README.md because GitHub would show it as text."""

import re

from sphinx.application import Sphinx

CONTENTS = """

```{{toctree}}
:hidden:
:glob:
:caption: Notebooks

notebooks/0*
notebooks/template
```

```{{toctree}}
:hidden:
:glob:
:caption: More

docs/*
results/report*
data_download/README
notebooks/datasets/*
```

```{{toctree}}
:hidden:
:caption: Runs

{runs}
```
"""
RUN_PAGE = re.compile(r"results/(\w+)/(\w+)/(\w+)/seed(\d+)/notebook")
REPORT_TITLE = "# All results\n\n"  # the file starts with a profile's heading, as it is part of README.md


def run_entries(pages: list[str]) -> list[str]:
    """One line of a toctree for each page of a run, named after what was run: its own title is its chapter's."""
    found = [match for page in sorted(pages) if (match := RUN_PAGE.fullmatch(page))]
    return [f"{m[3]}, {m[1]}, {m[2]} motion, seed {m[4]} <{m[0]}>" for m in found]


def add_contents(app: Sphinx, page: str, source: list[str]) -> None:
    """Sphinx's `source-read` event: put the list under the first page, and a title over the report."""
    if page == app.config.root_doc:
        source[0] += CONTENTS.format(runs="\n".join(run_entries(app.env.found_docs)))
    if page == "results/report":
        source[0] = REPORT_TITLE + source[0]


def setup(app: Sphinx) -> dict:
    """Called by Sphinx."""
    app.connect("source-read", add_contents)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
