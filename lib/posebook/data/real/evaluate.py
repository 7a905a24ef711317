"""Scoring predictions on a real dataset by a paper's protocol."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from posebook.data.dataset import Dataset
from posebook.data.real.dataset import RealDataset
from posebook.data.real.protocols import PRESETS, Preset, preset, reduce_joints, scored_rows, source_joints, source_set
from posebook.data.real.scores import UNITS, accelerations, joint_scores, mesh_scores
from posebook.errors import PosebookError
from posebook.joint_atlas import atlas_set
from posebook.metrics.bootstrap import Interval, pooled_interval


class Evaluation(NamedTuple):
    """What is scored: made once per dataset and protocol, used for every row."""

    dataset: RealDataset
    protocol: Preset
    rows: np.ndarray  # (R,) of the dataset
    joints: str  # joint set that predictions come in
    truth: np.ndarray  # (R, S, 3) metres, camera frame, in that set


def default_protocol(dataset: RealDataset) -> Preset:
    """The first protocol of the catalogue that this split has the labels for.

    Raises:
        PosebookError: there is none.
    """
    m = dataset.manifest
    known = (*dataset.arrays, *dataset.extras)
    for protocol in PRESETS:
        there = protocol.source in known and protocol.source not in m["missing_fields"]
        if m["name"] in protocol.datasets and m["split_name"] == protocol.split and there:
            return protocol
    raise PosebookError(f"No protocol scores {m['split_name']} of {m['name']} with the labels it has: "
                        f"{', '.join(m['stored'])}. 3D joints are needed.")  # fmt: skip


def evaluation(dataset: RealDataset, name: str = "") -> Evaluation:
    """Rows and true joints of a protocol.

    Args:
        dataset: a prepared split.
        name: of a protocol; the first that fits if empty.

    Raises:
        PosebookError: unknown protocol, another split, or labels that are missing.
    """
    protocol = preset(name) if name else default_protocol(dataset)
    rows = scored_rows(dataset, protocol)
    return Evaluation(dataset, protocol, rows, source_set(dataset, protocol), source_joints(dataset, protocol, rows))


def score_frames(evaluated: Evaluation, predicted: np.ndarray, vertices: np.ndarray | None = None) -> pd.DataFrame:
    """Errors of every scored frame, in `posebook.data.real.scores.UNITS`.

    Args:
        evaluated: see `evaluation`.
        predicted: (R, S, 3) metres, any root, in the order of `evaluated.joints`, for `evaluated.rows`.
        vertices: (R, 6890, 3) metres in the frame of `predicted`, of methods that predict meshes.

    Returns:
        DataFrame: sequence, subject, action, frame, mpjpe, pa_mpjpe, n_mpjpe, pck, auc; accel_error where scored frames
        follow one another as closely as the protocol says; pve with vertices.

    Raises:
        PosebookError: another shape, millimetres, or numbers that are not finite.
    """
    predicted = np.asarray(predicted, np.float64)
    if predicted.shape != evaluated.truth.shape or not np.isfinite(predicted).all():
        raise PosebookError(f"Expected finite predictions {evaluated.truth.shape} in the order {evaluated.joints}, got "
                            f"{predicted.shape}.")  # fmt: skip
    protocol, dataset, rows = evaluated.protocol, evaluated.dataset, evaluated.rows
    pair = [torch.from_numpy(reduce_joints(p.astype(np.float64), protocol, evaluated.joints))
            for p in (predicted, evaluated.truth)]  # fmt: skip
    texts = {n: np.asarray(dataset.texts[n][rows]) for n in ("sequence", "subject", "action", "frame")}
    found = joint_scores(*pair, protocol)
    if protocol.step == 1 or "accel_error" in protocol.metrics:
        found["accel_error"] = accelerations(*pair, texts["sequence"], texts["frame"], protocol.step)
    if vertices is not None:
        index = [atlas_set(evaluated.joints).index(name) for name in protocol.root]
        roots = [np.asarray(p, np.float64)[:, index].mean(1) for p in (predicted, evaluated.truth)]
        found["pve"] = mesh_scores(dataset, rows, vertices, *roots)
    return pd.DataFrame(texts | found)


def summary(
    row: str, frames: pd.DataFrame, evaluated: Evaluation, kind: str = "trained", note: str = ""
) -> pd.DataFrame:
    """Long-form metrics of one row, as RunWriter takes them; the mean is the protocol's own.

    Args:
        row: name in tables. frames: of `score_frames`. kind: trained, baseline or oracle. note: for a reader.
    """
    by = "action" if evaluated.protocol.average == "actions" else None
    lines = []
    for metric in (name for name in UNITS if name in frames and frames[name].notna().any()):
        value, (low, high) = with_interval(frames, metric, by)
        lines.append({"row": row, "metric": metric, "unit": UNITS[metric], "value": value, "low": low, "high": high,
                      "n_sequences": frames["sequence"].nunique(), "n_frames": len(frames),
                      "protocol": evaluated.protocol.describe(), "kind": kind, "init": "", "note": note})  # fmt: skip
    return pd.DataFrame(lines)


def with_interval(frames: pd.DataFrame, metric: str, by: str | None) -> tuple[float, Interval]:
    """Mean over frames, or over actions (`by`) of means over their frames, and its interval over sequences."""
    known = frames[frames[metric].notna()]
    groups = known[by] if by else pd.Series("all", known.index)
    cells = known.groupby(["sequence", groups.rename("group")])[metric].agg(["sum", "count"])
    sums, counts = (cells[name].unstack(fill_value=0).to_numpy() for name in ("sum", "count"))
    return float((sums.sum(0) / counts.sum(0)).mean()), pooled_interval(sums, counts)


def mean_pose(train: Dataset, evaluated: Evaluation) -> np.ndarray | None:
    """(R, S, 3) the mean root-relative pose of another dataset's people, None if it lacks these joints."""
    field = evaluated.protocol.source
    known = {**train.arrays, **getattr(train, "extras", {})}
    if field not in known or field in train.manifest["missing_fields"]:
        return None
    joints = np.asarray(known[field], np.float64)
    if joints.shape[1:] != evaluated.truth.shape[1:]:
        return None
    return np.broadcast_to((joints - joints[:, :1]).mean(0), evaluated.truth.shape)


def read_predictions(path: str | Path, evaluated: Evaluation, array: str = "joints3d") -> np.ndarray | None:
    """(R, S, 3) of an npz with sample_id (N,) and joints3d (N, S, 3), matched by id; pickled content is refused.

    Args:
        array: "vertices" reads meshes (N, 6890, 3) instead; None if the file has none.

    Raises:
        PosebookError: no such file, missing arrays, or scored samples that it does not have.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            if array == "vertices" and array not in stored:
                return None
            rows, values = {str(n): i for i, n in enumerate(stored["sample_id"])}, stored[array]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise PosebookError(f"{path}: expected an npz with sample_id and {array} ({error}).") from None
    wanted = evaluated.dataset.texts["sample_id"][evaluated.rows]
    missing = [n for n in wanted if n not in rows]
    if missing:
        raise PosebookError(f"{path}: {len(missing)} of {len(wanted)} scored samples are missing, e.g. {missing[0]}.")
    return values[[rows[n] for n in wanted]]
