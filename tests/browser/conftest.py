"""Chromium for the tests marked `ui`: the installed one, driven by Playwright, without a browser download."""

import os
import shutil
from pathlib import Path

import pytest

FLAGS = (  # as root in a container, without a network, WebGL drawn by the CPU
    *("--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
)
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
MISSING = "no Chromium on this machine (Debian: apt-get install chromium), so nothing was looked at in a browser"


def installed() -> str | None:
    """Path of the browser to drive."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser():
    """A running Chromium with a new profile; in CI it may be missing only if .ci/run says that it cannot be had."""
    program = installed()
    if program is None:
        excuse = os.environ.get("POSEBOOK_NO_BROWSER", "")
        if os.environ.get("CI", "").lower() == "true" and not excuse:
            pytest.fail(f"CI needs a browser: {MISSING}.")
        pytest.skip(excuse or MISSING)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser):
    """A new page, and no error may appear in its console; asks nobody but this machine."""
    opened = browser.new_page(viewport={"width": 1600, "height": 1100})
    opened.set_default_timeout(300_000)
    yield opened
    opened.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep what the page looked like when a test failed."""
    report = yield
    opened = getattr(item, "funcargs", {}).get("page")
    if report.failed and call.when == "call" and opened is not None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        opened.screenshot(path=SCREENSHOTS / f"failed-{item.name}.png")
    return report
