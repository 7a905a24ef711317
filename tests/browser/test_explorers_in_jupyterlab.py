"""Every notebook in a real JupyterLab: all cells run, and its explorers answer a mouse on their sliders."""

import io
from pathlib import Path

import nbformat
import numpy as np
import pytest
from lab import STOP, TOO_WIDE, WIDGET_MIME, can_move, choose_another, drag, explorer_at, jupyterlab, run_all
from PIL import Image

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
OFTEN = ("00",)  # the other chapters take a minute each: `make browser-tests` opens them, `make test` does not
SCREENSHOTS = ROOT / "build" / "screenshots"  # to be looked at

pytestmark = [pytest.mark.ui, pytest.mark.timeout(1800)]  # a minute each where nothing else runs


@pytest.fixture(scope="module")
def address(browser, tmp_path_factory):
    """A JupyterLab of this worker's own."""
    with jupyterlab(tmp_path_factory.mktemp("lab") / "lab", NOTEBOOKS) as found:
        yield found


@pytest.fixture
def lab_page(page, address):
    """A page whose kernels end with the test."""
    yield page
    page.evaluate(STOP)


def committed_explorers(path: Path) -> int:
    """Cells that show a widget, by the outputs in the repository."""
    cells = nbformat.read(path, as_version=4).cells
    return sum(shows_widget(cell.get("outputs", [])) for cell in cells)


def shows_widget(outputs: list[dict]) -> bool:
    return any(WIDGET_MIME in output.get("data", {}) for output in outputs)


def pictures(explorer) -> list[np.ndarray]:
    """Pixels of each figure and picture, as the browser draws them."""
    found = explorer.locator(".js-plotly-plot, img.widget-image").all()
    return [np.asarray(Image.open(io.BytesIO(each.screenshot())).convert("RGB")) for each in found]


def differ(before: list[np.ndarray], after: list[np.ndarray]) -> bool:
    return any(a.shape != b.shape or (a != b).any(-1).sum() > 20 for a, b in zip(before, after, strict=True))


def check_explorer(page, explorer, name: str) -> None:
    """Move every slider that can move, or choose where there is none; figure and label must change, also on screen."""
    assert explorer.locator(".js-plotly-plot").count() >= 1, f"{name} shows no figure"
    assert explorer.evaluate(TOO_WIDE) <= 1, f"{name} is cut off at the right"
    for chart in explorer.locator(".js-plotly-plot").all():
        box = chart.bounding_box()
        assert box["width"] > 200 and box["height"] > 150, f"{name}: a figure of {box}"
    sliders = [slider for slider in explorer.locator(".widget-slider").all() if can_move(slider)]
    choices = explorer.locator("select:visible").all()
    assert sliders or choices, f"{name} has nothing to move"
    pixels = pictures(explorer)
    steps = [drag(page, explorer, slider) for slider in sliders]
    steps = steps or [choose_another(page, explorer, choice) for choice in choices]
    assert any(before.figures != after.figures for before, after in steps), f"{name}: no figure changed"
    assert differ(pixels, pictures(explorer)), f"{name}: the figures look the same as before"
    if not any(before.labels != after.labels for before, after in steps):  # a label that only tells what was chosen
        steps += [choose_another(page, explorer, choice) for choice in choices]
    assert any(before.labels != after.labels for before, after in steps), f"{name}: no label changed"


def notebooks() -> list:
    """One parameter a notebook."""
    return [
        pytest.param(path, id=path.stem, marks=[] if path.name.startswith(OFTEN) else pytest.mark.slow)
        for path in NOTEBOOKS
    ]


@pytest.mark.parametrize("path", notebooks())
def test_every_cell_runs_and_every_explorer_answers(lab_page, address, path):
    crashes: list[str] = []
    lab_page.on("pageerror", lambda error: crashes.append(str(error)))
    lab_page.on("console", lambda told: "WebGL contexts" in told.text and crashes.append(told.text))
    cells = run_all(lab_page, address.format(path.name))
    errors = [
        (index, output["ename"])
        for index, cell in enumerate(cells)
        for output in cell["outputs"]
        if output["output_type"] == "error" and "raises-exception" not in cell["tags"]
    ]
    assert not errors
    found = [index for index, cell in enumerate(cells) if shows_widget(cell["outputs"])]
    assert len(found) == committed_explorers(path)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for index in found:
        explorer = explorer_at(lab_page, index)
        name = f"{path.stem}-cell{index}"
        check_explorer(lab_page, explorer, name)
        explorer.screenshot(path=SCREENSHOTS / f"{name}.png")
        lab_page.screenshot(path=SCREENSHOTS / f"{name}-page.png")
    assert not crashes
