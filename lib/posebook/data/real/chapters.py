"""Which labels each chapter learns from, and one sentence before anything is trained where a dataset lacks them."""

import numpy as np

from posebook.data.body_batches import NEEDED
from posebook.data.real.bodies import body_file
from posebook.data.real.catalogue import CATALOGUE, entry
from posebook.data.real.clips import longest_run
from posebook.data.real.dataset import open_real, split_folder
from posebook.data.real.labels import labels_of
from posebook.data.real.recipe import own_splits
from posebook.errors import PosebookError
from posebook.own_body import FREE

JOINTS17 = ("image", "K", "joints2d_h36m17", "joints3d_h36m17")
BODIES = (*NEEDED, "joints3d_h36m17")
NEEDS = {"01": JOINTS17, "02": BODIES, "03": BODIES, "04": BODIES, "05": JOINTS17}
TEMPORAL = "04"  # needs clips as well
RENDERED = "procedural and cmu"  # rendered people: they have every label


def lacking(chapter: str, name: str, frames: int = 0) -> list[str]:
    """Fields that a chapter needs and the prepared splits of a dataset lack, in the order of the schema.

    Args:
        frames: of a clip, which the temporal chapter needs in each split; 0 does not look.

    Raises:
        PosebookError: one of the splits for training and test is not prepared, or the dataset shows hands.
    """
    missing = []
    for split in dict.fromkeys(own_splits(name)):
        real = open_real(name, split, image_size=64)
        if real.manifest["kind"] != "body":
            raise PosebookError(f"{entry(name).title} shows hands; chapters learn from datasets of whole bodies.")
        has = labels_of(real).read
        missing += [field for field in NEEDS.get(chapter, ()) if field not in has and field not in missing]
        texts, wanted = real.texts, f"{frames} frames in a row"
        if frames and chapter == TEMPORAL and wanted not in missing:
            longest = longest_run(np.asarray(texts["sequence"][:]), np.asarray(texts["frame"][:]))
            missing += [wanted] if longest < frames else []
    return missing


def body_for(chapter: str, name: str) -> str:
    """Which body a chapter works with on a dataset (`posebook.own_body`): SMPL where both have its parameters."""
    real = open_real(name, own_splits(name)[0], image_size=64)
    learns = "betas" in NEEDS.get(chapter, ()) and labels_of(real).body
    return str(body_file(real)) if learns else FREE


def having(chapter: str, frames: int = 0) -> list[str]:
    """Prepared datasets whose splits all have what a chapter needs; `frames` as for `lacking`."""
    there = [e.name for e in CATALOGUE
             if all((split_folder(e.name, s) / "manifest.json").is_file() for s in own_splits(e.name))]  # fmt: skip
    found = []
    for name in there:
        try:
            found += [] if lacking(chapter, name, frames) else [name]
        except PosebookError:
            continue
    return found


def check_chapter(chapter: str, name: str, frames: int = 0) -> None:
    """PosebookError, one sentence, if a dataset lacks what a chapter needs; `frames` as for `lacking`."""
    missing = lacking(chapter, name, frames)
    if missing:
        others = ", ".join([RENDERED, *having(chapter, frames)])
        labels = [field for field in missing if field in NEEDS[chapter]]
        why = f" ({entry(name).lacks.rstrip('.')})" if labels and entry(name).lacks else ""
        needed = [*NEEDS[chapter], *(what for what in missing if what not in labels)]
        raise PosebookError(f"Chapter {chapter} needs {', '.join(needed)}, but {entry(name).title} as prepared "
                            f"has no {', '.join(missing)}{why}; sets here that have them: {others}.")  # fmt: skip
