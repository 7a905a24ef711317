"""Memory does not grow with a set's size; the million rows themselves are in tests/benchmarks/bm_real.py."""

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "bm_real.py"
LABELS = 70  # MiB: 60,000 rows' own numbers and texts, which the system may keep mapped


@pytest.mark.parametrize("layout", ["instavariety", "human36m"])
def test_more_rows_need_no_more_memory(layout):
    spec = importlib.util.spec_from_file_location("bm_real", PATH)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    small, large = (benchmark.measure(layout, rows)["peak_mib"] for rows in (2000, 62_000))
    assert large < small + LABELS and large < 1024
