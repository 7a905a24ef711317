"""Which runs of a results folder a table may stand on, and which are left out: each with one reason in words.

Left out are runs that cannot be read whole (a broken run.json, a table that was cut, a file that is missing), folders
that hold another run than their name says (so that one run would be counted twice), and runs scored on other test
pictures than the rest of their table.
"""

import csv
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile, ZipFile

import pandas as pd

from posebook.cache import file_hash
from posebook.errors import PosebookError
from posebook.results import COLUMNS, run_path
from posebook.runs import Run, read_run

TABLES = ("metrics", "per_sequence", "costs", "findings")
FILES = (*(f"{name}.csv" for name in TABLES), "predictions.npz")  # of a chapter's run


class Excluded(NamedTuple):
    """A folder that no table counts."""

    folder: Path
    reason: str


class Sorted(NamedTuple):
    """A results folder, sorted out."""

    runs: list[Run]  # whole, each once, one test set per profile and motion
    excluded: list[Excluded]


def sort_out(results: str | Path) -> Sorted:
    """Read every run below a results folder and say which ones do not count, and why."""
    results = Path(results)
    runs, excluded = [], []
    for path in sorted(results.glob("*/*/*/*/run.json")):
        folder = path.parent
        if folder.name.startswith(".") or re.fullmatch(r"seed\d+\.failed", folder.name):
            continue  # a run in the making; a failure, which the report names itself
        try:
            run = checked_run(results, folder)
        except PosebookError as error:
            excluded.append(Excluded(folder, str(error)))
        else:
            runs.append(run)
    excluded += [
        Excluded(folder, "it has no run.json; remove it and run the chapter again")
        for folder in sorted(results.glob("*/*/*/seed*"))
        if re.fullmatch(r"seed\d+", folder.name) and not (folder / "run.json").is_file()
    ]
    runs, others = one_test_set(runs)
    return Sorted(runs, sorted(excluded + others))


def checked_run(results: Path, folder: Path) -> Run:
    """The run of a folder.

    Raises:
        PosebookError: why it does not count.
    """
    run = read_run(folder)
    if run is None:
        raise PosebookError("run.json does not say that the run was finished; run the chapter again")
    check_place(results, run)
    check_files(run)
    check_sums(run)
    return run


def check_place(results: Path, run: Run) -> None:
    """Refuse a folder that holds another run than its path says: a copy, or one run twice."""
    try:
        parameters = run.info["parameters"]
        profile, motion, seed = parameters["profile"], parameters["motion"], run.seed
        own = run_path(results, profile, motion, run.info["chapter"], seed)
    except (KeyError, TypeError, ValueError) as error:
        raise PosebookError(f"run.json lacks its chapter or parameters ({error}); run the chapter again") from error
    if own == run.folder:
        return
    name = own.relative_to(results).as_posix()
    if (own / "run.json").is_file():
        raise PosebookError(f"it holds a second result of the run {name}, which has a folder of its own; remove one")
    raise PosebookError(f"it holds the run {name}; give the folder that name")


def check_files(run: Run) -> None:
    """Refuse a run with a file that is missing, cut or changed since it was written."""
    written = run.info.get("files")  # name -> sha256, from the runner; older runs have no such list
    for name in written or expected_files(run):
        path = run.folder / name
        if not path.is_file():
            raise PosebookError(f"{name} is missing; run the chapter again")
        if path.suffix == ".csv":
            check_table(path)
        if path.suffix == ".npz":
            check_arrays(path)
        if written and file_hash(path) != written[name]:
            raise PosebookError(f"{name} is not what the run wrote; run the chapter again")


def expected_files(run: Run) -> list[str]:
    """Files of a run without a list: all of a chapter's if it names a headline row, else what it must and what it has.

    Its costs are told by run.json as well, so that they cannot go unseen.
    """
    if run.info.get("headline"):
        return list(FILES)
    needed = {"metrics.csv"} | ({"costs.csv"} if run.info.get("models") else set())
    return sorted(needed | {name for name in FILES if (run.folder / name).is_file()})


def check_table(path: Path) -> None:
    """Refuse a CSV that ends in the middle, or lacks columns."""
    try:
        text = path.read_text(encoding="utf-8")
        lines = list(csv.reader(text.splitlines(keepends=True), strict=True))
    except (csv.Error, ValueError, OSError) as error:
        raise PosebookError(f"{path.name} cannot be read ({error}); run the chapter again") from error
    missing = [name for name in COLUMNS[path.stem] if not lines or name not in lines[0]]
    if missing:
        raise PosebookError(f"{path.name} lacks the columns {', '.join(missing)}; run the chapter again")
    short = next((i for i, line in enumerate(lines, 1) if len(line) != len(lines[0])), None)
    if short is not None or not text.endswith("\n"):
        raise PosebookError(f"{path.name} was cut: line {short or len(lines)} is not whole; run the chapter again")


def check_arrays(path: Path) -> None:
    """Refuse an npz whose archive is not whole."""
    try:
        with ZipFile(path) as archive:
            broken = archive.testzip()
    except (BadZipFile, zlib.error, RuntimeError, OSError, EOFError) as error:  # RuntimeError: flags nobody set
        raise PosebookError(f"{path.name} cannot be read ({error}); run the chapter again") from error
    if broken:
        raise PosebookError(f"{path.name} is damaged in {broken}; run the chapter again")


def check_sums(run: Run) -> None:
    """Refuse a run whose tables contradict each other: one that was cut between two lines is read without complaint."""
    metrics, per_sequence = run.table("metrics"), run.table("per_sequence")
    check_numbers(metrics, "metrics.csv", ("value", "n_sequences"))
    if len(per_sequence):
        check_sequences(metrics, per_sequence)
    costs, models = run.table("costs"), run.info.get("models") or []
    told = [model["row"] for model in models]
    if told and (not len(costs) or told != costs["row"].tolist()):
        raise PosebookError(f"costs.csv has {len(costs)} rows, run.json {len(told)}; run the chapter again")


def check_numbers(table: pd.DataFrame, name: str, columns: Sequence[str]) -> None:
    """Refuse a column that does not hold numbers."""
    for column in columns:
        if pd.to_numeric(table[column], errors="coerce").notna().sum() < table[column].notna().sum():
            raise PosebookError(f"{name}: the column {column} does not hold numbers only; run the chapter again")


def check_sequences(metrics: pd.DataFrame, per_sequence: pd.DataFrame) -> None:
    """Refuse rows with fewer sequences than they were scored on, or rows that one of the two tables lacks."""
    check_numbers(per_sequence, "per_sequence.csv", ("mpjpe",))
    found = per_sequence.groupby("row")["sequence"].nunique()
    scored = metrics.dropna(subset=["n_sequences"]).groupby("row")["n_sequences"].max()
    for row, count in found.items():
        if row not in set(metrics["row"]):
            raise PosebookError(f"metrics.csv lacks the row {row!r} of per_sequence.csv; run the chapter again")
        if row in scored and count != scored[row]:
            raise PosebookError(
                f"per_sequence.csv has {count} sequences of the row {row!r}, metrics.csv {scored[row]:.0f}; "
                "run the chapter again"
            )


def one_test_set(runs: Sequence[Run]) -> tuple[list[Run], list[Excluded]]:
    """Runs of one data version per (profile, motion): the one that most runs have, of equally many the newest.

    A run that names no data version stays; `posebook.report` points it out.
    """
    kept, excluded = [], []
    for run in runs:
        version, wanted = run.info.get("data_version"), data_version(run, runs)
        if version is None or version == wanted:
            kept.append(run)
            continue
        chapter, seed = run.info["chapter"], run.seed
        reason = f"its test pictures are of data version {version}, those of most runs here of {wanted}; "
        reason += f"`posebook run {chapter} --seed {seed} --force` makes it anew"
        excluded.append(Excluded(run.folder, reason))
    return kept, excluded


def data_version(run: Run, runs: Sequence[Run]) -> str | None:
    """The data version that the table of this run stands on; None where no run names one."""
    place = run.folder.parts[-4:-2]
    own = [r.info for r in runs if r.folder.parts[-4:-2] == place and r.info.get("data_version") is not None]
    counts = Counter(info["data_version"] for info in own)
    newest = {v: max(str(i.get("finished", "")) for i in own if i["data_version"] == v) for v in counts}
    return max(counts, key=lambda v: (counts[v], newest[v]), default=None)


def to_markdown(excluded: Sequence[Excluded], results: str | Path) -> str:
    """One line per folder that does not count; empty text for none."""
    if not excluded:
        return ""
    lines = [f"- `{e.folder.relative_to(results).as_posix()}`: {e.reason}" for e in excluded]
    return "### Left out\n\nThese folders count in no table above:\n\n" + "\n".join(lines)
