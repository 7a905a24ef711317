"""Test-wide helpers: the recorded outputs in tests/parity, the markers, and the rule that parity tests always run."""

import importlib.util
import os
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from served import serving

MARKERS = (
    "parity: compares with recorded outputs of the official code; may not be skipped in CI",
    "gpu: needs a GPU; skipped with a reason where there is none",
    "ui: drives a browser; skipped with a reason where there is no Chromium, never in CI if one can be installed",
    "nbval: runs notebooks",
    "benchmarks: measures speed; prints, never asserts a time",
    "slow: more than a few seconds",
)
NO_SKIP = "a parity test may not be skipped here (CI=true or POSEBOOK_NO_PARITY_SKIP=1)"


class Parity:
    """The fixtures of tests/parity; see its README.md."""

    path = Path(__file__).parent / "parity"

    @cache  # noqa: B019  the one instance lives as long as the session
    def load(self, name: str) -> dict:
        """Read one recording, e.g. "metrics.pt"; treat it as read-only, all tests share it."""
        import torch  # here, so that a run without parity tests does not wait for it

        return torch.load(self.path / name, weights_only=True)

    @property
    @cache  # noqa: B019
    def fill(self) -> ModuleType:
        """fill.py as a module: deterministic weights, inputs and bodies."""
        spec = importlib.util.spec_from_file_location("parity_fill", self.path / "fill.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


@pytest.fixture(scope="session")
def parity() -> Parity:
    """Recorded outputs: parity.load("metrics.pt"), parity.fill, parity.path."""
    return Parity()


def pytest_configure(config):
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Files with slow tests first: one that a worker begins last would leave the others idle."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def _skips_forbidden() -> bool:
    return os.environ.get("CI", "").lower() == "true" or os.environ.get("POSEBOOK_NO_PARITY_SKIP") == "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Turn a skipped (or expected to fail) parity test into a failure."""
    report = yield
    if report.skipped and item.get_closest_marker("parity") and _skips_forbidden():
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: {NO_SKIP}; it said: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Turn a file that skips itself while it is collected into an error if there are parity tests in it."""
    report = yield
    if report.skipped and isinstance(collector, pytest.Module) and _skips_forbidden():
        if "mark.parity" in collector.path.read_text(encoding="utf-8"):
            report.outcome = "failed"
            report.longrepr = f"{collector.nodeid}: {NO_SKIP}; it said: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def body_cache() -> Path:
    """The cache folder, with the free body baked: tests share it instead of baking anew."""
    from posebook.body import load_assets
    from posebook.cache import cache_dir

    load_assets("full")
    load_assets("coarse")
    return cache_dir()


@pytest.fixture
def server(tmp_path):
    """Address of an archive on a local server; `served.Handler` says how it behaves."""
    with serving(tmp_path / "served") as address:
        yield address
