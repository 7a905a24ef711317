"""The order in which shards stream: a function of seed and position, the same for any number of processes.

An epoch goes through the shards in a random order, BLOCK of them at a time, and through the pictures of a block in a
random order: near enough to a shuffle of everything, and at any time few tar files are read. Batches are cut from the
epochs one after the other, so that every picture comes once an epoch, whatever batch and number of processes.
"""

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from posebook.data.shard_pictures import ShardPictures
from posebook.data.shards import ShardDataset
from posebook.ranks import part_of

BLOCK = 8  # shards that are shuffled together
AHEAD = 8  # batches, each read by one thread


class ShardOrder:
    """Rows of a sharded dataset as they stream to one process of several.

    Args:
        dataset: of shards.
        rank, ranks: this process and how many there are; only its own part of each batch is read ahead.
    """

    def __init__(self, dataset: ShardDataset, rank: int = 0, ranks: int = 1):
        self.counts = np.array(dataset.manifest["shards"])
        self.starts = np.cumsum(self.counts) - self.counts
        self.pictures = [a for a in dataset.arrays.values() if isinstance(a, ShardPictures)]
        self.threads = max(2, min(AHEAD, (os.cpu_count() or 1) // 8))  # of each process; a node has about 8
        self.dataset, self.files, self.rank, self.ranks = dataset, dataset.files, rank, ranks

    def __len__(self) -> int:
        return int(self.counts.sum())

    def blocks(self, seed: int, epoch: int, skip: int = 0) -> Iterator[np.ndarray]:
        """Rows of one epoch, block by block, without the first `skip` of them."""
        shards = np.random.default_rng([seed, epoch]).permutation(len(self.counts))
        for i in range(0, len(shards), BLOCK):
            chosen = shards[i : i + BLOCK]
            size = int(self.counts[chosen].sum())
            if skip < size:
                rows = np.concatenate([self.starts[s] + np.arange(self.counts[s]) for s in chosen])
                yield np.random.default_rng([seed, epoch, i]).permutation(rows)[skip:]
            skip = max(skip - size, 0)

    def rows_from(self, position: int, seed: int) -> Iterator[np.ndarray]:
        """Rows without end, from a position on, counted in pictures since the training's start."""
        epoch, skip = divmod(position, len(self))
        while True:
            for rows in self.blocks(seed, epoch, skip):
                self.dataset.let_go()
                yield rows
            epoch, skip = epoch + 1, 0

    def batches(self, images: int, batch: int, seed: int, start: int = 0) -> Iterator[np.ndarray]:
        """Row numbers of batch `start` and those after it, until `images` were seen; the next are read meanwhile."""
        coming: deque[np.ndarray] = deque()
        source, queue = self.rows_from(start * batch, seed), np.empty(0, np.int64)
        with ThreadPoolExecutor(self.threads) as pool:
            for step in range(start, -(-images // batch) + AHEAD):
                while len(queue) < batch:
                    queue = np.concatenate([queue, next(source)])
                rows, queue = np.sort(queue[:batch]), queue[batch:]
                coming.append(rows)
                self._read_ahead(rows, pool)
                if step >= start + AHEAD:
                    yield coming.popleft()
                    self._forget(coming)

    def _own(self, rows: np.ndarray) -> np.ndarray:
        part = part_of(len(rows), self.rank, self.ranks)
        return rows[part.start : part.stop]

    def _read_ahead(self, rows: np.ndarray, pool: ThreadPoolExecutor) -> None:
        for pictures in self.pictures:
            if pictures.field in self.files.asked:
                pictures.read_ahead(self._own(rows), pool)

    def _forget(self, coming: deque[np.ndarray]) -> None:
        """Let go of pictures that were used."""
        keep = {self._own(rows).tobytes() for rows in coming}
        for key in [key for key in self.files.ahead if key[1] not in keep]:
            del self.files.ahead[key]
