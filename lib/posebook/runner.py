"""`posebook run`: every chapter and seed by papermill, each into a folder that appears whole or not at all."""

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from rich.console import Console

from posebook.cache import DISK_FULL, file_hash, replace
from posebook.errors import PosebookError
from posebook.executed import clean, record_failure
from posebook.kernel import NotebookFailed, check_parameters, execute
from posebook.live import live_position, shown
from posebook.own_body import FREE, VARIABLE
from posebook.profile import load_profile
from posebook.project import EVALUATION, library_hash, notebook_hash, project_root
from posebook.provenance import resolve_device
from posebook.results import run_path
from posebook.runs import read_run
from posebook.work_folder import TRASH, remove_leftovers, work_folder

CELL_TIMEOUT = 4 * 3600  # seconds; a cell may hold a whole training of the gpu profile


@dataclass(frozen=True)
class Request:
    """What to run; the fields that chapters know carry the names of their parameters."""

    profile: str
    seed: int
    motion: str = "procedural"
    device: str = "auto"
    experiments: str = "core"
    results: Path = Path("results-local")
    force: bool = False  # run even what is finished
    cell_timeout: int = CELL_TIMEOUT
    dataset: str = ""  # a prepared real dataset in the place of rendered people

    def parameters(self, chapter: str) -> dict[str, Any]:
        """Parameters of a notebook, `out` excepted: chapters take a dataset as they take a motion source."""
        given = {name: getattr(self, name) for name in ("profile", "seed", "motion", "device", "experiments")}
        own = "dataset" if chapter == EVALUATION else "motion"
        return given | ({own: self.dataset} if self.dataset else {})


class Outcome(NamedTuple):
    """What became of one run."""

    chapter: str
    seed: int
    status: str  # finished, skipped, failed
    folder: Path  # of the run; of the notebook with the error when failed
    message: str


def choose_profile(given: str | None) -> str:
    """Name of the profile: the one given, else POSEBOOK_PROFILE, else laptop.

    Raises:
        PosebookError: both are set and differ, or the name is unknown.
    """
    environment = os.environ.get("POSEBOOK_PROFILE")
    if given and environment and given != environment:
        raise PosebookError(
            f"--profile {given} conflicts with POSEBOOK_PROFILE={environment} in the environment, "
            "which notebooks obey. Unset the variable or drop the option."
        )
    return load_profile(given or environment or "laptop").name


def check_request(request: Request, notebooks: dict[str, Path]) -> None:
    """Refuse what cannot work before anything runs.

    Raises:
        PosebookError: unknown motion, dataset or device, missing motion data, a dataset without what a chapter needs,
            a notebook without one of the parameters.
    """
    if request.dataset:
        from posebook.data.real.catalogue import entry
        from posebook.data.real.chapters import check_chapter  # imported here: heavy

        entry(request.dataset)
        for chapter in notebooks.keys() - {EVALUATION}:
            check_chapter(chapter, request.dataset, load_profile(request.profile).data.frames)
    if request.motion != "procedural":
        from posebook.motion import list_clips  # imported here: heavy, and only needed to see that the data are there

        list_clips(request.motion)
    resolve_device(request.device)
    for chapter, notebook in notebooks.items():
        check_parameters(notebook, request.parameters(chapter) | {"out": ""})


def covers(done: str, asked: str) -> bool:
    """Whether a run of the experiments `done` answers a request for `asked`: `all` holds every other."""
    return done in (asked, "all")


def finished_run(notebook: Path, folder: Path, request: Request) -> str | None:
    """Why the run in `folder` makes another one needless; None when it does not.

    Raises:
        PosebookError: its run.json cannot be read or has another schema.
    """
    if request.force:
        return None
    run = read_run(folder)
    if run is None or not covers(run.info["parameters"]["experiments"], request.experiments):
        return None
    same = (run.info.get("notebook_hash"), run.info.get("library_hash")) == (notebook_hash(notebook), library_hash())
    return "finished before" + (
        "" if same else " by other sources of the notebook or the library; --force runs it again"
    )


def complete(run: Path, executed: Path, notebook: Path, seconds: float) -> None:
    """Add the executed notebook and its facts to the folder that `RunWriter.finish` wrote."""
    root = project_root()
    nbformat.write(clean(nbformat.read(executed, as_version=4), root), run / "notebook.ipynb")
    info = json.loads((run / "run.json").read_text())
    info |= {"notebook": notebook.name, "notebook_hash": notebook_hash(notebook), "notebook_time_s": round(seconds, 1)}
    written = [path for path in sorted(run.iterdir()) if path.suffix in (".csv", ".npz")]
    info |= {"files": {path.name: file_hash(path) for path in written}}  # by which a report sees that they are whole
    (run / "run.json").write_text(json.dumps(info, indent=1) + "\n")


def keep_failure(executed: Path, final: Path, work: Path, message: str) -> Path:
    """Keep a failed run's notebook and reason in `seed<k>.failed`; a finished run of the same name stays."""
    failed = final.with_name(f"{final.name}.failed")
    report = work / "failed"
    report.mkdir()
    if executed.is_file():
        record_failure(executed, message)
        executed.rename(report / "notebook.ipynb")
    (report / "error.txt").write_text(message + "\n")
    replace(report, failed, work / "trash-failed")
    return failed


def run_one(chapter: str, notebook: Path, request: Request, on_cell: Callable | None = None) -> Outcome:
    """Run one chapter with one seed, unless it is finished.

    Errors of the notebook, of the disk and of what lies in the run's place end in the outcome.
    """
    final = run_path(
        request.results.resolve(), request.profile, request.dataset or request.motion, chapter, request.seed
    )
    try:
        remove_leftovers(final)
        known = finished_run(notebook, final, request)
        if known:
            return Outcome(chapter, request.seed, "skipped", final, known)
        with work_folder(final) as work:
            return run_in(work, final, chapter, notebook, request, on_cell)
    except PosebookError as error:
        return Outcome(chapter, request.seed, "failed", final.parent, str(error))
    except OSError as error:
        message = f"{error}. Nothing half-written was kept; {advice(error, final.parent)} and run again."
        return Outcome(chapter, request.seed, "failed", final.parent, message)


def advice(error: OSError, folder: Path) -> str:
    """What to do before a run that the system did not let be written is made again."""
    if error.errno in DISK_FULL:
        return "free some space (`posebook cache`)"
    return f"see that {folder} can be written to, or choose another folder (--results),"


def run_in(
    work: Path, final: Path, chapter: str, notebook: Path, request: Request, on_cell: Callable | None
) -> Outcome:
    """Execute in the work folder, then move the run, or its failure, into place."""
    executed, staged, clock = work / "notebook.ipynb", work / "run", time.perf_counter()
    try:
        parameters = request.parameters(chapter) | {"out": str(staged)}
        execute(notebook.resolve(), executed, parameters, request.cell_timeout, on_cell, environment(chapter, request))
        if read_run(staged) is None:
            raise NotebookFailed("the notebook ended without writing its results: its last cell calls run.finish()")
    except NotebookFailed as error:
        return Outcome(chapter, request.seed, "failed", keep_failure(executed, final, work, str(error)), str(error))
    seconds = time.perf_counter() - clock
    complete(staged, executed, notebook, seconds)
    replace(staged, final, work / TRASH)
    shutil.rmtree(final.with_name(f"{final.name}.failed"), ignore_errors=True)  # an older failure is now answered
    return Outcome(chapter, request.seed, "finished", final, f"{seconds / 60:.1f} min")


def environment(chapter: str, request: Request) -> dict[str, str]:
    """Variables of a notebook's kernel: the body that its people are of."""
    if not request.dataset or chapter == EVALUATION:
        return {VARIABLE: FREE}
    from posebook.data.real.chapters import body_for  # imported here: heavy

    return {VARIABLE: body_for(chapter, request.dataset)}


def run_all(notebooks: dict[str, Path], requests: list[Request], console: Console) -> list[Outcome]:
    """Run every chapter for every request; a failure does not stop the others."""
    for request in requests:
        check_request(request, notebooks)
    outcomes = []
    for chapter, notebook in notebooks.items():
        for request in requests:
            label = f"{chapter} seed {request.seed}"
            with live_position(console, label, notebook) as on_cell:
                outcome = run_one(chapter, notebook, request, on_cell)
            console.print(f"{label}: {outcome.status} ({outcome.message}) -> {shown(outcome.folder)}", markup=False)
            outcomes.append(outcome)
    return outcomes
