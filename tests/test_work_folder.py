"""Work folders: what a killed run left goes, and the finished run that it was to replace comes back."""

import os
import subprocess
import sys

import pytest

from posebook.cache import replace
from posebook.work_folder import TRASH, work_folder

KILLED = """
import os, sys
from pathlib import Path
from posebook.work_folder import TRASH, work_folder
final = Path(sys.argv[1])
with work_folder(final) as work:
    (work / "run").mkdir()
    if final.exists():
        final.rename(work / TRASH)
    os._exit(1)
"""


@pytest.fixture
def final(tmp_path):
    """Place of a run, with a finished one."""
    folder = tmp_path / "01" / "seed0"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("finished")
    return folder


def test_the_work_folder_of_a_living_run_is_left_alone(tmp_path):
    final = tmp_path / "01" / "seed0"
    with work_folder(final) as first:
        with work_folder(final) as second:
            assert first.is_dir() and second.is_dir() and first != second
    assert os.listdir(final.parent) == []


def test_a_finished_run_comes_back_when_its_replacing_was_killed(final):
    subprocess.run([sys.executable, "-c", KILLED, str(final)])
    assert not final.exists() and len(os.listdir(final.parent)) == 1  # the work folder with both runs
    with work_folder(final):
        assert (final / "run.json").read_text() == "finished"
    assert os.listdir(final.parent) == ["seed0"]


def test_a_newer_run_in_its_place_stays(final):
    subprocess.run([sys.executable, "-c", KILLED, str(final)])
    final.mkdir()
    (final / "run.json").write_text("newer")
    with work_folder(final):
        pass
    assert (final / "run.json").read_text() == "newer" and os.listdir(final.parent) == ["seed0"]


def test_a_finished_run_comes_back_when_its_replacing_fails(final):
    with pytest.raises(FileNotFoundError), work_folder(final) as work:
        replace(work / "run that was never made", final, work / TRASH)
    assert (final / "run.json").read_text() == "finished" and os.listdir(final.parent) == ["seed0"]
