"""The evaluation protocol as data, printed beside every number it produced."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from posebook.errors import PosebookError
from posebook.joints import joint_set
from posebook.metrics.checks import as_pair
from posebook.metrics.positions import mpjpe, n_mpjpe, root_relative
from posebook.metrics.procrustes import pa_mpjpe

METRICS = ("mpjpe", "pa_mpjpe", "n_mpjpe")  # columns of a per-frame table, millimetres


@dataclass(frozen=True)
class Protocol:
    """Everything two numbers must share before they may be compared."""

    name: str  # short name used in tables
    joints: str  # joint set, a name of posebook.joints
    root: tuple[str, ...]  # joints whose mean is subtracted
    regressed_from: str  # where the target joints come from
    box: str  # which box the crop was cut with
    intrinsics: str  # what is known of K
    root_depth: str  # what is known of the root's depth
    stature: str  # what is known of the person's size
    frames: str  # which frames are scored
    alignment: str  # what each column removes
    oracle: tuple[str, ...] = ()  # true quantities a row was allowed to use; makes it an oracle row

    @property
    def kind(self) -> str:
        """Row label: "oracle" where a true quantity is used, else ""."""
        return "oracle" if self.oracle else ""

    def describe(self) -> str:
        """One line of text that belongs beside each number."""
        parts = [
            f"{self.name}: {len(joint_set(self.joints))} joints {self.joints} from {self.regressed_from}",
            f"root {' + '.join(self.root)}",
            f"box {self.box}",
            f"K {self.intrinsics}",
            f"root depth {self.root_depth}",
            f"stature {self.stature}",
            f"frames: {self.frames}",
            f"alignment: {self.alignment}",
        ]
        if self.oracle:
            parts.append(f"ORACLE ROW, uses the true {', '.join(self.oracle)}")
        return "; ".join(parts)

    def evaluate(
        self, pred, target, sequence: Sequence, scale_free: bool = False, frame: Sequence | None = None
    ) -> pd.DataFrame:
        """Score every frame under this protocol; roots are subtracted here.

        Args:
            pred, target: (N, J, 3) metres, camera frame, in this protocol's joint order; tensors or arrays.
            sequence: N names or numbers, the sequence of each frame.
            scale_free: the method knows no scale: `mpjpe` stays NaN, only the other two are filled.
            frame: N frame numbers; left out, frames are counted within each sequence.

        Returns:
            DataFrame with one row per frame: sequence, frame, mpjpe, pa_mpjpe, n_mpjpe (millimetres).

        Raises:
            PosebookError: shapes, joint counts or units that do not fit, or coordinates that are not finite.
        """
        pred, target = as_pair(pred, target, least_dims=3)
        count = len(joint_set(self.joints))
        if pred.dim() != 3 or pred.shape[1] != count:
            raise PosebookError(f"{self.name}: expected (N, {count}, 3), {self.joints} order; got {tuple(pred.shape)}.")
        if not (pred.isfinite().all() and target.isfinite().all()):
            raise PosebookError(f"{self.name}: NaN or infinite coordinates; a diverged model has no score.")
        table = self._frames(len(pred), sequence, frame)
        index = [joint_set(self.joints).index(name) for name in self.root]
        pred, target = root_relative(pred, index), root_relative(target, index)
        for name, metric in zip(METRICS, (mpjpe, pa_mpjpe, n_mpjpe), strict=True):
            table[name] = metric(pred, target, "none").detach().cpu().double().numpy()
        return table.assign(mpjpe=np.nan) if scale_free else table

    def _frames(self, count: int, sequence: Sequence, frame: Sequence | None) -> pd.DataFrame:
        for name, values in (("sequence", sequence), ("frame", frame)):
            if values is not None and len(values) != count:
                raise PosebookError(f"{name}: expected one value per frame, {count}; got {len(values)}.")
        table = pd.DataFrame({"sequence": np.asarray(sequence)})
        return table.assign(frame=table.groupby("sequence").cumcount() if frame is None else np.asarray(frame))


POSEBOOK17 = Protocol(
    name="posebook17",
    joints="h36m17",  # right leg first
    root=("pelvis",),
    regressed_from="the full posed ground-truth mesh (right leg first)",
    box="ground truth",
    intrinsics="given",
    root_depth="not given",
    stature="not given",
    frames="all test frames",
    alignment="root (MPJPE), similarity without reflection (PA), least-squares scale about the root (N)",
)

HANDS21 = replace(
    POSEBOOK17,
    name="hands21",
    joints="hand21",
    root=("wrist",),
    regressed_from="the posed ground-truth hand",
    frames="all test pictures",
    alignment="wrist (MPJPE), similarity without reflection (PA), least-squares scale about the wrist (N)",
)


def evaluate(
    pred, target, sequence: Sequence, scale_free: bool = False, protocol: Protocol = POSEBOOK17
) -> pd.DataFrame:
    """Score every frame under a protocol, the table's own if none is named; see `Protocol.evaluate`."""
    return protocol.evaluate(pred, target, sequence, scale_free=scale_free)
