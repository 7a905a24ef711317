"""The one training loop, on Lightning Fabric (devices, precision): batches in, loss down, a history out.

Budgets are counted in images seen, so that variants of one comparison get the same. `posebook train` runs the same loop
on several devices (`posebook.launch`): batches are the same and are split (`posebook.ranks`).
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment
from torch import Tensor, nn

from posebook.checkpoint import Checkpoint, Progressed, Stateful
from posebook.journal import Journal, file_stem
from posebook.launch import current
from posebook.progress import Progress
from posebook.ranks import Ranks


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
    """Fabric on one device; that of `posebook train`, with all its devices, where it runs.

    Args:
        device: "cpu", "cuda", "cuda:<number>" or "auto".
        precision: as Fabric names them, e.g. "bf16-mixed".
    """
    if current() is not None:
        return current().fabric
    name, _, number = device.partition(":")
    alone = LightningEnvironment()  # one process, also on a Slurm machine, whose job may have several tasks
    return Fabric(accelerator=name, devices=[int(number)] if number else 1, precision=precision, plugins=alone)


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


def kept_at(path: Path | None, description: str) -> Path | None:
    """File of a training's checkpoint; that of `posebook train` is in the folder of its row.

    The path that a chapter names is for notebooks: the two ways of running it say different things of themselves, and
    neither goes on with the other's training.

    Args:
        path: named by the chapter, or None. description: of the training, one of its kind in that folder.
    """
    launch = current()
    return path if launch is None or launch.folder is None else launch.folder / f"{file_stem(description)}.last.pt"


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
    also: Sequence[Stateful] = (),
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
            bits as if it had not been interrupted. The model must be built as it was. None keeps nothing. Within
            `posebook train` the file is one of its own instead, see `kept_at`.
        parts: networks of the model whose gradients are clipped each by itself; the model as one if there are none.
        also: what the loss changes beside the model; the checkpoint keeps it as well.

    Returns:
        History.

    Raises:
        PosebookError: a checkpoint of another training, or one that cannot be read.
    """
    fabric = fabric or make_fabric()
    ranks = Ranks(fabric)
    ranks.part(budget.batch)  # too many processes are found out now
    with ranks.prepared(model, seed):
        return _fit(model, loss, count, budget, seed, ranks, description, checkpoint, parts, also)


def _fit(model, loss, count, budget, seed, ranks: Ranks, description, checkpoint, parts, also) -> History:
    fabric, launch = ranks.fabric, current()
    model.to(memory_format=torch.channels_last)  # 1.6 times faster convolutions on CPU cores
    optimizer = torch.optim.AdamW(model.parameters(), budget.learning_rate, weight_decay=budget.weight_decay)
    wrapped, optimizer = fabric.setup(model, optimizer)
    wrapped.train()
    steps = -(-budget.images_seen // budget.batch)
    generator = torch.Generator(fabric.device).manual_seed(seed)
    about = asdict(budget) | {"seed": seed, "count": count}
    if launch is not None:
        about |= {name: launch.about[name] for name in ("precision", "shards")}  # processes may change on the way
    file, seconds = kept_at(checkpoint, description), launch and launch.seconds
    kept = Checkpoint(file, model, optimizer, generator, about, ranks, seconds, also)
    journal = Journal(launch.folder if launch and ranks.rank == 0 else None, description, model)
    before = kept.restore()
    progress = Progress(steps * budget.batch, description, "images", ranks.rank == 0)
    progress.update(before.steps * budget.batch)
    images, losses, since = list(before.images), list(before.losses), []
    every = max(steps // 40, 1)
    started = time.perf_counter() - 60 * before.minutes
    for step, rows in enumerate(batches_from(before.steps, count, budget, seed), before.steps):
        for group in optimizer.param_groups:
            group["lr"] = budget.learning_rate * one_cycle(step, steps)
        value = ranks.loss(loss, wrapped, rows, generator)
        optimizer.zero_grad()
        fabric.backward(value)
        clip(fabric, wrapped, optimizer, parts, budget.clip_norm)
        optimizer.step()
        since.append(value.detach())
        if (step + 1) % every == 0 or step == steps - 1:
            minutes = (time.perf_counter() - started) / 60
            images.append((step + 1) * budget.batch)
            losses.append(float(ranks.mean(torch.stack(since)).mean()))
            since = []
            journal.record(images, losses, group["lr"], minutes)
            kept.keep(Progressed(step + 1, images, losses, minutes))
        progress.update(budget.batch, f"loss {losses[-1]:.4g}" if losses else "")
    progress.close()
    journal.close()
    model.eval()
    return History(images, losses, (time.perf_counter() - started) / 60)


def batches_from(start: int, count: int, budget: Budget, seed: int) -> Iterator[np.ndarray]:
    """Row numbers of batch `start` and those after it: as the shards stream, where these rows come from shards."""
    order = current() and current().order
    if order is not None and len(order) == count:
        return order.batches(budget.images_seen, budget.batch, seed, start)
    return islice(index_batches(count, budget, seed), start, None)
