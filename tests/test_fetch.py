"""Downloads from a local server that misbehaves, and archives made to do harm."""

import hashlib
import io
import shutil
import tarfile
import zipfile

import pytest
from served import DATA, Handler

from posebook.errors import PosebookError
from posebook.fetch import download, safe_path, unpack


def test_a_dropped_connection_is_resumed_and_a_second_run_skips(server, tmp_path):
    target, checksum = tmp_path / "got" / "a.zip", hashlib.sha256(DATA).hexdigest()
    Handler.short = True
    with pytest.raises(PosebookError, match="1000 of 10240 bytes. Run the command again to continue"):
        download(server, target, checksum)
    assert not target.exists()
    Handler.short = False
    assert download(server, target, checksum).read_bytes() == DATA
    download(server, target, checksum)
    assert Handler.ranges == [0, 1000]


def test_a_wrong_checksum_is_refused(server, tmp_path):
    target = tmp_path / "got" / "a.zip"
    with pytest.raises(PosebookError, match="expected checksum 0000.*was removed"):
        download(server, target, "0" * 64)
    assert not list(target.parent.iterdir())
    assert download(server, target, hashlib.md5(DATA).hexdigest()).is_file()


def test_a_full_disk_is_explained_before_anything_is_written(server, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("posebook.fetch.shutil.disk_usage", lambda p: usage._replace(free=1000))
    with pytest.raises(PosebookError, match="needs 0 MB in .*, 0 MB are free"):
        download(server, tmp_path / "got" / "a.zip")
    assert not list((tmp_path / "got").iterdir())


@pytest.mark.parametrize("name", ["../evil.txt", "a/../../evil.txt", "/etc/evil", "..\\evil.txt", "C:\\evil.txt"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_members_that_point_outside_are_refused(tmp_path, name, kind):
    archive = tmp_path / "deep" / f"a.{kind}"
    archive.parent.mkdir()
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as made:
            made.writestr(zipfile.ZipInfo(name), "no")
    else:
        with tarfile.open(archive, "w") as made:
            info = tarfile.TarInfo(name)
            info.size = 2
            made.addfile(info, io.BytesIO(b"no"))
    with pytest.raises(PosebookError, match="points outside"):
        unpack(archive, tmp_path / "deep" / "out")
    assert [p.name for p in tmp_path.rglob("*")] == ["deep", f"a.{kind}"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path, kind):
    archive = tmp_path / "a.tar.gz"
    with tarfile.open(archive, "w:gz") as made:
        link = tarfile.TarInfo("inside.txt")
        link.type, link.linkname = kind, "/etc/passwd"
        made.addfile(link)
    with pytest.raises(PosebookError, match="link or device"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_zip_links_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        link = zipfile.ZipInfo("inside.txt")
        link.external_attr = 0o120777 << 16
        made.writestr(link, "/etc/passwd")
    with pytest.raises(PosebookError, match="link or device"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_oversized_and_cut_members(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("big.bin", bytes(1 << 21))
    with pytest.raises(PosebookError, match=r"big\.bin has 2 MB, more than the 1 MB"):
        unpack(tmp_path / "a.zip", tmp_path / "out", largest=1 << 20)
    assert not list((tmp_path / "out").rglob("*")) if (tmp_path / "out").exists() else True
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "b.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(PosebookError, match="not a whole zip or tar"):
        unpack(tmp_path / "b.zip", tmp_path / "out")


def test_unpacking_keeps_what_is_there_in_full(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr("x/one.txt", "one")
        made.writestr("x/two.txt", "two")
    out = tmp_path / "out"
    assert [p.name for p in unpack(tmp_path / "a.zip", out)] == ["one.txt", "two.txt"]
    before = (out / "x" / "one.txt").stat().st_mtime_ns
    (out / "x" / "two.txt").write_text("t")
    unpack(tmp_path / "a.zip", out, wanted=lambda name: True)
    assert (out / "x" / "one.txt").stat().st_mtime_ns == before and (out / "x" / "two.txt").read_text() == "two"


def test_safe_path(tmp_path):
    assert safe_path(tmp_path, "a/b.txt", tmp_path) == tmp_path / "a" / "b.txt"
