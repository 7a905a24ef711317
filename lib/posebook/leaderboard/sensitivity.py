"""The same predictions scored under every choice that a protocol makes: how far the number moves, and the ranking.

Inside, everything is root-relative or not as the choice says; metres in, millimetres out. The base is the table's own
protocol, posebook17: 17 joints, pelvis, root alignment, every frame, mean over sequences.
"""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy.stats import kendalltau
from torch import Tensor

from posebook.errors import PosebookError
from posebook.joints import H36M17
from posebook.leaderboard.predictions import Predicted
from posebook.metrics import mpjpe, n_mpjpe, pa_mpjpe, root_relative
from posebook.metrics.lifting import pa_mpjpe_mirror
from posebook.score import Truth

LIMBS = tuple(f"{side}_{part}" for part in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
              for side in ("left", "right"))  # fmt: skip
JOINTS = {
    "17 (H36M)": H36M17.names,
    "14 (as LSP: limbs, neck, head)": (*LIMBS, "neck", "head_top"),
    "12 (limbs)": LIMBS,
    "16 (without the root)": H36M17.names[1:],
}
ROOTS = {
    "pelvis": ("pelvis",),
    "middle of the hips": ("left_hip", "right_hip"),
    "neck": ("neck",),
    "mean of all joints": H36M17.names,
}
ALIGNMENTS = ("root", "none (camera)", "root and scale", "root and bone lengths", "similarity", "similarity, mirror")
NEED_NO_SIZE = ("root and scale", "root and bone lengths", "similarity", "similarity, mirror")
METRICS: dict[str, Callable] = {
    "root and scale": n_mpjpe,
    "similarity": pa_mpjpe,
    "similarity, mirror": pa_mpjpe_mirror,
}
FRAMES = {"all": 1, "every 5th": 5, "every 64th": 64}  # of the whole test set, one sequence behind the other
MEANS = ("sequences", "frames")  # what counts the same: every sequence, or every frame


class Choice(NamedTuple):
    """One protocol; the defaults are the table's own."""

    joints: str = "17 (H36M)"
    root: str = "pelvis"
    alignment: str = "root"
    frames: str = "all"
    mean: str = "sequences"

    def describe(self) -> str:
        """One line."""
        return f"{self.joints} joints; root {self.root}; alignment {self.alignment}; frames {self.frames}; " \
               f"mean over {self.mean}"  # fmt: skip


BASE = Choice()


def one_at_a_time() -> list[tuple[str, Choice]]:
    """The base, then every other value of every choice alone: (which choice, protocol)."""
    values = {"joints": JOINTS, "root": ROOTS, "alignment": ALIGNMENTS, "frames": FRAMES, "mean": MEANS}
    others = [(name, BASE._replace(**{name: v})) for name, own in values.items() for v in own]
    return [("base", BASE), *((name, choice) for name, choice in others if choice != BASE)]


def applies(choice: Choice, found: Predicted) -> bool:
    """Whether the score means anything for this method."""
    if found.scale_free:
        return choice.alignment in NEED_NO_SIZE
    return found.placed or choice.alignment != "none (camera)"


def frame_errors(choice: Choice, pred: Tensor, target: Tensor) -> Tensor:
    """Error of every frame, (N,) mm, under a protocol's joints, root and alignment.

    Args:
        pred, target: (N, 17, 3) metres, H36M-17, camera axes.

    Raises:
        PosebookError: an unknown joint set, root or alignment.
    """
    for value, known in ((choice.joints, JOINTS), (choice.root, ROOTS), (choice.alignment, ALIGNMENTS)):
        if value not in known:
            raise PosebookError(f"Unknown choice {value!r}; known: {', '.join(known)}.")
    if choice.alignment == "root and bone lengths":
        pred = with_true_bones(pred, target)
    if choice.alignment != "none (camera)":
        root = [H36M17.index(name) for name in ROOTS[choice.root]]
        pred, target = root_relative(pred, root), root_relative(target, root)
    chosen = [H36M17.index(name) for name in JOINTS[choice.joints]]
    return METRICS.get(choice.alignment, mpjpe)(pred[:, chosen], target[:, chosen], "none")


def with_true_bones(pred: Tensor, target: Tensor) -> Tensor:
    """The prediction's bone directions with the truth's bone lengths, from the pelvis outwards: (N, 17, 3) metres."""
    moved = pred.clone()
    for parent, child in H36M17.bones:
        bone = pred[:, child] - pred[:, parent]
        length = torch.linalg.vector_norm(target[:, child] - target[:, parent], dim=-1, keepdim=True)
        moved[:, child] = moved[:, parent] + length * torch.nn.functional.normalize(bone, dim=-1)
    return moved


def score(choice: Choice, found: Predicted, truth: Truth) -> float:
    """One number in mm: the protocol's mean over frames or sequences, of the mean over seeds; NaN where it has none."""
    if not applies(choice, found):
        return float("nan")
    rows = np.arange(0, len(truth.joints3d), FRAMES[choice.frames])
    target = torch.as_tensor(truth.joints3d[rows]).double()
    errors = [frame_errors(choice, torch.as_tensor(p[rows]).double(), target) for p in found.joints.values()]
    frames = pd.DataFrame({"sequence": truth.sequence[rows], "error": torch.stack(errors).mean(0).numpy()})
    return float((frames.groupby("sequence")["error"].mean() if choice.mean == "sequences" else frames["error"]).mean())


def sensitivity(
    found: dict[str, Predicted], truth: Truth, choices: Sequence[tuple[str, Choice]] | None = None
) -> pd.DataFrame:
    """Every method under every protocol.

    Args:
        found: of `posebook.leaderboard.predictions.predicted`. truth: of the same test set.
        choices: (which choice, protocol), the base first; one change at a time by default.

    Returns:
        One line per protocol: choice, value (what is changed to what), one column per method (mm, NaN where the score
        has no meaning), `order` (methods from best to worst), `swapped` (pairs that stand the other way round than in
        the base) and `kendall` (tau of the two orders, over methods that both can score).
    """
    choices = list(choices or one_at_a_time())
    lines = []
    for name, choice in choices:
        value = "posebook17" if choice == BASE else getattr(choice, name)
        scores = {method: score(choice, own, truth) for method, own in found.items()}
        lines.append({"choice": name, "value": value} | scores)
    base = {name: lines[0][name] for name in found}
    for line in lines:
        order, swapped, kendall = compare(base, {name: line[name] for name in found})
        line |= {"order": " < ".join(order), "swapped": swapped, "kendall": kendall}
    return pd.DataFrame(lines)


def in_order(scores: dict[str, float], with_missing: bool = False) -> list[str]:
    """Methods from best to worst; those without a score last, or not at all."""
    known = sorted((name for name, value in scores.items() if not np.isnan(value)), key=scores.get)
    return known + [name for name in scores if name not in known] * with_missing


def compare(base: dict[str, float], other: dict[str, float]) -> tuple[list[str], int, float]:
    """Order of the methods by `other`, pairs that `base` orders the other way, and Kendall's tau of both orders."""
    both = [name for name in base if not np.isnan(base[name]) and not np.isnan(other[name])]
    pairs = list(combinations(both, 2))
    swapped = sum((base[a] - base[b]) * (other[a] - other[b]) < 0 for a, b in pairs)
    tau = kendalltau([base[n] for n in both], [other[n] for n in both]).statistic if pairs else float("nan")
    return in_order(other), swapped, float(tau)


def shifts(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """The same table with every number's distance from the base, mm."""
    base = table.iloc[0][list(names)].astype(float)
    return table.assign(**{name: table[name] - base[name] for name in names}).iloc[1:]
