"""Executed notebooks as files that can be kept: no absolute paths, no papermill debris, outputs written back."""

import copy
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from posebook.cache import atomic_path, cache_dir
from posebook.errors import PosebookError

BINARY = ("image/png", "image/jpeg", "bdata")  # base64 text


def private_paths(root: Path) -> dict[str, str]:
    """Absolute folder -> what stands for it in a kept notebook, longest first."""
    folders = {
        str(root): ".",
        str(cache_dir()): "<cache>",
        tempfile.gettempdir(): "<tmp>",
        str(Path.home()): "~",
    }
    return {path: folders[path] for path in sorted(folders, key=len, reverse=True) if len(path) > 1}


def without_paths(value: Any, folders: dict[str, str]) -> Any:
    """The same JSON value with every private folder replaced, in strings at any depth; binary data are left alone."""
    if isinstance(value, str):
        for path, stands in folders.items():
            # a path starts after something that is no part of a path: "pelvis/root" is not the home folder /root
            value = re.sub(rf"(?<![\w/.~-]){re.escape(path)}(?![\w.-])", stands, value)
        return value
    if isinstance(value, list):
        return [without_paths(item, folders) for item in value]
    if isinstance(value, dict):
        kept = {key: item if key in BINARY else without_paths(item, folders) for key, item in value.items()}
        return type(value)(kept)
    return value


def clean(notebook: NotebookNode, root: Path) -> NotebookNode:
    """Copy without widget state, papermill's paths, and private paths in outputs."""
    notebook = copy.deepcopy(notebook)
    prefixes = private_paths(root)
    notebook.metadata.pop("widgets", None)
    papermill = notebook.metadata.get("papermill", {})
    for facts, names in ((papermill, ("input_path", "output_path")), (papermill.get("parameters", {}), ("out",))):
        for name in names:
            facts.pop(name, None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [without_paths(output, prefixes) for output in cell.outputs]
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.source = re.sub(r"(?m)^out = .*$", 'out = ""', cell.source)  # the runner's work folder, now gone
    return notebook


def renumbered(outputs: list[NotebookNode], count: int) -> list[NotebookNode]:
    """Outputs whose execution count is the cell's."""
    for output in outputs:
        if output.output_type == "execute_result":
            output.execution_count = count
    return outputs


def record_failure(path: Path, message: str) -> None:
    """Put the reason on top of a failed notebook: a time-out or a dead kernel leaves no trace in its cells."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell(f"**This run failed:** {message}"))
    nbformat.write(notebook, path)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Cells that an execution numbers; not the one that papermill adds."""
    injected = "injected-parameters"
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    return [cell for cell in cells if injected not in cell.metadata.get("tags", [])]


def write_back(source: Path, executed: NotebookNode, stamp: dict[str, Any], root: Path) -> None:
    """Put an execution's outputs into the committed notebook; cells run 1..n, parameters keep their defaults.

    Its text may have been changed meanwhile.

    Raises:
        PosebookError: the notebook's code was changed since it was executed.
    """
    notebook = nbformat.read(source, as_version=4)
    cells, made = code_cells(notebook), code_cells(clean(executed, root))
    if [cell.source for cell in made] != [cell.source for cell in cells]:
        raise PosebookError(f"{source.name} was changed after it was executed; run `posebook notebooks --force`.")
    for count, (cell, done) in enumerate(zip(cells, made, strict=True), 1):
        cell.execution_count, cell.outputs = count, renumbered(done.outputs, count)
    notebook.metadata["posebook"] = stamp
    with atomic_path(source) as temporary:
        nbformat.write(notebook, temporary)
    os.chmod(source, 0o644)
