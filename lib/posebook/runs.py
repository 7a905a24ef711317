"""Run folders: how reports and the runner read what `posebook.results.RunWriter` wrote."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from posebook.errors import PosebookError
from posebook.results import SCHEMA_VERSION


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
    except (ValueError, KeyError, TypeError) as error:
        raise PosebookError(
            f"{path} is not a run.json of Posebook ({error}). Remove its folder and run again."
        ) from error
    if not known:
        raise PosebookError(f"{path} has schema {info['schema_version']}, this version reads {SCHEMA_VERSION}.")
    return Run(Path(folder), info) if info.get("status") == "finished" else None


def find_runs(results: str | Path) -> list[Run]:
    """All finished runs below a results folder, in the order of their paths; unfinished folders are not looked at."""
    paths = sorted(Path(results).glob("*/*/*/seed*/run.json"))
    runs = [read_run(path.parent) for path in paths if re.fullmatch(r"seed\d+", path.parent.name)]
    return [run for run in runs if run is not None]


def find_failures(results: str | Path) -> list[Path]:
    """Folders `seed<k>.failed` below a results folder: each holds the notebook with its error."""
    return sorted(Path(results).glob("*/*/*/seed*.failed"))
