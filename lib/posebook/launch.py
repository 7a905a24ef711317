"""What `posebook train` has set up for the trainings of this process: devices, precision, shards, where to keep things.

The chapters' code asks for a device and for `fit`, as in a notebook; within `launched` both find this here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from lightning_fabric import Fabric


class Order(Protocol):
    """Rows of a sharded dataset in the order in which they stream."""

    def __len__(self) -> int:
        """Rows."""

    def batches(self, images: int, batch: int, seed: int, start: int = 0) -> Iterator[np.ndarray]:
        """Row numbers of batch `start`, `start + 1` … until `images` were seen."""


@dataclass
class Launch:
    """One start of `posebook train`.

    Attributes:
        fabric: launched.
        about: plain values that say how: devices, nodes, precision, shards.
        seconds: between two checkpoints at least.
        order: of the shards that the training pictures come from; None for a dataset in the cache.
        folder: of the training under way: checkpoint, best weights, logs.
    """

    fabric: Fabric
    about: dict = field(default_factory=dict)
    seconds: float = 60.0
    order: Order | None = None
    folder: Path | None = None


_LAUNCH: ContextVar[Launch | None] = ContextVar("launch", default=None)


def current() -> Launch | None:
    """The launch of this process; None in a notebook."""
    return _LAUNCH.get()


@contextmanager
def launched(launch: Launch) -> Iterator[Launch]:
    """Within, trainings run as `launch` says."""
    token = _LAUNCH.set(launch)
    try:
        yield launch
    finally:
        _LAUNCH.reset(token)


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Within, the training under way keeps its things in `folder`."""
    launch = current()
    outer, launch.folder = launch.folder, folder
    try:
        yield
    finally:
        launch.folder = outer
