"""Pictures of shards as an array would give them: read at their offsets, ahead of use where the order is known."""

import io
import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path

import numpy as np
from PIL import Image

from posebook.errors import PosebookError

OPEN = 64  # tar files open at once; systems allow about 1000


class ShardFiles:
    """The tar files of a folder.

    Args:
        folder: of the tar files.
        counts: pictures in each.
        offsets: (N, fields, 2) start and size of each picture's bytes.
    """

    def __init__(self, folder: Path, counts: Sequence[int], offsets: np.ndarray):
        self.folder, self.offsets = folder, offsets
        self.starts = np.concatenate([[0], np.cumsum(counts)])
        self.open, self.lock = OrderedDict(), threading.Lock()
        self.ahead: dict[tuple[int, bytes], Future] = {}  # (field, rows) -> pictures that are being read
        self.asked: set[int] = set()  # fields that the last batches asked for

    def read(self, shard: int, offset: int, size: int) -> bytes:
        """Some bytes of a tar file.

        Raises:
            PosebookError: it is missing or cut short.
        """
        found = os.pread(self._file(shard).fileno(), size, offset)
        if len(found) != size:
            raise PosebookError(
                f"{self.folder / f'{shard:06d}.tar'} ends early. Copy it again, or make the shards anew."
            )
        return found

    def _file(self, shard: int):
        with self.lock:  # a file that leaves the table is closed when its last reader lets it go
            if shard not in self.open:
                path = self.folder / f"{shard:06d}.tar"
                try:
                    self.open[shard] = open(path, "rb")  # noqa: SIM115
                except OSError as error:
                    raise PosebookError(f"The shard {path} cannot be read: {error.strerror}. Copy it again.") from error
                if len(self.open) > OPEN:
                    self.open.popitem(last=False)
            self.open.move_to_end(shard)
            return self.open[shard]

    def pictures(self, rows: np.ndarray, field: int, shape: tuple[int, ...], dtype) -> np.ndarray:
        """(n, *shape) decoded pictures of some rows."""
        out = np.empty((len(rows), *shape), dtype)
        shards = np.searchsorted(self.starts, rows, "right") - 1
        places = np.asarray(self.offsets[rows, field])  # (n, 2)
        for target, data in zip(out, self.read_all(shards.tolist(), places.tolist()), strict=True):
            with Image.open(io.BytesIO(data)) as picture:
                target[...] = picture
        return out

    def read_all(self, shards: list[int], places: list[list[int]]) -> Iterable[bytes]:
        """Bytes of some pictures, each in its shard at (offset, size)."""
        return (self.read(shard, *place) for shard, place in zip(shards, places, strict=True))


class ShardPictures:
    """(N, H, W, 3) or (N, H, W) of one field.

    Args:
        files: of the dataset. field: its place among the dataset's pictures. shape, dtype: of the whole.
    """

    def __init__(self, files: ShardFiles, field: int, shape: tuple[int, ...], dtype: str):
        self.files, self.field = files, field
        self.shape, self.dtype, self.ndim = shape, np.dtype(dtype), len(shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key) -> np.ndarray:
        first, rest = (key[0], key[1:]) if isinstance(key, tuple) else (key, ())
        if isinstance(first, (int, np.integer)):
            return self._read(np.array([first if first >= 0 else len(self) + first]))[0][rest]
        rows = np.arange(*first.indices(len(self))) if isinstance(first, slice) else np.asarray(first)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        found = self._ahead(rows)
        return (self._read(rows) if found is None else found)[(slice(None), *rest)]

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.asarray(self[:], dtype)

    def _read(self, rows: np.ndarray) -> np.ndarray:
        return self.files.pictures(rows, self.field, self.shape[1:], self.dtype)

    def _ahead(self, rows: np.ndarray) -> np.ndarray | None:
        self.files.asked.add(self.field)
        future = self.files.ahead.get((self.field, rows.tobytes()))
        return None if future is None else future.result()

    def read_ahead(self, rows: np.ndarray, pool: Executor) -> None:
        """Begin to read rows that will be asked for, in just this order."""
        self.files.ahead[self.field, rows.tobytes()] = pool.submit(self._read, rows)
