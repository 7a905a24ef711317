"""`posebook notebooks`: execute the committed notebooks and write their outputs back, stamped."""

import tempfile
from pathlib import Path
from typing import Any

import nbformat
import papermill
from rich.console import Console

from posebook.errors import PosebookError
from posebook.executed import write_back
from posebook.kernel import NotebookFailed, execute
from posebook.live import live_position
from posebook.project import chapters, notebook_hash, project_root
from posebook.provenance import device_info, git_state, now, versions
from posebook.results import run_path
from posebook.runner import CELL_TIMEOUT, Request, run_all
from posebook.runs import read_run


def stamp_of_run(notebook: Path, info: dict[str, Any]) -> dict[str, Any]:
    """What made a chapter's outputs, from the run.json of its run, which may be older than the write-back."""
    own = {name: info[name] for name in ("parameters", "git", "device", "versions")}
    return {"source_hash": notebook_hash(notebook), "executed": info["finished"], **own}


def stamp(notebook: Path, parameters: dict[str, Any]) -> dict[str, Any]:
    """What made the outputs of a notebook executed just now: metadata.posebook of a committed notebook."""
    return {
        "source_hash": notebook_hash(notebook),
        "parameters": parameters,
        "executed": now(),
        "git": git_state(notebook.parent),
        "device": device_info("auto"),
        "versions": versions(),
    }


def others(root: Path) -> list[Path]:
    """Notebooks that are no chapters: 00, 06, 07 and the template."""
    known = set(chapters(root).values())
    return [path for path in sorted((root / "notebooks").glob("*.ipynb")) if path not in known]


def refresh(names: list[str], results: Path, force: bool, console: Console, seed: int = 0) -> list[str]:
    """Execute notebooks (laptop, all experiments, one seed) and write the outputs back.

    A chapter is run by the runner into `results`, so that a committed notebook and the committed run are the same
    execution; a finished run of the same sources is reused.

    Args:
        names: chapter numbers or notebook names; everything when empty.
        seed: of the chapters' runs; the stamp says it.

    Returns:
        Names of the notebooks that failed; these keep their old outputs.
    """
    root = project_root()
    numbered = chapters(root)
    wanted = {number: path for number, path in numbered.items() if not names or number in names or path.stem in names}
    free = [path for path in others(root) if not names or path.stem in names or path.stem.split("_")[0] in names]
    if names and len(wanted) + len(free) < len(set(names)):
        raise PosebookError(f"Unknown notebook among {', '.join(names)}. Here are {', '.join(known_names(root))}.")
    failed = [path.stem for path in free if not refresh_free(path, root, console)]
    request = Request(profile="laptop", seed=seed, experiments="all", results=results, force=force)
    for outcome in run_all(wanted, [request], console) if wanted else []:
        source = wanted[outcome.chapter]
        if outcome.status == "failed":
            failed.append(source.stem)
            continue
        folder = run_path(results, request.profile, request.motion, outcome.chapter, request.seed)
        run, executed = read_run(folder), nbformat.read(folder / "notebook.ipynb", as_version=4)
        write_back(source, executed, stamp_of_run(source, run.info), root)
    return failed


def known_names(root: Path) -> list[str]:
    """Names that `refresh` takes."""
    return [path.stem for path in (*others(root), *chapters(root).values())]


def refresh_free(notebook: Path, root: Path, console: Console) -> bool:
    """Execute a notebook that is no chapter; whether it ran to its end."""
    with tempfile.TemporaryDirectory() as folder:
        executed = Path(folder) / notebook.name
        values = {"profile": "laptop", "experiments": "all", "out": str(Path(folder) / "run")}
        parameters = {name: values[name] for name in papermill.inspect_notebook(notebook) if name in values}
        try:
            with live_position(console, notebook.stem, notebook) as on_cell:
                execute(notebook, executed, parameters, CELL_TIMEOUT, on_cell)
        except NotebookFailed as error:
            console.print(f"{notebook.stem}: failed ({error}); its outputs were left as they were", markup=False)
            return False
        kept = {name: value for name, value in parameters.items() if name != "out"}
        write_back(notebook, nbformat.read(executed, as_version=4), stamp(notebook, kept), root)
    console.print(f"{notebook.stem}: executed", markup=False)
    return True
