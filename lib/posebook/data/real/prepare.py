"""Preparing a split: from a reader's blocks to a folder that `open_real` opens; done again only when files change."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from posebook.data.real.block import Block
from posebook.data.real.catalogue import entry
from posebook.data.real.index import fingerprint, made_from, write_index
from posebook.errors import PosebookError
from posebook.fetch import need_space

SPARE = 64 << 20  # bytes beside what the labels take


@dataclass(frozen=True)
class Reader:
    """How one dataset is read. Calls get the source folder and the split."""

    name: str  # of the catalogue
    label_files: Callable[[Path, str], list[Path]]  # PosebookError if one is missing
    blocks: Callable[[Path, str], Iterator[Block]]
    pixels: str  # the files' pixel convention and what is done about it
    fps: float = 30.0
    kind: str = "body"
    keypoints: str | None = None  # joint set; may depend on the split
    keypoints_of: dict[str, str] | None = None  # split -> joint set, where it does

    def joint_set(self, split: str) -> str | None:
        """Joint set of a split's own keypoints."""
        return (self.keypoints_of or {}).get(split, self.keypoints)


class Outcome(NamedTuple):
    """What became of a split."""

    split: str
    state: str  # prepared, kept or missing
    message: str


def prepare(reader: Reader, source: Path, split: str, folder: Path) -> Outcome:
    """Prepare one split, unless it was prepared from the same files.

    Args:
        reader: of the dataset.
        source: folder of the user's files.
        split: one of the catalogue's.
        folder: where the split goes.

    Raises:
        PosebookError: damaged files, labels that contradict each other, a full disk.
    """
    try:
        files = reader.label_files(source, split)
    except PosebookError as error:
        return Outcome(split, "missing", str(error))
    stamp = fingerprint(files)
    if made_from(folder) == stamp:
        return Outcome(split, "kept", f"prepared before from the same {len(files)} files")
    folder.parent.mkdir(parents=True, exist_ok=True)
    need_space(folder.parent, 2 * sum(f.stat().st_size for f in files) + SPARE, f"Preparing {reader.name} {split}")
    about = {"name": reader.name, "split_name": split, "source": str(source.absolute()), "fps": reader.fps,
             "pixels": reader.pixels, "made_from": stamp, "licence": entry(reader.name).licence}  # fmt: skip
    write_index(folder, about, reader.kind, reader.joint_set(split), reader.blocks(source, split))
    return Outcome(split, "prepared", f"from {len(files)} files")


def existing(paths: Iterable[Path], name: str, hint: str = "") -> list[Path]:
    """The paths, all of which must be files.

    Raises:
        PosebookError: some are missing; names the first few and where to get them.
    """
    paths = list(paths)
    missing = [p for p in paths if not p.is_file()]
    if missing or not paths:
        e = entry(name)
        shown = ", ".join(map(str, missing[:4])) + (f" and {len(missing) - 4} more" if len(missing) > 4 else "")
        raise PosebookError(f"{e.title}: missing {shown or 'every label file'}. {hint} Get "
                            f"{', '.join(f.name for f in e.files)} from {e.register} ({e.licence}).")  # fmt: skip
    return paths
