"""data_download/cmu_mocap.py as a user runs it."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

SCRIPT = Path(__file__).resolve().parents[2] / "data_download" / "cmu_mocap.py"


@pytest.fixture(scope="module")
def command():
    """The script's command line, in this process."""
    spec = importlib.util.spec_from_file_location("cmu_mocap_script", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    app = typer.Typer()
    app.command()(module.main)
    return lambda *words: CliRunner().invoke(app, list(words))


def test_prepare_then_check(command, mini, tmp_path):
    mini(60, name="02_01.bvh")
    bad = mini(60, name="01_01.bvh")
    result = command("--source", str(bad.parent), "--out", str(tmp_path / "out"))
    assert result.exit_code == 0, result.stderr
    assert "test: 1 clips of 1 subjects" in result.stdout and "2 clips" in result.stdout
    assert command("--check", "--out", str(tmp_path / "out")).exit_code == 0
    bad.write_text(bad.read_text()[:-300])
    cut = command("--source", str(bad.parent), "--out", str(tmp_path / "out"))
    errors = [line for line in cut.stderr.splitlines() if line.startswith("error:")]
    assert cut.exit_code == 1 and len(errors) == 1 and "01_01.bvh" in errors[0]
    assert "1 clips" in cut.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [([], "Nothing to do"), (["--source", "/nowhere"], "No folder"), (["--source", "http://x.org/a.zip"], "only https"),
     (["--check"], "not prepared")],
)  # fmt: skip
def test_one_line_errors(command, tmp_path, words, says):
    result = command(*words, "--out", str(tmp_path / "out"))
    assert result.exit_code == 1 and result.stderr.startswith("error:") and says in result.stderr
    assert result.stderr.count("\n") == 1


def test_as_a_program(tmp_path):
    result = subprocess.run([sys.executable, str(SCRIPT), "--out", str(tmp_path)], capture_output=True, text=True)
    assert result.returncode == 1 and result.stderr.startswith("error:") and "Traceback" not in result.stderr
