"""Which labels each chapter learns from, and one sentence before anything is trained where a dataset lacks them."""

from posebook.data.body_batches import NEEDED
from posebook.data.real.catalogue import CATALOGUE, entry
from posebook.data.real.dataset import open_real, split_folder
from posebook.data.real.labels import labels_of
from posebook.data.real.source import own_splits
from posebook.errors import PosebookError

JOINTS17 = ("image", "K", "joints2d_h36m17", "joints3d_h36m17")
BODIES = (*NEEDED, "joints3d_h36m17")
NEEDS = {"01": JOINTS17, "02": BODIES, "03": BODIES, "04": BODIES, "05": JOINTS17}
RENDERED = "procedural and cmu"  # rendered people: they have every label


def lacking(chapter: str, name: str) -> list[str]:
    """Fields that a chapter needs and the prepared splits of a dataset lack, in the order of the schema.

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
    return missing


def having(chapter: str) -> list[str]:
    """Prepared datasets whose splits all have what a chapter needs."""
    there = [e.name for e in CATALOGUE
             if all((split_folder(e.name, s) / "manifest.json").is_file() for s in own_splits(e.name))]  # fmt: skip
    found = []
    for name in there:
        try:
            found += [] if lacking(chapter, name) else [name]
        except PosebookError:
            continue
    return found


def check_chapter(chapter: str, name: str) -> None:
    """PosebookError, one sentence, if a dataset lacks what a chapter needs."""
    missing = lacking(chapter, name)
    if missing:
        others = ", ".join([RENDERED, *having(chapter)])
        why = f" ({entry(name).lacks.rstrip('.')})" if entry(name).lacks else ""
        raise PosebookError(f"Chapter {chapter} needs {', '.join(NEEDS[chapter])}, but {entry(name).title} as prepared "
                            f"has no {', '.join(missing)}{why}; sets here that have them: {others}.")  # fmt: skip
