"""One run of a grid as a process of this machine or a worker of a cluster performs it."""

import os
import socket
from pathlib import Path
from typing import NamedTuple

from posebook.bench.grid import GridRun
from posebook.errors import PosebookError
from posebook.project import library_hash, notebook_hash, select_chapters
from posebook.runner import Outcome, run_one

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Order(NamedTuple):
    """What whoever gives out the runs expects of every node."""

    cores: int  # threads of one run
    library: str  # library_hash() of the client
    notebooks: dict[str, str]  # chapter -> notebook_hash
    shared: Path | None = None  # a file in the results folder that every node must see; None on one machine


def order(runs: list[GridRun], cores: int, shared: Path | None = None) -> Order:
    """The client's own sources as what the nodes must have."""
    notebooks = select_chapters(sorted({run.chapter for run in runs}))
    return Order(cores, library_hash(), {name: notebook_hash(path) for name, path in notebooks.items()}, shared)


def check_node(wanted: Order) -> None:
    """Refuse to work on a node that would give other numbers, or give them to nobody.

    Raises:
        PosebookError: other sources than the client's, or another results folder.
    """
    here = f"The node {socket.gethostname()}"
    differ = [] if library_hash() == wanted.library else ["library"]
    own = select_chapters([])
    for chapter, source in wanted.notebooks.items():
        path = own.get(chapter) or select_chapters([chapter]).get(chapter)
        if path is None or notebook_hash(path) != source:
            differ.append(f"notebook {chapter}")
    if differ:
        raise PosebookError(
            f"{here} has another version of the project than this machine ({', '.join(differ)} in "
            f"{Path(__file__).parents[3]}). Bring both to the same commit, then start its worker again."
        )
    if wanted.shared is not None and not wanted.shared.is_file():
        raise PosebookError(
            f"{here} does not see the results folder {wanted.shared.parent} of this machine. Choose a folder that all "
            "nodes share under the same path (--results, or `results` in the grid)."
        )


def perform(run: GridRun, wanted: Order) -> Outcome:
    """Run one chapter with one seed in this process's kernel; errors of the notebook end in the outcome.

    Raises:
        PosebookError: this node must not do it (`check_node`).
    """
    check_node(wanted)
    os.environ.update({name: str(wanted.cores) for name in THREADS})  # the kernel inherits them
    return run_one(run.chapter, select_chapters([run.chapter])[run.chapter], run.request)
