"""A score sheet: rows of predictions in, the long-form tables of a run out."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from posebook.data import Dataset
from posebook.data.batches import FIELDS
from posebook.joints import H36M17
from posebook.metrics import POSEBOOK17, Protocol, summarise
from posebook.metrics.baselines import nearest_by_2d, train_mean, turned_mean
from posebook.metrics.protocol import METRICS
from posebook.metrics.statistics import sequence_means
from posebook.models.root_depth import bone_lengths

UNITS = {  # of errors beyond the joints; all others are millimetres
    "err_quat": "degrees", "f5": "%", "f15": "%", "accel": "mm/frame²", "accel_error": "mm/frame²", "depth_flips": "%",
    "side_flips": "%", "lag": "frames",
}  # fmt: skip
TITLES = {
    "pve": "PVE", "err_quat": "err_quat, °", "laplacian": "Laplacian", "pa_mpvpe": "PA-MPVPE", "f5": "F@5, %",
    "f15": "F@15, %", "accel": "ACCEL", "accel_error": "ACCEL_ERR", "pa_mpjpe_mirror": "PA-MPJPE, mirror allowed",
    "n_mpjpe_norm": "N-MPJPE, norm ratio", "depth_flips": "depth flips, %", "side_flips": "side flips, %",
    "lag": "lag, frames",
}  # fmt: skip


class ScoreSheet:
    """Rows of predictions for one test set, scored under one protocol.

    Args:
        test: the test set.
        protocol: printed beside every number.
    """

    def __init__(self, test: Dataset, protocol: Protocol = POSEBOOK17):
        self.test, self.protocol = test, protocol
        self.truth = np.array(test.arrays[FIELDS[protocol.joints][1]])
        table = pd.DataFrame({k: test.texts[k] for k in ("sequence", "subject", "action")})
        self.about = table.groupby("sequence", sort=True).first().reset_index()
        self._metrics: list[dict] = []
        self._sequences: list[pd.DataFrame] = []

    def add(self, row: str, joints3d: np.ndarray, kind: str = "trained", init: str = "", note: str = "",
            oracle: Sequence[str] = (), scale_free: bool = False,
            extra: dict[str, np.ndarray] | None = None) -> pd.DataFrame:  # fmt: skip
        """Score one row.

        Args:
            row: name in tables.
            joints3d: (N, 17, 3) metres, camera frame, any root.
            kind: "trained", "baseline" or "oracle".
            init: "trunk" or "scratch" for trained rows.
            note: anything a reader must know.
            oracle: true quantities the row used; makes it an oracle row.
            scale_free: fill only N- and PA-MPJPE.
            extra: further errors, one a frame (N,), named by one of TITLES, in UNITS; sequences of NaN are left out.

        Returns:
            Per-sequence errors, mm.
        """
        protocol = replace(self.protocol, oracle=tuple(oracle)) if oracle else self.protocol
        extra = extra or {}
        frames = protocol.evaluate(joints3d, self.truth, self.test.texts["sequence"], scale_free).assign(**extra)
        means = sequence_means(frames).merge(self.about, on="sequence")
        means.insert(0, "row", row)
        self._sequences.append(means)
        for metric in (*METRICS, *extra):
            unit = UNITS.get(metric, "mm")
            told = means[metric].notna() | means[metric].isna().all()  # one frozen track has no lag
            known = means[told]
            s = summarise(known[metric].to_numpy()[None], known["n_frames"])
            self._metrics.append(
                {"row": row, "metric": metric, "unit": unit, "value": s.mean, "low": s.low, "high": s.high,
                 "n_sequences": s.n_sequences, "n_frames": s.n_frames, "protocol": protocol.describe(),
                 "kind": "oracle" if oracle else kind, "init": init, "note": note}
            )  # fmt: skip
        return means

    @property
    def metrics(self) -> pd.DataFrame:
        """Long form: one line per (row, metric)."""
        return pd.DataFrame(self._metrics)

    @property
    def per_sequence(self) -> pd.DataFrame:
        """One line per (row, sequence)."""
        return pd.concat(self._sequences, ignore_index=True)

    def table(self) -> pd.DataFrame:
        """One line per row: MPJPE with its interval, PA- and N-MPJPE, PVE and err_quat if there are any, kind, init."""
        wide = self.metrics.pivot(index="row", columns="metric", values="value").reindex(self.metrics["row"].unique())
        main = self.metrics[self.metrics["metric"] == "mpjpe"].set_index("row")
        columns = {"MPJPE": wide["mpjpe"].round(1), "95 % over sequences": intervals(main)}
        columns |= {"PA-MPJPE": wide["pa_mpjpe"].round(1), "N-MPJPE": wide["n_mpjpe"].round(1)}
        columns |= {title: wide[name].round(1) for name, title in TITLES.items() if name in wide}
        return pd.DataFrame(columns | {"kind": main["kind"], "init": main["init"]})

    def by_action(self, rows: Sequence[str], metric: str = "mpjpe") -> pd.DataFrame:
        """Mean over sequences of each action, mm; one column per row."""
        chosen = self.per_sequence[self.per_sequence["row"].isin(rows)]
        return chosen.pivot_table(index="action", columns="row", values=metric, aggfunc="mean")[list(rows)].round(1)


def intervals(main: pd.DataFrame) -> pd.Series:
    """'low – high' texts."""
    return main["low"].map("{:.1f}".format) + " – " + main["high"].map("{:.1f}".format)


def add_baselines(sheet: ScoreSheet, train: Dataset) -> None:
    """Rows that a trained model must beat, and what an unknown stature alone costs."""
    test = sheet.test
    joints, truth = torch.tensor(np.array(train.arrays["joints3d_h36m17"])), torch.tensor(sheet.truth)
    orient = [torch.tensor(np.array(d.arrays["global_orient"])) for d in (train, test)]
    sheet.add("mean pose", train_mean(joints, len(test)).numpy(), "baseline")
    sheet.add("mean pose, true orientation", turned_mean(joints, *orient).numpy(), oracle=("global_orient",))
    views = []
    for d in (train, test):  # joints are in crop pixels, so the box they are measured in is the crop
        crop = torch.tensor([0.0, 0.0, d.manifest["image_size"], d.manifest["image_size"]]).expand(len(d), 4)
        views += [torch.tensor(np.array(d.arrays["joints2d_h36m17"])), crop]
    sheet.add("nearest training pose by true 2D", nearest_by_2d(joints, *views).numpy(), oracle=("2D joints",))
    size = bone_lengths(joints, H36M17.bones).sum(-1).mean() / bone_lengths(truth, H36M17.bones).sum(-1)
    note = "what unknown stature alone costs"
    rooted = truth - truth[:, :1]
    sheet.add("true pose at mean size", (rooted * size[:, None, None]).numpy(), note=note, oracle=("pose",))
