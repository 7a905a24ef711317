"""A half-done training on disk: written whole, read without running code, continued to the same bits.

What is kept: weights and buffers, the optimiser's moments, the states of the training's own generator and of torch's,
how many steps are done, and the history. The order of images follows from seed and step, the learning rate from the
step. The generators of Python and numpy are not kept: no loss here draws from them. What a loss changes beside the
model, such as a discriminator with an optimiser of its own, is kept where the training names it.

Of several processes (`posebook.ranks`) the first one writes, and keeps the others' states of torch's generator. All
else is the same in each, so that a training may go on with more or fewer of them.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import nn

from posebook.cache import atomic_path
from posebook.errors import PosebookError
from posebook.ranks import Ranks

SECONDS = 10.0  # between two writes at least; what a killed training loses at most, beside the way to the next record


class Stateful(Protocol):
    """What changes in a training beside its model."""

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values, also within dicts, lists and tuples."""

    def load_state_dict(self, state: dict[str, Any]) -> Any:
        """Take over a state, whose tensors lie on the CPU."""


class Progressed(NamedTuple):
    """How far a training had come."""

    steps: int = 0
    images: tuple[int, ...] = ()  # of the history's records
    losses: tuple[float, ...] = ()
    minutes: float = 0.0


class Checkpoint:
    """The file of one training.

    Args:
        path: of the file; None keeps nothing.
        model, optimizer: on their device, trained in place.
        generator: the training's own.
        about: plain values that say which training this is, e.g. budget and seed.
        ranks: the processes that train.
        seconds: between two writes at least; SECONDS if None.
        also: what changes beside the model, the same in every process.
    """

    def __init__(self, path: str | Path | None, model: nn.Module, optimizer: torch.optim.Optimizer,
                 generator: torch.Generator, about: dict[str, Any], ranks: Ranks,
                 seconds: float | None = None, also: Sequence[Stateful] = ()):  # fmt: skip
        self.path = Path(path) if path else None
        self.model, self.optimizer, self.generator, self.also = model, optimizer, generator, also
        self.about = about | {"also": [type(thing).__name__ for thing in also]}
        self.ranks, self.seconds = ranks, SECONDS if seconds is None else seconds
        self.written = time.perf_counter()

    def restore(self) -> Progressed:
        """Put everything back as it was at the last write; nothing done yet where there is no file.

        Raises:
            PosebookError: a file of another training, or one that cannot be read.
        """
        if self.path is None or not self.path.exists():
            return Progressed()
        parts = self._read()
        if parts["about"] != self.about:
            raise PosebookError(
                f"{self.path} is of another training: it says {parts['about']}, this one is {self.about}. "
                "Delete the file, or name another one."
            )
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict(parts["optimizer"])
        self.generator.set_state(parts["generator"])
        for thing, state in zip(self.also, parts["also"], strict=True):
            thing.load_state_dict(state)
        self._go_on_drawing([parts, *parts.get("others", ())])
        return Progressed(parts["steps"], tuple(parts["images"]), tuple(parts["losses"]), parts["minutes"])

    def keep(self, done: Progressed) -> None:
        """Write the present state, unless the last write was a moment ago."""
        if self.path is None or not self.ranks.agree(time.perf_counter() - self.written >= self.seconds):
            return
        first, *others = self.ranks.gather(self._drawing())
        self.written = time.perf_counter()
        if self.ranks.rank > 0:
            return
        parts = {
            "about": self.about,
            "model": self.model.state_dict(),
            "optimizer": _plain(self.optimizer.state_dict()),
            "generator": self.generator.get_state(),
            "also": [thing.state_dict() for thing in self.also],
            "others": others,
            **first,
            **done._asdict(),
        }
        with atomic_path(self.path) as temporary:
            torch.save(parts, temporary)

    def _drawing(self) -> dict[str, torch.Tensor]:
        """States of this process' generators of torch."""
        states = {"torch": torch.get_rng_state()}
        if self.generator.device.type == "cuda":
            states["cuda"] = torch.cuda.get_rng_state(self.generator.device)
        return states

    def _go_on_drawing(self, states: list[dict[str, torch.Tensor]]) -> None:
        """Take over this process' states; one that was not there before goes on from its seed."""
        for own in states[self.ranks.rank :][:1]:
            torch.set_rng_state(own["torch"])
            if self.generator.device.type == "cuda":
                torch.cuda.set_rng_state(own["cuda"], self.generator.device)

    def _read(self) -> dict[str, Any]:
        try:
            return torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises many kinds for a damaged file
            raise PosebookError(
                f"The checkpoint {self.path} cannot be read ({type(error).__name__}). Delete it; the training then "
                "starts from its beginning."
            ) from error


def _plain(state: dict[str, Any]) -> dict[str, Any]:
    """An optimiser's state with Python's numbers in place of numpy's, which a safe reader refuses."""
    groups = [{k: v.item() if isinstance(v, np.generic) else v for k, v in g.items()} for g in state["param_groups"]]
    return state | {"param_groups": groups}
