"""Get archives and take files out of them: resumable, checked, with a look at the disk first, and nothing outside.

What an archive's author wrote into it is not trusted: members that point out of the folder, links, devices and members
larger than they may be are refused by name before anything of them is written.
"""

import hashlib
import re
import shutil
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from tqdm.auto import tqdm

from posebook.errors import PosebookError

CHUNK = 1 << 20
SPACE_FACTOR = 3.0  # archive + extracted files, in sizes of the archive
LARGEST = 64 << 30  # bytes of one member; a video set's largest files have a few GB
ARCHIVE = re.compile(r"\.(zip|tar|tar\.gz|tgz|tar\.xz|tar\.bz2)$")


class Member(NamedTuple):
    """One entry of an archive."""

    name: str  # as written there
    size: int  # bytes when unpacked
    regular: bool  # a file: no folder, link or device
    folder: bool
    stream: Callable[[], IO[bytes]]


def need_space(folder: Path, wanted: int, what: str) -> None:
    """PosebookError unless `folder`'s disk has `wanted` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise PosebookError(
            f"{what} needs {wanted >> 20} MB in {folder}, {free >> 20} MB are free. Free some or use --out."
        )


def is_archive(name: str) -> bool:
    """Whether a name ends like a zip or tar archive."""
    return bool(ARCHIVE.search(name))


def digest_of(path: Path, kind: str) -> str:
    """Hex digest ("sha256" or "md5") of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, kind).hexdigest()


def check_digest(path: Path, expected: str) -> None:
    """Compare a file with its published checksum; a file that differs is removed.

    Args:
        path: the file.
        expected: 64 hex digits (sha256) or 32 (md5).

    Raises:
        PosebookError: it differs.
    """
    found = digest_of(path, "sha256" if len(expected) == 64 else "md5")
    if found != expected:
        path.unlink()
        raise PosebookError(
            f"{path.name}: expected checksum {expected}, got {found}. The file is damaged or another one and was "
            "removed; run the command again. If that repeats, the publisher has changed the file: tell us."
        )


def download(address: str, target: Path, checksum: str = "", factor: float = SPACE_FACTOR) -> Path:
    """Fetch `address` to `target`, unless it is there; what an earlier try left in `target`.part is continued.

    Args:
        address: http(s) address.
        target: file to write.
        checksum: published sha256 or md5, if there is one.
        factor: free space wanted, in sizes of the file.

    Raises:
        PosebookError: the server cannot be reached, the file is shorter than promised or differs from its checksum, or
            the disk is too small.
    """
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    done = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            if answer.status != 206:
                done = 0  # the server starts again
            total = done + int(answer.headers.get("Content-Length") or 0)
            need_space(target.parent, int(factor * total) - done, "The download")
            receive(answer, part, done, total, target.name)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing left to send: the part is whole, or of another file
            part.unlink(missing_ok=True)
            raise PosebookError(f"{address}: the server has nothing after byte {done}; the partial file was removed, "
                                "run the command again.") from None  # fmt: skip
        raise PosebookError(f"{address} cannot be fetched: {error}.") from None
    except (urllib.error.URLError, OSError) as error:
        raise PosebookError(f"{address} cannot be fetched: {error}. Run again to continue.") from None
    if checksum:
        check_digest(part, checksum)
    part.rename(target)
    return target


def receive(answer: IO[bytes], part: Path, done: int, total: int, name: str) -> None:
    """Append the answer's body to `part`, with a progress bar; PosebookError if it ends early."""
    with (
        open(part, "ab" if done else "wb") as out,
        tqdm(total=total or None, initial=done, unit="B", unit_scale=True, desc=name) as bar,
    ):
        while chunk := answer.read(CHUNK):
            out.write(chunk)
            bar.update(len(chunk))
    size = part.stat().st_size
    if total and size < total:
        raise PosebookError(f"{name}: got {size} of {total} bytes. Run the command again to continue.")


@contextmanager
def reading(archive: Path) -> Iterator[Iterator[Member]]:
    """The members of a zip or tar archive.

    Raises:
        PosebookError: the archive is cut, damaged or none.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                yield _zip_members(opened)
        else:
            with tarfile.open(archive) as opened:
                yield _tar_members(opened)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, OSError) as error:
        if getattr(error, "errno", None):  # the disk's error, not the archive's
            raise
        raise PosebookError(
            f"{archive} is not a whole zip or tar archive ({error}). Delete it and fetch it again."
        ) from None


def _zip_members(opened: zipfile.ZipFile) -> Iterator[Member]:
    for info in opened.infolist():
        link = (info.external_attr >> 16) & 0o170000 == 0o120000
        regular = not info.is_dir() and not link
        yield Member(info.filename, info.file_size, regular, info.is_dir(), lambda info=info: opened.open(info))


def _tar_members(opened: tarfile.TarFile) -> Iterator[Member]:
    for info in opened:
        yield Member(info.name, info.size, info.isreg(), info.isdir(), lambda info=info: opened.extractfile(info))


def safe_path(folder: Path, name: str, archive: Path) -> Path:
    """Where a member goes; PosebookError if that is not inside `folder`."""
    pure = PurePosixPath(name.replace("\\", "/"))
    if pure.is_absolute() or ".." in pure.parts or re.match(r"[A-Za-z]:", name):
        raise PosebookError(
            f"{archive}: member {name!r} points outside the folder it is unpacked to. The archive is not what its "
            "publisher made; nothing of this member was written. Delete the archive and get it from the source again."
        )
    return folder.joinpath(*pure.parts)


def unpack(
    archive: Path, folder: Path, wanted: Callable[[str], bool] = lambda name: True, largest: int = LARGEST
) -> list[Path]:
    """Unpack the wanted members of a zip or tar archive below `folder`; files that are there in full are kept.

    Args:
        archive: the file.
        folder: where members go under their own names.
        wanted: says of a member's name whether to take it.
        largest: bytes that a member may have.

    Returns:
        The files, in order of the archive.

    Raises:
        PosebookError: a wanted member that points outside, is a link or device, or is too large; a damaged archive.
    """
    made = []
    with reading(archive) as members:
        for member in tqdm(members, desc=f"unpacking {archive.name}", unit="file"):
            if member.folder or not wanted(member.name):
                continue
            target = safe_path(folder, member.name, archive)
            if not member.regular:
                raise PosebookError(f"{archive}: member {member.name!r} is a link or device; only files are unpacked.")
            write_member(member, target, largest, archive)
            made.append(target)
    return made


def write_member(member: Member, target: Path, largest: int, archive: Path) -> None:
    """Write one member unless a file of its size is there; never more bytes than the archive announced."""
    if member.size > largest:
        raise PosebookError(
            f"{archive}: member {member.name} has {member.size >> 20} MB, more than the {largest >> 20} MB that any "
            "file of this dataset has. It was not unpacked."
        )
    if target.is_file() and target.stat().st_size == member.size:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.part")
    try:
        with member.stream() as source, open(temporary, "wb") as out:
            shutil.copyfileobj(source, out, CHUNK)
        if temporary.stat().st_size != member.size:
            raise PosebookError(f"{archive}: member {member.name} is cut. Delete the archive and fetch it again.")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
