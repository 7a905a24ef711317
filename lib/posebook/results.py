"""Run folders: how a notebook writes its results. `posebook.runs` reads them.

One folder per (profile, motion, chapter, seed): run.json, metrics.csv, findings.csv, per_sequence.csv, costs.csv,
predictions.npz, figures/, and the executed notebook. A folder appears whole (one rename) or not at all.
"""

import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from posebook.cache import atomic_path, cache_dir
from posebook.errors import PosebookError
from posebook.project import library_hash
from posebook.provenance import device_info, git_state, now, peak_gpu_memory_mb, peak_memory_mb, versions

SCHEMA_VERSION = 1
COLUMNS = {
    "metrics": (
        *("row", "metric", "unit", "value", "low", "high", "n_sequences", "n_frames"),
        *("protocol", "kind", "init", "note"),
    ),
    "per_sequence": ("row", "sequence", "mpjpe"),  # at least; further metrics, subject, action, n_frames are free
    "costs": ("row", "parameters", "flops", "train_minutes", "images_seen", "ms_per_image", "peak_memory_mb"),
    "findings": ("claim", "source", "published", "row_a", "row_b", "expected_sign", "metric", "verdict"),  # at least
}
KINDS = ("trained", "baseline", "oracle")


def run_path(results: str | Path, profile: str, motion: str, chapter: str, seed: int) -> Path:
    """Folder of one run: `<results>/<profile>/<motion>/<chapter>/seed<k>`."""
    return Path(results) / profile / motion / chapter / f"seed{seed}"


def check_joints(joints: np.ndarray, source: str) -> np.ndarray:
    """(N, 17, 3) float32 joints in metres, or one clear error.

    Args:
        joints: (N, 17, 3), metres, camera frame, H36M-17 order.
        source: what to call it in the message.

    Raises:
        PosebookError: wrong shape, NaN or infinite values, or values that can only be millimetres.
    """
    joints = np.asarray(joints)
    if joints.ndim != 3 or joints.shape[1:] != (17, 3) or not len(joints) or joints.dtype.kind != "f":
        raise PosebookError(
            f"{source}: joints3d must be a float array (N, 17, 3) in H36M-17 order with N >= 1, "
            f"but it is {joints.dtype} {joints.shape}."
        )
    if not np.isfinite(joints).all():
        raise PosebookError(f"{source}: joints3d has {int((~np.isfinite(joints)).sum())} NaN or infinite values.")
    extent = float(np.median(np.ptp(joints, axis=1).max(axis=-1)))  # of a person: about 1 to 2 m
    if extent > 20:
        raise PosebookError(
            f"{source}: joints3d must be in metres, but a person measures {extent:.0f}; "
            "these look like millimetres: divide by 1000."
        )
    return joints.astype(np.float32)


class RunWriter:
    """Collects one run's results and writes them as one folder at the end.

    Args:
        chapter, profile, motion, seed, device, experiments: the notebook's parameters of the same names
            (`profile` is the one in force: `load_profile(profile).name`).
        out: folder to write; empty -> `<cache>/runs/<profile>/<motion>/<chapter>/seed<k>`.
    """

    def __init__(
        self,
        chapter: str,
        profile: str,
        motion: str = "procedural",
        seed: int = 0,
        device: str = "auto",
        experiments: str = "core",
        out: str | Path = "",
    ):
        for name, value in (("chapter", chapter), ("profile", profile), ("motion", motion)):
            if not re.fullmatch(r"[A-Za-z0-9_-]+", str(value)):
                raise PosebookError(f"{name} names a folder: letters, digits, - and _ are allowed, not {value!r}.")
        self.folder = Path(out).resolve() if out else run_path(cache_dir("runs"), profile, motion, chapter, seed)
        self.parameters = {"profile": profile, "seed": int(seed), "motion": motion, "device": device}
        self.parameters |= {"experiments": experiments}
        self._chapter, self._clock, self._started = chapter, time.perf_counter(), now()
        self._tables: dict[str, list[pd.DataFrame]] = {}
        self._figures: dict[str, bytes] = {}
        self._info: dict[str, Any] = {}
        self._predictions: dict[str, np.ndarray] | None = None

    def _add(self, name: str, table: pd.DataFrame) -> None:
        missing = [column for column in COLUMNS[name] if column not in table.columns]
        if missing:
            raise PosebookError(f"{name} needs the columns {', '.join(COLUMNS[name])}; missing: {', '.join(missing)}.")
        self._tables.setdefault(name, []).append(table.copy())

    def metrics(self, table: pd.DataFrame) -> None:
        """Add long-form metrics: one line per (row, metric); kind is trained, baseline or oracle."""
        self._add("metrics", table)
        unknown = set(table["kind"]) - set(KINDS)
        if unknown:
            raise PosebookError(f"metrics: kind must be one of {', '.join(KINDS)}, not {sorted(map(str, unknown))}.")

    def findings(self, table: pd.DataFrame) -> None:
        """Add findings as `posebook.findings.judge_claims` makes them: one line per claim, with the rows compared."""
        self._add("findings", table)

    def per_sequence(self, table: pd.DataFrame) -> None:
        """Add errors per (row, sequence) in mm: mpjpe and any further metric columns."""
        self._add("per_sequence", table)

    def costs(self, table: pd.DataFrame) -> None:
        """Add parameters, FLOPs (2 x MAC, batch 1), minutes and memory per row."""
        self._add("costs", table)

    def predictions(
        self,
        sample_id: np.ndarray,
        sequence: np.ndarray,
        subject: np.ndarray,
        joints3d: np.ndarray,
        row: str,
        vertices: np.ndarray | None = None,
    ) -> None:
        """Set the headline row's test predictions: joints3d (N, 17, 3) and vertices (N, V, 3), metres, camera frame."""
        arrays = {"sample_id": sample_id, "sequence": sequence, "subject": subject}
        arrays = {name: np.asarray(value) for name, value in arrays.items()}
        # numbers stay numbers; names become plain unicode, so that the file loads without pickle
        arrays = {name: value if value.dtype.kind in "iu" else value.astype(str) for name, value in arrays.items()}
        arrays["joints3d"] = check_joints(joints3d, "predictions")
        if vertices is not None:
            arrays["vertices"] = np.asarray(vertices, dtype=np.float32)
        lengths = {name: len(value) for name, value in arrays.items()}
        if len(set(lengths.values())) != 1:
            raise PosebookError(f"predictions: all arrays must have the same length, but they have {lengths}.")
        self._predictions = {**arrays, "row": np.array(row)}

    def figure(self, name: str, png: bytes) -> None:
        """Keep a PNG as figures/<name>.png."""
        if not png.startswith(b"\x89PNG"):
            raise PosebookError(f"figure {name!r}: expected the bytes of a PNG file, not {png[:8]!r}…")
        self._figures[name.removesuffix(".png")] = png

    def info(self, **values: Any) -> None:
        """Add facts to run.json (data_version, body_hash, trunk_hash …); they must be JSON values."""
        try:
            json.dumps(values)
        except TypeError as error:
            raise PosebookError(f"run.info takes JSON values (cast numpy scalars first): {error}.") from error
        self._info |= values

    def finish(self) -> Path:
        """Write the folder atomically, run.json last with status "finished", and return its path.

        Raises:
            PosebookError: nothing to write, or the disk refuses; nothing half-written stays behind.
        """
        if "metrics" not in self._tables:
            raise PosebookError("This run has no metrics: call run.metrics(table) before run.finish().")
        try:
            with atomic_path(self.folder) as staged:
                self._write(staged)
        except OSError as error:
            raise PosebookError(
                f"The run could not be written to {self.folder}: {error}. Nothing half-written was left there; "
                "free some space (`posebook cache`) or choose another --results folder, then run again."
            ) from error
        return self.folder

    def _write(self, folder: Path) -> None:
        (folder / "figures").mkdir(parents=True)
        tables = {name: pd.concat(parts, ignore_index=True) for name, parts in self._tables.items()}
        for name, table in tables.items():
            table.to_csv(folder / f"{name}.csv", index=False, float_format="%.9g")
        for name, png in self._figures.items():
            (folder / "figures" / f"{name}.png").write_bytes(png)
        if self._predictions is not None:
            np.savez_compressed(folder / "predictions.npz", **self._predictions)
        (folder / "run.json").write_text(json.dumps(self._record(tables), indent=1) + "\n")

    def _record(self, tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
        device = self.parameters["device"]
        models = tables["costs"][["row", "parameters", "flops"]] if "costs" in tables else pd.DataFrame()
        return {
            "schema_version": SCHEMA_VERSION,
            "status": "finished",
            "chapter": self._chapter,
            "notebook": None,  # the runner fills this in and the notebook's hash
            "parameters": self.parameters,
            "data_version": None,
            "body_hash": None,
            "trunk_hash": None,
            "protocols": sorted(set(tables["metrics"]["protocol"].dropna())),
            "models": json.loads(models.to_json(orient="records")),
            "versions": versions(),
            "git": git_state(Path(__file__).parent),
            "library_hash": library_hash(),
            "device": device_info(device),
            "started": self._started,
            "finished": now(),
            "wall_time_s": round(time.perf_counter() - self._clock, 1),
            "peak_memory_mb": peak_memory_mb(),
            "peak_gpu_memory_mb": peak_gpu_memory_mb(device),
            **self._info,
        }
