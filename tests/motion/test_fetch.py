"""Fetching and unpacking archives, against a local server and archives made to do harm."""

import io
import shutil
import tarfile
import zipfile

import pytest
from served import Handler

from posebook.errors import PosebookError
from posebook.motion.fetch import check_address, download, extract


def test_download_continues_where_it_stopped(server, tmp_path):
    target = tmp_path / "got" / "a.zip"
    Handler.short = True
    with pytest.raises(PosebookError, match="continue"):
        download(server, target)
    assert not target.exists() and target.with_name("a.zip.part").stat().st_size == 1000
    Handler.short = False
    assert download(server, target).read_bytes() == bytes(range(256)) * 40
    assert Handler.ranges == [0, 1000] and not target.with_name("a.zip.part").exists()
    download(server, target)
    assert len(Handler.ranges) == 2  # what is whole is not fetched again


def test_disk_and_network_errors(server, tmp_path, monkeypatch):
    with pytest.raises(PosebookError, match="cannot be fetched"):
        download("http://127.0.0.1:9/a.zip", tmp_path / "b.zip")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("posebook.fetch.shutil.disk_usage", lambda p: usage._replace(free=1000))
    with pytest.raises(PosebookError, match="are free"):
        download(server, tmp_path / "c.zip")


@pytest.mark.parametrize(
    "address", ["http://x.org/a.zip", "ftp://x.org/a.zip", "file:///etc/a.zip", "https://x.org/a.exe"]
)
def test_addresses(address):
    with pytest.raises(PosebookError, match=r"https|\.zip"):
        check_address(address)


def test_good_address():
    check_address("https://github.com/una-dinosauria/cmu-mocap/archive/refs/heads/master.zip")


def test_zip_cannot_write_elsewhere(tmp_path):
    archive = tmp_path / "deep" / "a.zip"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("../../02_01.bvh", "one")
        made.writestr("/abs/data/002/02_02.bvh", "two")
        made.writestr("../evil.sh", "no")
        made.writestr("data/readme.txt", "no")
    out = tmp_path / "deep" / "out"
    extract(archive, out)
    assert sorted(p.name for p in out.iterdir()) == ["02_01.bvh", "02_02.bvh"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep"] and (out / "02_01.bvh").read_text() == "one"


def test_tar_links_are_not_followed(tmp_path):
    archive = tmp_path / "a.tar.gz"
    with tarfile.open(archive, "w:gz") as made:
        link = tarfile.TarInfo("02_03.bvh")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        made.addfile(link)
        real = tarfile.TarInfo("x/02_01.bvh")
        real.size = 3
        made.addfile(real, io.BytesIO(b"one"))
    assert [p.name for p in extract(archive, tmp_path / "out")] == ["02_01.bvh"]
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["02_01.bvh"]


def test_bad_archives(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"not an archive")
    with pytest.raises(PosebookError, match="not a whole"):
        extract(tmp_path / "a.zip", tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as made:
        made.writestr("readme.txt", "hello")
    with pytest.raises(PosebookError, match="no files named"):
        extract(tmp_path / "b.zip", tmp_path / "out")
