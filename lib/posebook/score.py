"""`posebook score`: anyone's predictions against the test set of a profile, by the table's own protocol."""

import zlib
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from posebook.errors import PosebookError
from posebook.results import check_joints

DAMAGED = (BadZipFile, zlib.error, RuntimeError)  # what zipfile raises; RuntimeError: flags that nobody set
METRICS = ("mpjpe", "pa_mpjpe", "n_mpjpe")


class Truth(NamedTuple):
    """Ground truth of a test set."""

    sample_id: np.ndarray  # (N,) str
    sequence: np.ndarray  # (N,) str
    joints3d: np.ndarray  # (N, 17, 3) metres, camera frame, H36M-17
    description: str  # one line: images, subjects, data version


class Score(NamedTuple):
    """Scored predictions."""

    protocol: str
    data: str
    table: pd.DataFrame  # metric, value, low, high (mm), n_sequences, n_frames


def load_truth(profile: str, motion: str) -> Truth:
    """Ground truth of the test split; renders it if it is not in the cache."""
    from posebook.data import open_dataset  # imported here: it brings the renderer
    from posebook.profile import load_profile

    dataset = open_dataset(motion=motion, split="test", profile=load_profile(profile))
    joints = np.array(dataset.arrays["joints3d_h36m17"])
    return Truth(
        dataset.texts["sample_id"].astype(str), dataset.texts["sequence"].astype(str), joints, dataset.describe()
    )


def read_predictions(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """sample_id (N,) str and joints3d (N, 17, 3) metres of a predictions.npz; pickled content is refused.

    Raises:
        PosebookError: no such file, not an npz, missing arrays, wrong shape, or millimetres.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as data:
            missing = [name for name in ("sample_id", "joints3d") if name not in data]
            if missing:
                raise PosebookError(f"{path} needs the arrays sample_id and joints3d; it has {', '.join(data.files)}.")
            ids, joints = data["sample_id"].astype(str), data["joints3d"]
    except FileNotFoundError as error:
        raise PosebookError(
            f"There is no file {path}. Give the predictions.npz that a run or your method wrote."
        ) from error
    except (ValueError, OSError, EOFError, AttributeError, TypeError, *DAMAGED) as error:
        raise PosebookError(f"{path} cannot be read as an npz of plain arrays without pickle: {error}.") from error
    joints = check_joints(joints, str(path))
    if ids.shape != (len(joints),):
        raise PosebookError(f"{path}: sample_id must have shape ({len(joints)},) as joints3d, but it is {ids.shape}.")
    return ids, joints


def match(ids: np.ndarray, truth: Truth, source: str) -> np.ndarray:
    """Row of the predictions for every test sample.

    Raises:
        PosebookError: ids given twice, unknown, or missing.
    """
    row = {name: i for i, name in enumerate(ids)}
    if len(row) != len(ids):
        raise PosebookError(f"{source}: {len(ids) - len(row)} sample ids are given more than once.")
    known = set(truth.sample_id)
    unknown = [name for name in row if name not in known]
    missing = [name for name in truth.sample_id if name not in row]
    for found, what in ((unknown, "are not in"), (missing, "are missing of")):
        if found:
            raise PosebookError(
                f"{source}: {len(found)} sample ids {what} this test set ({truth.description}), "
                f"for example {', '.join(map(str, found[:3]))}. Check --profile and --motion."
            )
    return np.array([row[name] for name in truth.sample_id])


def score(path: str | Path, profile: str = "laptop", motion: str = "procedural") -> Score:
    """Score a predictions.npz on the test set, matched by sample_id.

    Args:
        path: npz with sample_id (N,) and joints3d (N, 17, 3), metres, camera frame, H36M-17 with the right leg first.
        profile, motion: name the test set.

    Raises:
        PosebookError: the file or its ids do not fit.
    """
    from posebook.metrics import POSEBOOK17

    ids, joints = read_predictions(path)
    truth = load_truth(profile, motion)
    rows = match(ids, truth, str(path))
    frames = POSEBOOK17.evaluate(joints[rows], truth.joints3d, truth.sequence)
    return Score(POSEBOOK17.describe(), truth.description, summary(frames))


def summary(frames: pd.DataFrame) -> pd.DataFrame:
    """Mean over sequences with a 95 % bootstrap interval over them, per metric; every sequence counts the same."""
    from posebook.metrics.statistics import bootstrap_interval, sequence_means

    means = sequence_means(frames)
    lines = [
        (metric, means[metric].mean(), *bootstrap_interval(means[metric].to_numpy()), len(means), len(frames))
        for metric in METRICS
    ]
    return pd.DataFrame(lines, columns=["metric", "value", "low", "high", "n_sequences", "n_frames"])
