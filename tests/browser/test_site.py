"""`make site`: whole, without a dead link, nothing fetched from elsewhere, and figures that a browser draws."""

import io
import json
import shlex
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PLOTLY = "application/vnd.plotly.v1+json"
DRAWN = "(holder) => ['drawn', 'failed'].includes(holder.dataset.state)"
TRACES = "(holder) => holder.querySelector('.js-plotly-plot').data.length"

pytestmark = pytest.mark.xdist_group("site")  # one build for all


class Page(HTMLParser):
    """What the tests read of a built page: ids, links to pages, files it loads, figures, pictures of outputs."""

    def __init__(self, path: Path):
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.figures: list[dict] = []
        self.pictures, self.in_figure = 0, False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        facts = dict(attributes)
        self.ids |= {facts[name] for name in ("id", "name") if facts.get(name)}
        if tag == "a" and facts.get("href"):
            self.links.append(facts["href"])
        elif tag in ("script", "img", "link", "source", "iframe") and (
            address := facts.get("src") or facts.get("href")
        ):
            self.loads.append(address)
        self.pictures += tag == "img"
        self.in_figure = tag == "script" and facts.get("type") == "application/json"

    def handle_data(self, data):
        if self.in_figure:
            self.figures.append(json.loads(data))
            self.in_figure = False


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Folder of the site, built by the command that `make site` runs."""
    folder = tmp_path_factory.mktemp("site")
    shown = subprocess.run(["make", "-C", ROOT, "-n", "-o", ".venv/.installed", "site"], capture_output=True, text=True)
    line = next(line for line in shown.stdout.splitlines() if "-m sphinx" in line)
    command = [sys.executable, *shlex.split(line)[1:-1], str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@cache
def read(path: Path) -> Page:
    return Page(path)


def outputs(path: Path) -> list[dict]:
    cells = nbformat.read(path, as_version=4).cells
    return [output.data for cell in cells for output in cell.get("outputs", []) if "data" in output]


def page_of(site: Path, notebook: Path) -> Path:
    return site / "notebooks" / f"{notebook.stem}.html"


def dead(site: Path, page: Path, address: str) -> bool:
    """Whether a link to this machine leads nowhere: no such file in the site, or no such heading on its page."""
    parts = urlsplit(address)
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_relative_to(site.resolve()) or not target.is_file():
        return True
    return bool(parts.fragment) and target.suffix == ".html" and unquote(parts.fragment) not in read(target).ids


def test_no_link_is_dead(site):
    pages = sorted(site.resolve().rglob("*.html"))
    local = [(page, link) for page in pages for link in read(page).links if not urlsplit(link).scheme]
    assert len(local) > 20 * len(pages)
    assert not [(page.name, link) for page, link in local if dead(site, page, link)]


def test_pages_load_nothing_from_elsewhere_and_nothing_that_is_missing(site):
    for page in sorted(site.resolve().rglob("*.html")):
        addresses = [address for address in read(page).loads if urlsplit(address).scheme != "data"]
        assert not [a for a in addresses if urlsplit(a).scheme or a.startswith("//") or dead(site, page, a)], page.name


def test_the_first_page_leads_to_the_readme_and_from_there_to_every_notebook(site):
    assert "README.html" in read(site / "index.html").links
    links = {link.split("#")[0] for link in read(site / "README.html").links}
    assert {f"notebooks/{path.stem}.html" for path in NOTEBOOKS} <= links
    assert {"results/report.html", "data_download/README.html"} <= links


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_page_has_every_figure_and_picture_of_its_notebook(site, path):
    page, found = read(page_of(site, path)), outputs(path)
    assert page.figures == [data[PLOTLY] for data in found if PLOTLY in data]
    assert page.pictures >= sum(any(kind.startswith("image/") for kind in data) for data in found)
    assert "widget-view" not in page_of(site, path).read_text(encoding="utf-8")  # no kernel, hence no widget


@pytest.mark.ui
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_figure_is_drawn_in_a_browser_from_disk(site, page, path):
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda told: told.type == "error" and trouble.append(told.text))
    page.on("request", lambda asked: asked.url.startswith(("http", "ws")) and trouble.append(asked.url))
    page.goto(page_of(site, path).as_uri())
    holders = page.locator(".plotly-page-figure").all()
    figures = [data[PLOTLY] for data in outputs(path) if PLOTLY in data]
    assert len(holders) == len(figures)
    for holder, figure in zip(holders, figures, strict=True):
        holder.scroll_into_view_if_needed()
        page.wait_for_function(DRAWN, arg=holder.element_handle())
        assert not trouble
        assert holder.evaluate(TRACES) == len(figure["data"])
        assert not holder.locator("> img").is_visible()
        shot = Image.open(io.BytesIO(holder.locator(".js-plotly-plot").screenshot())).convert("RGB")
        assert len(np.unique(np.asarray(shot).reshape(-1, 3), axis=0)) > 20, "an empty figure"
    assert not trouble
