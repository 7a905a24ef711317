"""Run folders: how reports and the runner read what `posebook.results.RunWriter` wrote."""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from posebook.errors import PosebookError
from posebook.results import SCHEMA_VERSION

SEED_FOLDER = re.compile(r"seed\d+")  # of a run that is neither in the making nor failed


class Run(NamedTuple):
    """One finished run on disk."""

    folder: Path
    info: dict[str, Any]  # run.json

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return int(self.info["parameters"]["seed"])

    def table(self, name: str) -> pd.DataFrame:
        """metrics, findings, per_sequence or costs; empty where the run has none."""
        path = self.folder / f"{name}.csv"
        return pd.read_csv(path, dtype={"sequence": str}) if path.is_file() else pd.DataFrame()


def read_run(folder: str | Path) -> Run | None:
    """The finished run in a folder; None where there is none.

    Raises:
        PosebookError: a run.json that cannot be read or has another schema.
    """
    path = Path(folder) / "run.json"
    if not path.is_file():
        return None
    try:
        info = json.loads(path.read_text())
        known = info["schema_version"] == SCHEMA_VERSION
    except OSError as error:
        raise PosebookError(f"{path} cannot be read ({error.strerror}). Make it readable and run again.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise PosebookError(
            f"{path} is not a run.json of Posebook ({error}). Remove its folder and run again."
        ) from error
    if not known:
        raise PosebookError(
            f"{path} has schema {info['schema_version']}, this version reads {SCHEMA_VERSION}. Use the version of "
            "Posebook that wrote it, or move its folder elsewhere and run again."
        )
    return Run(Path(folder), info) if info.get("status") == "finished" else None


def find_runs(results: str | Path) -> list[Run]:
    """All finished runs below a results folder, in the order of their paths.

    Unfinished folders are not looked at, and unreadable ones are left out: `posebook report` names them.
    """
    found = []
    for path in sorted(Path(results).glob("*/*/*/seed*/run.json")):
        if SEED_FOLDER.fullmatch(path.parent.name):
            with suppress(PosebookError):
                found.append(read_run(path.parent))
    return [run for run in found if run is not None]


def find_failures(results: str | Path) -> list[Path]:
    """Folders `seed<k>.failed` below a results folder: each holds the notebook with its error."""
    return sorted(Path(results).glob("*/*/*/seed*.failed"))
