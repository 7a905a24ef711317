"""Texts of very many rows on disk: UTF-8 bytes one after the other and where each ends, read through memory maps."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np


class TextWriter:
    """Appends texts to `<folder>/<name>.txt` and their ends to `<name>.ends.bin`."""

    def __init__(self, folder: Path, name: str):
        self.bytes = open(folder / f"{name}.txt", "wb")
        self.ends = open(folder / f"{name}.ends.bin", "wb")
        self.position = 0

    def append(self, texts: Sequence[str]) -> None:
        """Add some rows."""
        encoded = [text.encode() for text in texts]
        ends = self.position + np.cumsum([len(e) for e in encoded], dtype=np.int64)
        self.bytes.write(b"".join(encoded))
        self.ends.write(ends.tobytes())
        self.position = int(ends[-1]) if len(ends) else self.position

    def close(self) -> None:
        """Finish both files."""
        self.bytes.close()
        self.ends.close()


class Texts:
    """(N,) texts of a folder, as an array would give them; nothing is kept in memory.

    Args:
        folder: of the prepared dataset.
        name: of the text.
    """

    ndim = 1

    def __init__(self, folder: Path, name: str):
        self.ends = np.memmap(folder / f"{name}.ends.bin", np.int64, "r")
        whole = folder / f"{name}.txt"
        self.bytes = np.memmap(whole, np.uint8, "r") if whole.stat().st_size else np.zeros(0, np.uint8)
        self.shape = self.ends.shape

    def __len__(self) -> int:
        return len(self.ends)

    def _one(self, i: int) -> str:
        return bytes(self.bytes[(self.ends[i - 1] if i else 0) : self.ends[i]]).decode()

    def __getitem__(self, key) -> str | np.ndarray:
        rows = np.arange(len(self))[key]
        return self._one(int(rows)) if np.ndim(rows) == 0 else np.array([self._one(int(i)) for i in rows], dtype=str)

    def __iter__(self) -> Iterator[str]:
        return (self._one(i) for i in range(len(self)))

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.array([*self] or [""][:0], dtype=dtype or str)

    def __eq__(self, other) -> np.ndarray:
        return np.asarray(self) == np.asarray(other)

    __hash__ = None

    def astype(self, dtype) -> np.ndarray:
        """All texts as an array."""
        return np.asarray(self).astype(dtype)
