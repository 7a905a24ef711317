"""The one training loop, on Lightning Fabric (devices, precision): batches in, loss down, a history out.

Budgets are counted in images seen, so that variants of one comparison get the same.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from posebook.checkpoint import Checkpoint, Progressed
from posebook.progress import Progress


@dataclass(frozen=True)
class Budget:
    """Equal for all variants of one comparison."""

    images_seen: int
    batch: int = 32
    learning_rate: float = 1e-3  # peak of one cycle: linear rise over the first tenth, cosine to zero
    weight_decay: float = 0.0
    clip_norm: float = 1.0


class History(NamedTuple):
    """What happened in training."""

    images: list[int]  # images seen at each record
    losses: list[float]  # mean training loss since the record before
    minutes: float


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and torch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def make_fabric(device: str = "cpu", precision: str = "32-true") -> Fabric:
    """Fabric on one device.

    Args:
        device: "cpu", "cuda", "cuda:<number>" or "auto".
        precision: as Fabric names them, e.g. "bf16-mixed".
    """
    name, _, number = device.partition(":")
    return Fabric(accelerator=name, devices=[int(number)] if number else 1, precision=precision)


def index_batches(count: int, budget: Budget, seed: int) -> Iterator[np.ndarray]:
    """Shuffled passes over `count` rows, cut into batches, until the budget is used; the same for every variant."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, count]))
    queue = np.empty(0, np.int64)
    for _ in range(-(-budget.images_seen // budget.batch)):
        while len(queue) < budget.batch:
            queue = np.concatenate([queue, rng.permutation(count)])
        batch, queue = queue[: budget.batch], queue[budget.batch :]
        yield np.sort(batch)  # memory maps read forwards


def one_cycle(step: int, steps: int) -> float:
    """Factor of the learning rate: up over the first tenth, cosine down to zero."""
    rise = max(steps // 10, 1)
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + np.cos(np.pi * (step - rise) / max(steps - rise, 1)))


def clip(fabric: Fabric, model: nn.Module, optimizer, parts: Sequence[nn.Module], norm: float) -> None:
    """Clip gradients to a norm: the model's as one, or those of each of its parts where there are any."""
    if not parts:
        fabric.clip_gradients(model, optimizer, max_norm=norm)
    for part in parts:  # Fabric's would clip all that the optimiser has, whatever the part
        nn.utils.clip_grad_norm_(part.parameters(), norm)


def fit(
    model: nn.Module,
    loss: Callable[[nn.Module, np.ndarray, torch.Generator], Tensor],
    count: int,
    budget: Budget,
    seed: int = 0,
    fabric: Fabric | None = None,
    description: str = "Training",
    checkpoint: Path | None = None,
    parts: Sequence[nn.Module] = (),
) -> History:
    """Train a model in place with Adam and one learning-rate cycle.

    Args:
        model: moved to Fabric's device; left there in eval mode.
        loss: (model, row numbers, generator for augmentation) -> scalar.
        count: rows of the training set.
        budget: images seen, batch, learning rate.
        seed: of the order of images and of augmentation (weights were drawn before).
        fabric: where to run; CPU if None.
        description: for the progress line.
        checkpoint: file that keeps the state now and then; where it exists, the training goes on from it, to the same
            bits as if it had not been interrupted. The model must be built as it was. None keeps nothing.
        parts: networks of the model whose gradients are clipped each by itself; the model as one if there are none.

    Returns:
        History.

    Raises:
        PosebookError: a checkpoint of another training, or one that cannot be read.
    """
    fabric = fabric or make_fabric()
    model.to(memory_format=torch.channels_last)  # 1.6 times faster convolutions on CPU cores
    optimizer = torch.optim.AdamW(model.parameters(), budget.learning_rate, weight_decay=budget.weight_decay)
    wrapped, optimizer = fabric.setup(model, optimizer)
    wrapped.train()
    steps = -(-budget.images_seen // budget.batch)
    generator = torch.Generator(fabric.device).manual_seed(seed)
    kept = Checkpoint(checkpoint, model, optimizer, generator, asdict(budget) | {"seed": seed, "count": count})
    before = kept.restore()
    progress = Progress(steps * budget.batch, description, "images")
    progress.update(before.steps * budget.batch)
    images, losses, since = list(before.images), list(before.losses), []
    every = max(steps // 40, 1)
    started = time.perf_counter() - 60 * before.minutes
    for step, rows in enumerate(index_batches(count, budget, seed)):
        if step < before.steps:
            continue  # done before the interruption
        for group in optimizer.param_groups:
            group["lr"] = budget.learning_rate * one_cycle(step, steps)
        value = loss(wrapped, rows, generator)
        optimizer.zero_grad()
        fabric.backward(value)
        clip(fabric, wrapped, optimizer, parts, budget.clip_norm)
        optimizer.step()
        since.append(value.detach())
        if (step + 1) % every == 0 or step == steps - 1:
            images.append((step + 1) * budget.batch)
            losses.append(float(torch.stack(since).mean()))
            since = []
            kept.keep(Progressed(step + 1, images, losses, (time.perf_counter() - started) / 60))
        progress.update(budget.batch, f"loss {losses[-1]:.4g}" if losses else "")
    progress.close()
    model.eval()
    return History(images, losses, (time.perf_counter() - started) / 60)
