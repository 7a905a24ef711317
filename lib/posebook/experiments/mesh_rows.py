"""Rows of chapter 3's tables: every mesh in the box once as a user would get it, once with the true root depth."""

import numpy as np

from posebook.experiments.i2l import Variant
from posebook.experiments.mesh_judge import TRUE_DEPTH, MeshJudge
from posebook.experiments.meshes import Meshes, mean_parameters
from posebook.experiments.sheet import TITLES, ScoreSheet

DEPTH_NOTE = "root depth from the mean bone lengths of the training people"


def add_mesh_row(sheet: ScoreSheet, row: str, found: dict[str, np.ndarray], oracle: tuple[str, ...] = (),
                 note: str = "", **about) -> None:  # fmt: skip
    """Score what a `MeshJudge` found as one row, and what the true root depth makes of it as another, an oracle row.

    Args:
        sheet: of the judge's test set. row: name. found: arrays of `MeshJudge`.
        oracle: true quantities that both rows use. note: for the reader. about: kind, init of `ScoreSheet.add`.
    """
    plain = {name: values for name, values in found.items() if not name.endswith(TRUE_DEPTH)}
    deep = {name.removesuffix(TRUE_DEPTH): values for name, values in found.items() if name.endswith(TRUE_DEPTH)}
    told = "; ".join(text for text in (note, DEPTH_NOTE if deep else "") if text)
    sheet.add(row, plain["joints3d"], oracle=oracle, note=told, extra=extras(plain), **about)
    if deep:
        depth = (*oracle, "root depth")
        sheet.add(f"{row}, true root depth", deep["joints3d"], oracle=depth, note=note, extra=extras(deep), **about)


def extras(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Errors beyond the joints."""
    return {name: values for name, values in found.items() if name in TITLES}


def add_variant_row(sheet: ScoreSheet, variant: Variant, found: dict[str, np.ndarray], init: str) -> None:
    """Score a trained variant."""
    note = f"sees {variant.share:g} times the images" if variant.share != 1 else ""
    note = "second stage on the frozen first" if variant.form == "i2l parameters" else note
    add_mesh_row(sheet, variant.row, found, variant.oracle, note, init=init)


def add_mesh_floors(sheet: ScoreSheet, train: Meshes, test: Meshes, judge: MeshJudge, subject: str) -> None:
    """The mean mesh for everyone (a baseline), and the true mesh read out as predicted ones are (an oracle).

    Args:
        subject: "body" or "hand", for the rows' names.
    """
    mean = mean_parameters(train)[0]
    said = {"mean": lambda batch: mean.expand(len(batch.image), -1, -1), "true": lambda batch: test.targets(batch)[0]}
    for name, mesh in said.items():
        found = judge.collect(lambda batch, first, mesh=mesh: judge.box(mesh(batch), batch, first))
        if name == "mean":
            found = {key: values for key, values in found.items() if not key.endswith(TRUE_DEPTH)}
            add_mesh_row(sheet, f"mean {subject} in the box", found, kind="baseline")
        else:
            add_mesh_row(sheet, f"true {subject} mesh", found, oracle=("mesh",))
