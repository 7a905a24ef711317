import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from posebook import doctor
from posebook.cache import cache_dir
from posebook.cli import app
from posebook.doctor import clear_cache, examine
from posebook.errors import PosebookError


def disk_with(free: int):
    return lambda _: type("Usage", (), {"free": free})()


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POSEBOOK_CACHE", str(tmp_path))
    monkeypatch.delenv("POSEBOOK_SMPL", raising=False)
    return tmp_path


def found():
    return {check.name: check for check in examine()}


def test_a_fresh_machine_has_nothing_needed_missing_and_a_remedy_for_the_rest():
    checks = found()
    assert set(checks) == {
        *("versions", "device", "disk", "notebooks", "body", "data", "CMU motion", "trunk", "licensed SMPL"),
        "official weights",
    }
    for name in ("body", "data", "CMU motion", "licensed SMPL", "official weights"):
        assert checks[name].state == "optional" and checks[name].remedy
    assert "data_download/cmu_mocap.py" in checks["CMU motion"].remedy
    assert checks["versions"].state == "ok" and "torch 2.13.0" in checks["versions"].found


def test_what_is_there_is_found():
    (cache_dir("body", "key") / "body.npz").touch()
    (cache_dir("data", "procedural-test-sequences-8-abc") / "manifest.json").touch()
    cache_dir("data", "procedural-train-stills-8-abc.partial")
    checks = found()
    assert checks["body"].state == "ok"
    assert checks["data"].state == "ok" and "1 datasets (procedural test)" in checks["data"].found
    assert "1 interrupted" in checks["data"].found


def test_a_missing_smpl_file_is_an_error_with_the_way_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("POSEBOOK_SMPL", str(tmp_path / "SMPL_NEUTRAL.pkl"))
    check = found()["licensed SMPL"]
    assert check.state == "missing" and "smpl.is.tue.mpg.de" in check.remedy
    (tmp_path / "SMPL_NEUTRAL.pkl").touch()
    assert found()["licensed SMPL"].state == "ok"


def test_a_full_disk_is_seen(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", disk_with(10**8))
    check = found()["disk"]
    assert check.state == "missing" and "POSEBOOK_CACHE" in check.remedy


def test_another_torch_is_pointed_out(monkeypatch):
    known = doctor.versions()
    monkeypatch.setattr(doctor, "versions", lambda: known | {"torch": "2.9.0", "anny": None})
    assert found()["versions"].state == "missing"
    monkeypatch.setattr(doctor, "versions", lambda: known | {"torch": "2.9.0"})
    assert found()["versions"].state == "optional" and "2.13.0" in found()["versions"].remedy


def test_the_command_prints_every_check_and_fails_when_something_needed_is_missing(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", disk_with(10**12))
    shown = CliRunner().invoke(app, ["doctor"])
    assert shown.exit_code == 0 and all(check.name in shown.output for check in examine())
    monkeypatch.setenv("POSEBOOK_SMPL", "/nowhere.pkl")
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 1


def test_unknown_kinds_are_refused_before_anything_is_removed(tmp_path):
    (cache_dir("runs") / "a").touch()
    with pytest.raises(PosebookError, match="Unknown kind nonsense"):
        clear_cache(["runs", "nonsense"])
    assert (tmp_path / "runs" / "a").exists()


def test_own_weights_are_cleared_by_name_only(tmp_path):
    for kind in ("weights", "runs"):
        (cache_dir(kind) / "a").write_bytes(b"12345")
    assert "weights" not in clear_cache([])
    assert (tmp_path / "weights" / "a").exists() and not (tmp_path / "runs" / "a").exists()
    assert clear_cache(["weights"]) == {"weights": 5} and not (tmp_path / "weights").exists()


def test_every_kind_of_the_cache_can_be_shown_and_cleared(monkeypatch):
    """Kinds are the folders that the library asks for; the help of `posebook cache` lists them."""
    files = Path(doctor.__file__).parent.rglob("*.py")
    asked = {kind for file in files for kind in re.findall(r'\bcache_dir\("(\w+)"', file.read_text())}
    assert asked == set(doctor.CACHE_KINDS)
    monkeypatch.setenv("COLUMNS", "200")
    help_text = CliRunner().invoke(app, ["cache", "--help"]).output
    assert ", ".join(doctor.CACHE_KINDS) in help_text
