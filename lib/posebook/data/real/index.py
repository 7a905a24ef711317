"""Writing a prepared dataset: streaming, block by block, and the folder appears whole or not at all."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from posebook.cache import atomic_path, locked
from posebook.data.real.block import TEXTS, Block, check_shapes, complete
from posebook.data.real.checks import check_block
from posebook.data.real.texts import TextWriter
from posebook.data.sample import ARRAY_FIELDS
from posebook.errors import PosebookError
from posebook.hand.sample import HAND_FIELDS

VERSION = 1  # of the folder layout and of what readers make; raise it when either changes
SCHEMAS = {"body": ARRAY_FIELDS, "hand": HAND_FIELDS}
CHECKED = 64  # rows of each block that the detectors of mix-ups look at


class IndexWriter:
    """Appends blocks to the files of one folder.

    Args:
        folder: empty, exists.
        kind: "body" or "hand".
        keypoints: joint set of the dataset's own keypoints, if it keeps them.
    """

    def __init__(self, folder: Path, kind: str, keypoints: str | None):
        self.folder, self.kind, self.keypoints = folder, kind, keypoints
        self.streams, self.rows, self.left_out = {}, 0, Counter()
        self.texts = {name: TextWriter(folder, name) for name in TEXTS}
        self.names = {"subject": set(), "action": set(), "sequence": set()}
        self.pictures = False

    def append(self, block: Block) -> None:
        """Check, complete and store some rows."""
        self.left_out.update(block.left_out)
        if not len(block):
            return
        block = complete(block, self.keypoints)
        check_shapes(block, self.kind, self.keypoints)
        check_block(block, self.kind, self.keypoints, CHECKED)
        self._same_fields(block)
        for name, values in block.fields.items():
            np.ascontiguousarray(values, np.float32).tofile(self.streams[name])
        np.asarray(block.frame, np.int64).tofile(self.streams["frame"])
        texts = block.texts()
        for name, writer in self.texts.items():
            writer.append(texts[name])
        for name, seen in self.names.items():
            seen.update(texts[name])
        self.pictures |= any(texts["image"])
        self.rows += len(block)

    def _same_fields(self, block: Block) -> None:
        names = [*block.fields, "frame"]
        if not self.streams:
            self.streams = {name: open(self.folder / f"{name}.bin", "wb") for name in names}
        if set(names) != set(self.streams):
            other = sorted(set(names) ^ set(self.streams))
            raise PosebookError(f"{block.sequence}: {', '.join(other)} labelled in some sequences and not in others.")

    def close(self) -> None:
        """Close all files."""
        for stream in (*self.streams.values(), *self.texts.values()):
            stream.close()

    def manifest(self, about: dict) -> dict:
        """What a reader must know."""
        stored = [name for name in self.streams if name != "frame"]
        lacking = [f for f in SCHEMAS[self.kind] if f not in stored and not (f == "image" and self.pictures)]
        return about | {
            "version": VERSION,
            "kind": self.kind,
            "keypoints": self.keypoints,
            "images": self.rows,
            "stored": stored,
            "missing_fields": [*lacking, "mask"],
            "left_out": dict(self.left_out),
            "subjects": sorted(self.names["subject"]),
            "actions": sorted(self.names["action"]),
            "sequences": len(self.names["sequence"]),
        }


def write_index(folder: Path, about: dict, kind: str, keypoints: str | None, blocks: Iterable[Block]) -> Path:
    """Prepare one split.

    Args:
        folder: where it goes; one of that name is replaced.
        about: name, split_name, source, fps, pixels, …: goes into the manifest.
        kind, keypoints: see IndexWriter.
        blocks: rows; the rows of a sequence must follow each other.

    Raises:
        PosebookError: labels that contradict each other, or not one row.
    """
    with locked(folder), atomic_path(folder) as temporary:
        temporary.mkdir()
        writer = IndexWriter(temporary, kind, keypoints)
        try:
            for block in blocks:
                writer.append(block)
        finally:
            writer.close()
        if not writer.rows:
            raise PosebookError(f"{about['name']} {about['split_name']}: not one row with labels in {about['source']}.")
        manifest = writer.manifest(about)
        manifest["data_version"] = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:12]
        (temporary / "manifest.json").write_text(json.dumps(manifest, indent=1))
    return folder


def fingerprint(files: Iterable[Path]) -> str:
    """What a split was made from: names, sizes and times of its label files, and VERSION."""
    digest = hashlib.sha256(f"{VERSION}".encode())
    for path in sorted(files):
        stat = path.stat()
        digest.update(f"{path}:{stat.st_size}:{stat.st_mtime_ns};".encode())
    return digest.hexdigest()


def made_from(folder: Path) -> str | None:
    """The fingerprint stored in a prepared split, None if there is none."""
    path = folder / "manifest.json"
    return json.loads(path.read_text()).get("made_from") if path.is_file() else None
