"""The command form of the scripts, and the framework behind it, on 3DPW's layout."""

import functools
import pickle
import shutil
import subprocess
import sys
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fixtures_threedpw as fixture
import pytest

from posebook.data.real import need, open_real
from posebook.data.real.catalogue import CATALOGUE, entry, markdown_table
from posebook.data.real.command import check_address, prepare_all, script
from posebook.data.real.threedpw import READER
from posebook.errors import PosebookError

FOLDER = Path(__file__).resolve().parents[3] / "data_download"


def zipped(root: Path, archive: Path) -> Path:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w") as made:
        for path in sorted(root.rglob("*")):
            if path.is_file():
                made.write(path, path.relative_to(root))
    return archive


def test_archives_in_a_folder_are_unpacked_prepared_and_kept(tmp_path, capsys):
    fixture.write(tmp_path / "made")
    zipped(tmp_path / "made", tmp_path / "have" / "sequenceFiles.zip")
    prepare_all(READER, str(tmp_path / "have"), tmp_path / "out", False)
    text = capsys.readouterr().out
    assert "3DPW test: prepared" in text and "3DPW train: missing" in text and "virtualhumans" in text
    assert "left out: 2 frames, no valid camera" in text
    prepare_all(READER, str(tmp_path / "have"), tmp_path / "out", False)
    assert "3DPW test: kept, prepared before" in capsys.readouterr().out
    shutil.rmtree(tmp_path / "out" / "files" / "imageFiles")
    prepare_all(READER, "", tmp_path / "out", True)
    assert "picture files are missing" in capsys.readouterr().out
    assert len(open_real("3dpw", "test", root=tmp_path / "out")) == 14


def test_nothing_there(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(PosebookError, match=r"missing every label file.*sequenceFiles.zip from https://virtual"):
        prepare_all(READER, str(tmp_path / "empty"), tmp_path / "out", False)
    with pytest.raises(PosebookError, match="No folder"):
        prepare_all(READER, str(tmp_path / "nowhere"), tmp_path / "out", False)
    with pytest.raises(PosebookError, match="not prepared"):
        prepare_all(READER, "", tmp_path / "out", True)
    with pytest.raises(PosebookError, match=r"python data_download/threedpw.py"):
        open_real("3dpw", "test", root=tmp_path / "out")
    with pytest.raises(PosebookError, match="no split 'val'"):
        open_real("3dpw", "val")


def test_an_address(tmp_path):
    fixture.write(tmp_path / "made", pictures=False)
    zipped(tmp_path / "made", tmp_path / "served" / "sequenceFiles.zip")
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *a: None})
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=str(tmp_path / "served")))
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    try:
        prepare_all(READER, f"http://127.0.0.1:{httpd.server_port}/sequenceFiles.zip", tmp_path / "out", False)
    finally:
        httpd.shutdown()
        httpd.server_close()
    assert len(open_real("3dpw", "test", root=tmp_path / "out")) == 14
    for bad in ("http://x.org/a.zip", "ftp://x.org/a.zip", "https://x.org/a.exe"):
        with pytest.raises(PosebookError, match=r"https|\.zip"):
            check_address(entry("3dpw"), bad)
    check_address(entry("coco"), "http://images.cocodataset.org/zips/val2017.zip")


class Attack:
    def __reduce__(self):
        import os

        return os.mkdir, ("/tmp/posebook-attack",)


def test_a_pickle_with_code_and_an_archive_that_climbs_out(tmp_path):
    path = fixture.save(tmp_path / "3DPW", "test", fixture.write(tmp_path / "3DPW", pictures=False))
    path.write_bytes(pickle.dumps(fixture.write(tmp_path / "x", pictures=False) | {"texture_maps": Attack()}, 2))
    with pytest.raises(PosebookError, match="posix.mkdir.*was not run"):
        prepare_all(READER, str(tmp_path / "3DPW"), tmp_path / "out", False)
    assert not Path("/tmp/posebook-attack").exists() and not (tmp_path / "out" / "test").exists()
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(PosebookError, match="not a whole pickle"):
        prepare_all(READER, str(tmp_path / "3DPW"), tmp_path / "out", False)
    (tmp_path / "have").mkdir()
    with zipfile.ZipFile(tmp_path / "have" / "imageFiles.zip", "w") as made:
        made.writestr("../../evil.pkl", "no")
    with pytest.raises(PosebookError, match="points outside"):
        prepare_all(READER, str(tmp_path / "have"), tmp_path / "out", False)
    assert not list(tmp_path.rglob("evil*"))


def test_a_full_disk(tmp_path, monkeypatch):
    fixture.write(tmp_path / "3DPW", pictures=False)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("posebook.fetch.shutil.disk_usage", lambda p: usage._replace(free=1000))
    with pytest.raises(PosebookError, match="Preparing 3dpw test needs"):
        prepare_all(READER, str(tmp_path / "3DPW"), tmp_path / "out", False)
    assert not (tmp_path / "out" / "test").exists()


def test_what_is_missing_is_one_sentence(tmp_path):
    fixture.write(tmp_path / "3DPW", pictures=False)
    prepare_all(READER, str(tmp_path / "3DPW"), tmp_path / "out", False)
    dataset = open_real("3dpw", "test", root=tmp_path / "out")
    need(dataset, ("joints3d",), "chapter 04")
    with pytest.raises(PosebookError, match="3dpw test has no joints3d_h36m17, which chapter 01 needs. H36M-17 joints"):
        need(dataset, ("joints3d", "joints3d_h36m17"), "chapter 01")
    (tmp_path / "out" / "test" / "K.bin").write_bytes(b"1")
    with pytest.raises(PosebookError, match="found 1. Remove the folder"):
        open_real("3dpw", "test", root=tmp_path / "out")


def test_as_a_program(tmp_path):
    command = [sys.executable, str(FOLDER / "threedpw.py"), "--out", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1 and result.stderr.startswith("error: Nothing to do")


def test_script_reports_a_disk_that_fills_up(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["x", "--source", "y"])

    def fails(source, out, check):
        raise OSError(28, "No space left on device", str(tmp_path / "a"))

    with pytest.raises(SystemExit) as stopped:
        script(fails, lambda: tmp_path, "", "Prepare.")
    assert stopped.value.code == 1 and "No space left on device" in capsys.readouterr().err


def test_the_readme_table_is_current():
    text = (FOLDER / "README.md").read_text()
    assert markdown_table() in text, "run python -m posebook.data.real.readme"


def test_every_entry_has_its_script_and_the_readers_their_splits():
    assert len({e.name for e in CATALOGUE}) == len(CATALOGUE)
    for e in CATALOGUE:
        assert (FOLDER / e.script).is_file(), e.script
        text = (FOLDER / e.script).read_text()
        assert f"data_download/{e.script} --source" in text and "--check" in text
