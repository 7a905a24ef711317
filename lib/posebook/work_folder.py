"""Hidden folders beside a run's place, in which the run is made; what killed runs left there is cleared away."""

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

TRASH = "trash"  # in a work folder: the finished run that the new one replaces


@contextmanager
def work_folder(final: Path) -> Iterator[Path]:
    """A hidden folder beside `final` to work in; those that killed runs of this machine left are removed."""
    final.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(final)
    work = Path(tempfile.mkdtemp(prefix=f"{hidden(final)}{os.getpid()}.", dir=final.parent))
    try:
        yield work
    finally:
        remove_work(work, final)


def hidden(final: Path) -> str:
    """How the names of this machine's work folders for `final` begin; the process' number follows."""
    host = re.sub(r"\W", "-", socket.gethostname())
    return f".{final.name}.{host}."


def remove_leftovers(final: Path) -> None:
    """Remove the work folders that killed runs of this machine left; a finished run in one of them is put back."""
    for left in final.parent.glob(f"{hidden(final)}*"):
        if not psutil.pid_exists(int(left.name.split(".")[-2])):
            remove_work(left, final)


def remove_work(work: Path, final: Path) -> None:
    """Remove a work folder; the run that was to be replaced goes back to `final` if no other one took its place."""
    trash = work / TRASH
    if trash.exists() and not final.exists():
        with suppress(FileNotFoundError):  # another process was faster
            trash.rename(final)
    shutil.rmtree(work, ignore_errors=True)
