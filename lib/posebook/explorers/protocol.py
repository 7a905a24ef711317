"""ProtocolExplorer: choose a protocol, and watch the same predictions change their errors and their order."""

import ipywidgets as widgets
import numpy as np

from posebook.errors import PosebookError
from posebook.explorers.base import Explorer, dropdown, live
from posebook.leaderboard.predictions import Predicted
from posebook.leaderboard.sensitivity import (
    ALIGNMENTS,
    BASE,
    FRAMES,
    JOINTS,
    MEANS,
    ROOTS,
    Choice,
    compare,
    in_order,
    score,
)
from posebook.plots.bars import bars_figure
from posebook.score import Truth


class ProtocolExplorer(Explorer):
    """Every method under one protocol, best on top, beside the table's own.

    Attributes:
        joints, root, alignment, frames, mean: dropdowns; together they are `choice`.
        base, scores: method -> mm under posebook17 and under the choice; NaN where a score has no meaning.
        table: both, with ranks, as HTML. verdict: Label: does the order change?

    Args:
        found: predictions of every method. truth: of the same test set.

    Raises:
        PosebookError: no predictions.
    """

    def __init__(self, found: dict[str, Predicted], truth: Truth):
        if not found:
            raise PosebookError("Expected the predictions of at least one method, got none.")
        self.found, self.truth = found, truth
        self.joints, self.root = dropdown("joints", JOINTS), dropdown("root", ROOTS)
        self.alignment, self.frames = dropdown("alignment", ALIGNMENTS), dropdown("frames", FRAMES)
        self.mean = dropdown("mean over", MEANS)
        self.table, self.verdict = widgets.HTML(), widgets.Label()
        self.base = {name: score(BASE, own, truth) for name, own in found.items()}
        self.figure = live(bars_figure(list(found), [0.0] * len(found), title="posebook17", unit="mm"))
        controls = [self.joints, self.root, self.alignment, self.frames, self.mean]
        self.watch(controls, self.update)
        left = widgets.VBox([*controls, self.verdict])
        super().__init__([widgets.HBox([left, self.table]), self.figure])
        self.update()

    @property
    def choice(self) -> Choice:
        """The protocol that is chosen."""
        return Choice(self.joints.value, self.root.value, self.alignment.value, self.frames.value, self.mean.value)

    def update(self) -> None:
        """Score, sort, redraw."""
        self.scores = {name: score(self.choice, own, self.truth) for name, own in self.found.items()}
        _, swapped, _ = compare(self.base, self.scores)
        names = in_order(self.scores)
        with self.figure.batch_update():
            bars = self.figure.data[0]
            bars.x, bars.y = [self.scores[name] for name in names], names
            self.figure.layout.yaxis.categoryarray = names
            self.figure.layout.title.text = title(self.choice)
        self.verdict.value = "the order is posebook17's" if not swapped else f"{swapped} pair(s) change places"
        head = "".join(f"<th>{title}</th>" for title in ("method", "mm", "change", "rank", "was"))
        rows = "".join(self.line(name, names) for name in in_order(self.scores, with_missing=True))
        self.table.value = f"<table><tr>{head}</tr>{rows}</table>"

    def line(self, name: str, names: list[str]) -> str:
        """One row of the table."""
        now, was = self.scores[name], self.base[name]
        ranks = [str(order.index(name) + 1) if name in order else "–" for order in (names, in_order(self.base))]
        numbers = ["–" if np.isnan(v) else f"{v:{form}}" for v, form in ((now, ".1f"), (now - was, "+.1f"))]
        cells = "".join(f"<td align='right'>{cell}</td>" for cell in (*numbers, *ranks))
        return f"<tr><td>{name}</td>{cells}</tr>"


def title(choice: Choice) -> str:
    """What the figure shows: posebook17, or what differs from it."""
    changed = [f"{name} {value}" for name, value in choice._asdict().items() if value != getattr(BASE, name)]
    return f"posebook17, but {'; '.join(changed)}" if changed else "posebook17"
