"""Whether a cluster can do a grid: asked of every worker before a run is wasted, one clear error for each trouble."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cloudpickle
from distributed import Client

from posebook.bench import probe
from posebook.bench.grid import GridRun, distinct
from posebook.bench.work import Order, check_node
from posebook.errors import PosebookError
from posebook.runner import Request, check_request


@contextmanager
def shared_file(results: Path) -> Iterator[tuple[Path, str]]:
    """A file in the results folder that every node must see, and the token it holds; removed at the end."""
    results.mkdir(parents=True, exist_ok=True)
    token = secrets.token_hex(8)
    path = results / f".posebook-bench-{token}"
    path.write_text(token)
    try:
        yield path, token
    finally:
        path.unlink(missing_ok=True)


def preflight(client: Client, runs: list[GridRun], wanted: Order, token: str) -> None:
    """Ask every worker that is there now; those that come later are checked by each run (`work.check_node`).

    Raises:
        PosebookError: a worker without the package, without the shared folder, with other sources, or unable to do
            what the runs ask for (a device, motion data).
    """
    assert wanted.shared is not None
    cloudpickle.register_pickle_by_value(probe)  # by reference, a worker without the package could not even answer
    try:
        answers = _ask(client, probe.look, str(wanted.shared), token)
    finally:
        cloudpickle.unregister_pickle_by_value(probe)
    for worker, facts in answers.items():
        _check_facts(worker, facts, wanted.shared.parent)
    _ask(client, _check, wanted, distinct(runs))


def _ask(client: Client, question: Callable, *arguments: Any) -> dict[str, Any]:
    """Answers of all workers; the first error that one of them raises is ours."""
    answers = client.run(question, *arguments, on_error="return")
    for worker, answer in answers.items():
        if isinstance(answer, PosebookError):
            raise answer
        if isinstance(answer, BaseException):
            raise PosebookError(
                f"The worker {worker} could not answer: {type(answer).__name__}: {answer}. See its log, and that its "
                "Python and packages are those of this machine (`make install` on both)."
            ) from answer
    return answers


def _check_facts(worker: str, facts: dict[str, Any], results: Path) -> None:
    place = f"The worker {worker} on {facts['host']}"
    if not facts["package"]:
        raise PosebookError(
            f"{place} has no Posebook: its Python is {facts['python']}. Start it with the Python of a clone's .venv, "
            "where `make install` has put the package."
        )
    if not facts["shares"]:
        raise PosebookError(
            f"{place} does not see the results folder {results} of this machine. Choose a folder that all nodes share "
            "under the same path (--results, or `results` in the grid)."
        )
    if facts["writes"]:
        raise PosebookError(f"{place} cannot write to the results folder {results}: {facts['writes']}.")


def _check(wanted: Order, requests: list[Request]) -> None:
    """On a worker: the sources, and what the runs ask for."""
    check_node(wanted)
    for request in requests:
        check_request(request, {})
