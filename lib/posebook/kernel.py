"""Executing one notebook by papermill: own Python, private sockets, live position, one clear failure."""

import logging
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import papermill
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from posebook.errors import PosebookError

START_TIMEOUT = 300  # seconds for a kernel to start: importing torch on a busy machine


class NotebookFailed(Exception):
    """A notebook did not run to its end; the message says in which cell and why."""


class LocalKernelManager(AsyncKernelManager):
    """Kernel of this very Python, over unix sockets in a private folder.

    TCP kernels that start together race for ports (papermill#511), and a user-wide `python3` kernelspec may belong to
    another environment; both end here.
    """

    environment: dict[str, str] = {}  # variables that its kernels get besides this process'

    def __init__(self, **options: Any):
        self._sockets = tempfile.mkdtemp(prefix="posebook-")
        super().__init__(**({"transport": "ipc", "ip": str(Path(self._sockets) / "k")} | options))

    @property
    def kernel_spec(self) -> KernelSpec:
        """Kernelspec of sys.executable, whatever the notebook's kernel name."""
        return KernelSpec(**get_kernel_dict() | {"env": self.environment})

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        await super()._async_cleanup_resources(restart=restart)
        if not restart:
            shutil.rmtree(self._sockets, ignore_errors=True)

    cleanup_resources = _async_cleanup_resources


def check_parameters(notebook: Path, parameters: dict[str, Any]) -> None:
    """Refuse parameters that the notebook's `parameters` cell does not define (papermill only warns).

    Raises:
        PosebookError: no such cell, or an unknown name.
    """
    logging.getLogger("papermill").setLevel(logging.ERROR)
    known = papermill.inspect_notebook(notebook)
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        has = f"it defines {', '.join(known)}" if known else "it has no cell tagged `parameters`"
        raise PosebookError(f"{notebook.name} does not know the parameter(s) {', '.join(unknown)}; {has}.")


def execute(
    notebook: Path,
    output: Path,
    parameters: dict[str, Any],
    cell_timeout: int,
    on_cell: Callable[[dict, int], None] | None = None,
    environment: dict[str, str] | None = None,
) -> None:
    """Run a notebook from top to bottom into `output`, which is saved after every cell, the failing one included.

    Args:
        notebook, output: absolute paths (papermill's `cwd` is not thread safe and not used).
        parameters: checked by `check_parameters`; plain Python values.
        cell_timeout: seconds one cell may take.
        on_cell: called with (cell, index) when a cell starts.
        environment: variables that the kernel gets besides this process'.

    Raises:
        NotebookFailed: a cell raised, took too long, or the kernel died or did not start.
    """
    hook = {"on_cell_start": lambda cell, cell_index, **_: on_cell(cell, cell_index)} if on_cell else {}
    try:
        papermill.execute_notebook(
            notebook,
            output,
            parameters=parameters,
            progress_bar=False,
            start_timeout=START_TIMEOUT,
            execution_timeout=cell_timeout,
            kernel_manager_class=type("OwnKernelManager", (LocalKernelManager,), {"environment": environment or {}}),
            **hook,
        )
    except papermill.PapermillExecutionError as error:
        raise NotebookFailed(f"cell [{error.exec_count}]: {error.ename}: {error.evalue}") from error
    except CellTimeoutError as error:
        raise NotebookFailed(f"a cell took longer than {cell_timeout} s (--cell-timeout)") from error
    except DeadKernelError as error:
        raise NotebookFailed("the kernel died; most often the machine ran out of memory") from error
    except RuntimeError as error:  # all that jupyter_client raises; DeadKernelError is one, too
        raise NotebookFailed(
            f"the kernel did not start ({error}); the terminal shows what it said. Run again when less else runs here; "
            f"if that does not help, `make install` and see that `{sys.executable} -m ipykernel --version` answers"
        ) from error
