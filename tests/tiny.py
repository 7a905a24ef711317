"""Tiny clones, notebooks and runs for tests of the runner, the report and the command line."""

import struct
from pathlib import Path
from zipfile import ZipFile

import nbformat
import numpy as np
import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from posebook.results import RunWriter

PARAMETERS = """\
profile: str = "laptop"  # sizes
seed: int = 0  # of training
motion: str = "procedural"  # source
device: str = "auto"  # where
experiments: str = "core"  # which
out: str = ""  # folder"""

WRITE = """\
import pandas as pd
from posebook.results import RunWriter
run = RunWriter("{chapter}", profile, motion, seed, device, experiments, out)
columns = "row metric unit value low high n_sequences n_frames protocol kind init note".split()
line = ["net", "mpjpe", "mm", 70.0 + seed, 69, 71, 2, 8, "p17", "trained", "trunk", ""]
run.metrics(pd.DataFrame([line], columns=columns))
run.finish()"""


def notebook(*cells: str, parameters: str | None = PARAMETERS) -> nbformat.NotebookNode:
    """Notebook with a parameters cell and the given code cells."""
    first = [new_code_cell(parameters, metadata={"tags": ["parameters"]})] if parameters is not None else []
    code = [new_code_cell(cell) for cell in cells]
    made = new_notebook(cells=[new_markdown_cell("# Tiny chapter"), *first, new_markdown_cell("## Work"), *code])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return made


def chapter(root: Path, number: str, *cells: str, **options) -> Path:
    """Write notebooks/<number>_tiny.ipynb; by default it finishes a run."""
    path = root / "notebooks" / f"{number}_tiny.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook(*(cells or [WRITE.format(chapter=number)]), **options), path)
    return path


def metrics_table(
    values: dict[str, float], kind: str = "trained", metric: str = "mpjpe", sequences: int = 4
) -> pd.DataFrame:
    """Long-form metrics: row -> value."""
    base = {"metric": metric, "unit": "mm", "low": np.nan, "high": np.nan, "n_sequences": sequences, "n_frames": 32}
    base |= {"protocol": "posebook17: 17 joints", "kind": kind, "init": "trunk", "note": ""}
    return pd.DataFrame([{"row": row, "value": value, **base} for row, value in values.items()])


def sequences_table(errors: dict[str, list[float]]) -> pd.DataFrame:
    """Per-sequence errors: row -> mpjpe of sequences s0, s1 …"""
    return pd.DataFrame(
        [
            {"row": row, "sequence": f"s{i}", "subject": "a", "n_frames": 8, "mpjpe": value}
            for row, values in errors.items()
            for i, value in enumerate(values)
        ]
    )


def break_stream(path: Path) -> None:
    """Spoil a compressed npz: its first array begins as no deflate stream can."""
    with ZipFile(path) as archive:
        start = archive.infolist()[0].header_offset
    data = bytearray(path.read_bytes())
    data[start + 30 + sum(struct.unpack_from("<HH", data, start + 26))] = 0xFF  # after the header and two texts
    path.write_bytes(data)


def break_flags(path: Path) -> None:
    """Spoil an npz: it says that its first array is encrypted."""
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)


def write_run(results: Path, errors: dict[str, list[float]], number: str = "01", seed: int = 0, **extra) -> Path:
    """A finished run in a results folder, its metrics the means of the per-sequence errors."""
    profile, motion = extra.pop("profile", "laptop"), extra.pop("motion", "procedural")
    folder = results / profile / motion / number / f"seed{seed}"
    run = RunWriter(number, profile, motion, seed, "cpu", "core", folder)
    for row, values in errors.items():
        run.metrics(metrics_table({row: float(np.mean(values))}, sequences=len(values)))
    run.per_sequence(sequences_table(errors))
    run.costs(
        pd.DataFrame(
            [
                {
                    **{"row": row, "parameters": 1_000_000, "flops": 2_000_000_000, "train_minutes": 1.5},
                    **{"images_seen": 100, "ms_per_image": 2.0, "peak_memory_mb": 300},
                }
                for row in errors
            ]
        )
    )
    for name, value in extra.items():
        getattr(run, name)(value) if name == "findings" else run.info(**{name: value})
    return run.finish()
