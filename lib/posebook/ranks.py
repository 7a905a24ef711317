"""Several processes that train one network: each takes its part of every batch, and together they do one's work.

A batch of B rows is cut into consecutive parts, equal to within one row. A process' loss is the mean over its part of n
rows; times n R / B, for R processes, the mean that DDP takes over the processes is the mean over the batch, whatever
the parts. What is drawn for the rows of a batch (`rand_rows`) is drawn for all of them by every process, which keeps
its own part: a row is changed in the same way however many processes there are.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.shared_norm import own_norms, shared_norms

T = TypeVar("T")


class Part(NamedTuple):
    """Rows start..stop-1 of a batch."""

    start: int
    stop: int
    total: int  # rows of the batch


_PART: ContextVar[Part | None] = ContextVar("part", default=None)


def part_of(total: int, rank: int, ranks: int) -> Part:
    """Part of one process of a batch; the first ones are a row longer where it does not divide."""
    each, more = divmod(total, ranks)
    start = rank * each + min(rank, more)
    return Part(start, start + each + (rank < more), total)


@contextmanager
def taking(part: Part) -> Iterator[None]:
    """Within, `rand_rows` gives what belongs to this part."""
    token = _PART.set(part)
    try:
        yield
    finally:
        _PART.reset(token)


def rand_rows(count: int, *shape: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """(count, *shape) of U(0, 1), one draw for each row of the batch, or of this process' part of it.

    Raises:
        ValueError: within a part of another number of rows.
    """
    part = _PART.get()
    if part is None:
        return torch.rand(count, *shape, generator=generator, device=device)
    if count != part.stop - part.start:
        raise ValueError(f"Expected draws for the {part.stop - part.start} rows of this process, got {count}.")
    return torch.rand(part.total, *shape, generator=generator, device=device)[part.start : part.stop]


class Ranks:
    """The processes of a training, seen from one of them; for a single one every method changes nothing.

    Args:
        fabric: launched, if there are several.
    """

    def __init__(self, fabric: Fabric):
        self.fabric, self.rank, self.count = fabric, fabric.global_rank, fabric.world_size

    def part(self, total: int) -> Part:
        """This process' part of a batch.

        Raises:
            PosebookError: there are more processes than rows.
        """
        if total < self.count:
            raise PosebookError(
                f"A batch of {total} cannot be split over {self.count} processes. Use {total} at most (--devices)."
            )
        return part_of(total, self.rank, self.count)

    @contextmanager
    def prepared(self, model: nn.Module, seed: int) -> Iterator[None]:
        """Within, batch norms use the statistics of the whole batch, and dropout differs between processes."""
        if self.count == 1:
            yield
            return
        torch.manual_seed(seed + 1_000_003 * self.rank)
        shared_norms(model)
        try:
            yield
        finally:
            own_norms(model)

    def loss(self, loss: Callable, net: nn.Module, rows: np.ndarray, generator: torch.Generator) -> Tensor:
        """A loss over this process' rows of a batch; its mean over the processes is the loss over the batch."""
        if self.count == 1:
            return loss(net, rows, generator)
        part = self.part(len(rows))
        with taking(part):
            value = loss(net, rows[part.start : part.stop], generator)
        return value * ((part.stop - part.start) * self.count / part.total)

    def mean(self, values: Tensor) -> Tensor:
        """Mean over the processes."""
        return values if self.count == 1 else self.fabric.all_reduce(values, reduce_op="mean")

    def agree(self, mine: bool) -> bool:
        """What the first process says."""
        return mine if self.count == 1 else self.fabric.broadcast(mine)

    def gather(self, mine: T) -> list[T]:
        """What every process has, in the order of ranks; tensors must lie on the CPU."""
        found = [mine] * self.count
        if self.count > 1:
            torch.distributed.all_gather_object(found, mine)
        return found
