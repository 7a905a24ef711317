"""Get an archive over https: resumable, with a look at the disk first, and take only BVH files out of it."""

import re
import shutil
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tqdm.auto import tqdm

from posebook.cache import atomic_path
from posebook.errors import PosebookError

CHUNK = 1 << 20
LARGEST = 64 << 20  # bytes: no CMU file is larger; a bigger member is not one
MEMBER = re.compile(r"(?:^|/)(\d{2,3}_\d{2}\.bvh(?:\.gz)?)$")
SPACE_FACTOR = 3.0  # archive + extracted files, in sizes of the archive
CLIPS_SPACE = 700 << 20  # bytes: all 2,435 prepared clips


def need_space(folder: Path, wanted: int, what: str) -> None:
    """PosebookError unless `folder`'s disk has `wanted` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise PosebookError(
            f"{what} needs {wanted >> 20} MB in {folder}, {free >> 20} MB are free. Free some or use --out."
        )


def check_address(address: str) -> None:
    """PosebookError unless the address is https and names a zip or tar archive."""
    if not address.startswith("https://"):
        raise PosebookError(f"{address}: only https addresses are fetched.")
    if not re.search(r"\.(zip|tar|tar\.gz|tgz|tar\.xz|tar\.bz2)$", address.split("?")[0]):
        raise PosebookError(f"{address}: expected a .zip or .tar archive of BVH files.")


def download(address: str, target: Path) -> Path:
    """Fetch `address` to `target`; what an earlier try left in `target`.part is continued.

    Raises:
        PosebookError: the server cannot be reached, the file is shorter than promised, or the disk is too small.
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
            need_space(target.parent, int(SPACE_FACTOR * total) - done, "The download")
            receive(answer, part, done, total, target.name)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing left to send: the part is whole, or of another file
            part.unlink(missing_ok=True)
            raise PosebookError(f"{address}: the server has nothing after byte {done}; the partial file was removed, "
                                "run the command again.") from None  # fmt: skip
        raise PosebookError(f"{address} cannot be fetched: {error}.") from None
    except (urllib.error.URLError, OSError) as error:
        raise PosebookError(f"{address} cannot be fetched: {error}. Run again to continue.") from None
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


def extract(archive: Path, folder: Path) -> list[Path]:
    """Take the files named <SS_TT>.bvh[.gz] out of a zip or tar archive into one flat folder.

    Only regular members are read and only the last part of their names is used, so nothing can be written outside
    `folder`; members larger than LARGEST are refused.

    Returns:
        The extracted files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    try:
        for name, size, stream in members(archive):
            target = folder / name
            if size > LARGEST:
                raise PosebookError(f"{archive}: member {name} has {size >> 20} MB; no CMU file is so large.")
            if not (target.is_file() and target.stat().st_size == size):
                with stream() as source, atomic_path(target) as temporary, open(temporary, "wb") as out:
                    shutil.copyfileobj(source, out)
            made.append(target)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as error:
        raise PosebookError(
            f"{archive} is not a whole zip or tar archive ({error}). Delete it and fetch it again."
        ) from None
    if not made:
        raise PosebookError(f"{archive} holds no files named like 02_01.bvh.")
    return made


def members(archive: Path) -> Iterator[tuple[str, int, object]]:
    """(plain name, size, function that opens it) of each BVH member of an archive."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            for info in opened.infolist():
                if not info.is_dir() and (match := MEMBER.search(info.filename)):
                    yield match[1], info.file_size, lambda info=info: opened.open(info)
        return
    with tarfile.open(archive) as opened:
        for info in opened:
            if info.isreg() and (match := MEMBER.search(info.name)):
                yield match[1], info.size, lambda info=info: opened.extractfile(info)
