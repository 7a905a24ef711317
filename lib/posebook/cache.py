"""Where made things live (POSEBOOK_CACHE, else the user's cache folder), and how files are written: whole or not."""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from platformdirs import user_cache_dir

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


DISK_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}  # no space, or no more of it for this user


def cache_dir(*parts: str) -> Path:
    """Folder `<cache>/parts…`, made if absent."""
    base = os.environ.get("POSEBOOK_CACHE") or user_cache_dir("posebook")
    folder = Path(base).expanduser().joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, remove it on failure.

    The file (or folder) named `path` therefore never exists half-written: not after a crash, not on a full disk.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    temporary = folder / path.name
    try:
        yield temporary
        replace(temporary, path, folder / "old")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def replace(new: Path, path: Path, old: Path) -> None:
    """Rename `new` to `path`; what a folder would replace goes to `old` first, and comes back if the renaming fails."""
    if new.is_dir() and path.exists():
        path.rename(old)  # a folder can be renamed over an empty folder only
    try:
        os.replace(new, path)
    except OSError:
        if old.exists() and not path.exists():
            old.rename(path)
        raise


@contextmanager
def locked(path: str | Path) -> Iterator[None]:
    """Hold the making of `path` for this process; another one that wants it waits here until the first is done.

    Look again inside whether `path` is there. The lock is the empty file `<path>.lock`, which stays (removing it would
    let two processes lock two files of one name); a process that is killed gives its lock up.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.parent / f"{path.name}.lock", "a") as stream:
        if fcntl is not None:  # without it nobody waits: the work may be done twice, but atomic_path keeps files whole
            with suppress(OSError):  # nor on a file system that has no locks
                fcntl.flock(stream, fcntl.LOCK_EX)
        yield  # closing the file gives the lock up


def full_disk_message(error: OSError, what: str, path: str | Path) -> str:
    """What failed for want of space, where, how much is left there, and what to do."""
    path = Path(path)
    folder = next(place for place in (path, *path.absolute().parents) if place.is_dir())
    free = shutil.disk_usage(folder).free
    return (
        f"{what}: {error.strerror} ({path}; {free / 1e6:.0f} MB free). Nothing half-written is taken for whole. Free "
        "some space (`posebook cache` shows and clears what can be made again), or set POSEBOOK_CACHE to another disk."
    )


def write_text(path: str | Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text)


def content_hash(arrays: dict[str, np.ndarray]) -> str:
    """sha256 over names, dtypes, shapes and bytes of named arrays, independent of their order."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}:{array.dtype.str}:{array.shape};".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def file_hash(path: str | Path) -> str:
    """sha256 of a file's bytes."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def folder_size(folder: str | Path) -> int:
    """Bytes in all files below a folder."""
    return sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file())
