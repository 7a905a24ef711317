"""The order of conftest.py: files with slow tests first, each file's own order kept."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

SLOW = "\n\n@pytest.mark.slow\n"
PLAIN = "import pytest\n\ndef test_first():\n    pass\n{}def test_second():\n    pass\n"


def test_a_file_with_a_slow_test_comes_first_as_a_whole(tmp_path):
    for name in ("conftest.py", "served.py"):  # the order, and what it imports
        shutil.copy(Path(__file__).with_name(name), tmp_path)
    for name, mark in (("a", ""), ("b", SLOW), ("c", ""), ("d", SLOW)):
        (tmp_path / f"test_{name}.py").write_text(PLAIN.format(mark))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", ".", "--collect-only", "-q", "."]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    found = [line for line in done.stdout.splitlines() if "::" in line]
    assert found == [f"test_{name}.py::test_{which}" for name in "bdac" for which in ("first", "second")]
