"""A real JupyterLab for the browser tests: its server, a notebook opened in a page, and the explorers in it."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ports import free_ports

WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
SETTINGS = {  # no question about news over the notebook
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
START_SECONDS = 300
CELL_MINUTES = 8  # a notebook's cells, all together
ANSWER_SECONDS = 300  # until the page shows what was asked for; a second where nothing else runs

# JavaScript for the page; `jupyterapp` is JupyterLab itself
# anywidget gives a widget two seconds to start; on a busy machine plotly's needs more, and then never answers
PATIENT = f"""(() => {{
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (milliseconds) => timeout(Math.max(milliseconds, {1000 * ANSWER_SECONDS}));
}})()"""
READY = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
RUN_ALL = "() => jupyterapp.commands.execute('notebook:run-all-cells')"  # what the menu's Run All Cells calls
CELLS = """() => [...jupyterapp.shell.currentWidget.content.model.cells].map((cell) => ({
  tags: cell.getMetadata("tags") ?? [],
  outputs: cell.type === "code" ? cell.outputs.toJSON() : [],
}))"""
SCROLL = "(index) => jupyterapp.shell.currentWidget.content.scrollToItem(index, 'start')"
STOP = "() => jupyterapp.serviceManager.sessions.shutdownAll()"
SEEN = """(explorer) => {
  const all = (selector, read) => [...explorer.querySelectorAll(selector)].map(read);
  const plain = (key, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
  const drawn = (chart) => [chart.data, chart.layout.title, chart.layout.scene, chart.layout.shapes];
  return {
    labels: all(".jupyter-widgets.widget-label, .widget-html-content", (element) => element.textContent),
    figures: [
      ...all(".js-plotly-plot", (chart) => JSON.stringify(drawn(chart), plain)),
      ...all("img.widget-image", (picture) => picture.src),
    ],
  };
}"""
CHANGED = f"([explorer, before]) => JSON.stringify(({SEEN})(explorer)) !== before"
TOO_WIDE = "(explorer) => explorer.scrollWidth - explorer.clientWidth"
UNDER_MOUSE = "(handle) => handle.matches(':hover')"
HANDLE = """(handle) => ["now", "min", "max"].map((name) => Number(handle.getAttribute("aria-value" + name)))"""


class Seen(NamedTuple):
    """What an explorer shows, as the page has it: texts of labels, plotly's data and pictures' sources."""

    labels: list[str]
    figures: list[str]


@contextmanager
def jupyterlab(folder: Path, notebooks: list[Path]) -> Iterator[str]:
    """Run a JupyterLab that has copies of the notebooks, smoke profile; gives its address, with {} for a name."""
    for name in ("notebooks", "config", "runtime"):
        (folder / name).mkdir(parents=True)
    for path in notebooks:
        shutil.copy(path, folder / "notebooks")
    for name, values in SETTINGS.items():
        kept = folder / "config" / "lab" / "user-settings" / f"{name}.jupyterlab-settings"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(values))
    environment = os.environ | {
        "POSEBOOK_PROFILE": "smoke",
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"]
    command += [f"--IdentityProvider.token={secrets.token_hex(16)}", f"--ServerApp.root_dir={folder / 'notebooks'}"]
    command += [f"--ServerApp.port={free_ports(1)[0]}"]  # its own search may find the one of another worker's server
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        facts = json.loads(text_of(folder / "runtime" / f"jpserver-{server.pid}.json", server, folder / "server.log"))
        yield f"{facts['url']}lab/tree/{{}}?token={facts['token']}&reset"
    finally:
        server.terminate()  # takes its kernels along
        server.wait(60)


def text_of(path: Path, server: subprocess.Popen, log: Path) -> str:
    """Text of the file that the server writes once it listens.

    Raises:
        RuntimeError: the server stopped, or wrote nothing for START_SECONDS.
    """
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit and server.poll() is None:
        if path.is_file() and (text := path.read_text()).rstrip().endswith("}"):
            return text
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


def run_all(page, address: str) -> list[dict]:
    """Open a notebook and run all its cells; gives each cell's tags and outputs."""
    page.add_init_script(PATIENT)
    page.goto(address)
    page.wait_for_function(READY)
    page.set_default_timeout(60_000 * CELL_MINUTES)
    page.evaluate(RUN_ALL)
    page.set_default_timeout(1000 * ANSWER_SECONDS)
    return page.evaluate(CELLS)


def explorer_at(page, index: int):
    """Locator of the explorer that a cell shows, scrolled to and with its figures drawn."""
    page.evaluate(SCROLL, index)
    explorer = page.locator(f"[data-windowed-list-index='{index}'] .jp-OutputArea-output .jupyter-widgets").first
    for chart in explorer.locator(".js-plotly-plot").all():
        chart.locator(".main-svg").first.wait_for()
    return explorer


def seen(explorer) -> Seen:
    """What the explorer shows now."""
    return Seen(**explorer.evaluate(SEEN))


def can_move(slider) -> bool:
    """Whether a slider is shown and has more than one value."""
    now, low, high = slider.locator(".noUi-handle").evaluate(HANDLE)
    return slider.is_visible() and high > low and slider.locator(".noUi-target[disabled]").count() == 0


def drag(page, explorer, slider) -> tuple[Seen, Seen]:
    """What an explorer shows before and after the mouse took a slider's handle to the far side of its middle."""
    handle, track = slider.locator(".noUi-handle"), slider.locator(".noUi-base")
    now, low, high = handle.evaluate(HANDLE)
    goal = 0.15 if now - low > high - now else 0.85

    def by_mouse():
        place = still(page, handle, track)
        page.mouse.down()
        page.mouse.move(place["x"] + goal * place["width"], place["y"] + place["height"] / 2, steps=3)
        page.mouse.up()

    return around(page, explorer, by_mouse)


def still(page, handle, track) -> dict[str, float]:
    """Bring the mouse to a slider's handle, and give its track's place once the page keeps both where they are.

    JupyterLab draws the cells above late, and they push the slider away from under the mouse.
    """
    place = None
    while place != (place := track.bounding_box()) or not handle.evaluate(UNDER_MOUSE):
        handle.hover()
        page.wait_for_timeout(500)
    return place


def choose_another(page, explorer, choice) -> tuple[Seen, Seen]:
    """What an explorer shows before and after the last entry of a dropdown was chosen (the first where it was)."""
    last = choice.evaluate("(select) => select.selectedIndex === select.length - 1 ? 0 : select.length - 1")
    return around(page, explorer, lambda: choice.select_option(index=last))


def around(page, explorer, act: Callable[[], None]) -> tuple[Seen, Seen]:
    """What an explorer shows before and after an act; waits for the kernel.

    Raises:
        TimeoutError: Playwright's; nothing changed for ANSWER_SECONDS.
    """
    before = explorer.evaluate(SEEN)
    text = json.dumps(before, separators=(",", ":"), ensure_ascii=False)
    act()
    page.wait_for_function(CHANGED, arg=[explorer.element_handle(), text])
    page.wait_for_function(READY)
    return Seen(**before), settled(page, explorer)


def settled(page, explorer) -> Seen:
    """What an explorer shows once a second has changed nothing: a label may come before its figure."""
    latest = seen(explorer)
    while True:
        page.wait_for_timeout(1000)
        earlier, latest = latest, seen(explorer)
        if earlier == latest:
            return latest
