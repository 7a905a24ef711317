"""The rule of conftest.py: where CI says so, a parity test that is skipped fails."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SKIPPED = """
import pytest

@pytest.mark.parity
def test_parity():
    pytest.skip("no file")

def test_other():
    pytest.skip("fine")

def test_runs(parity):
    assert parity.path.name == "parity"
"""
WHOLE_FILE = 'import pytest\npytestmark = pytest.mark.parity\npytest.importorskip("no_such_module_at_all")\n'


@pytest.mark.parametrize(
    ("env", "forbidden"), [({}, False), ({"CI": "true"}, True), ({"POSEBOOK_NO_PARITY_SKIP": "1"}, True)]
)
def test_skipping(tmp_path, env, forbidden):
    for name in ("conftest.py", "served.py"):  # the rule, and what it imports
        shutil.copy(Path(__file__).with_name(name), tmp_path)
    (tmp_path / "test_some.py").write_text(SKIPPED)
    (tmp_path / "test_whole.py").write_text(WHOLE_FILE)
    clean = {k: v for k, v in os.environ.items() if k not in ("CI", "POSEBOOK_NO_PARITY_SKIP")}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--strict-markers", "--rootdir", ".", "."]
    command += ["--continue-on-collection-errors", "-rA"]
    done = subprocess.run(command, cwd=tmp_path, env=clean | env, capture_output=True, text=True)
    assert (done.returncode != 0) == forbidden, done.stdout
    summary = "1 failed, 1 passed, 1 skipped, 1 error" if forbidden else "1 passed, 3 skipped"
    assert summary in done.stdout
    assert ("a parity test may not be skipped" in done.stdout) == forbidden
