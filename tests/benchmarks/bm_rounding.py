"""How far a rounding error carries a training in twenty steps: one process against itself, disturbed.

    python tests/benchmarks/bm_rounding.py

Chapter 1's network of the smoke profile. Prints the table of docs/training.md: the largest difference of a loss.
"""

import numpy as np
import torch

from posebook.data import open_dataset
from posebook.data.batches import Batch, Batches
from posebook.experiments import volumetric
from posebook.profile import smoke
from posebook.train import Budget, index_batches, one_cycle, seed_everything

STEPS, BATCH, RATE = 20, 15, 2e-3
CASES = (  # disturbance, optimiser, its eps, precision
    ("nothing", "adam", 1e-8, torch.float32),
    ("last bit of one weight", "adam", 1e-8, torch.float32),
    ("last bit of every weight", "adam", 1e-8, torch.float32),
    ("order of rows", "adam", 1e-8, torch.float32),
    ("order of rows", "sgd", None, torch.float32),
    ("last bit of every weight", "adam", 1e-5, torch.float32),
    ("order of rows", "adam", 1e-3, torch.float32),
    ("order of rows", "adam", 1e-8, torch.float64),
    ("1e-10 of every weight", "adam", 1e-8, torch.float64),
    ("1e-7 of every weight", "adam", 1e-8, torch.float64),
)
VARIANT = next(v for v in volumetric.variants(smoke().volumetric) if v.row == "volume {1,16}")


@torch.no_grad()
def disturb(model, what):
    """Move the start of a training."""
    weights, generator = list(model.parameters()), torch.Generator().manual_seed(1)
    if what == "last bit of one weight":
        first = weights[0].data.flatten()[:1]
        weights[0][(0,) * weights[0].ndim] = torch.nextafter(first, torch.full_like(first, torch.inf))[0]
    for weight in weights:
        signs = 2 * torch.rand(weight.shape, generator=generator, dtype=torch.float64) - 1
        if what == "last bit of every weight":
            weight.copy_(torch.nextafter(weight, (signs.sign() * torch.inf).to(weight.dtype)))
        elif what.startswith("1e-"):
            weight.mul_((1 + float(what.split()[0]) * signs).to(weight.dtype))


def rows_of(batches, rows, generator, dtype, what):
    """An augmented batch, drawn in single precision whatever follows, its rows in some order."""
    torch.set_default_dtype(torch.float32)
    batch = batches.augmented(rows, generator)
    torch.set_default_dtype(dtype)
    order = np.random.default_rng(rows).permutation(len(rows)) if what == "order of rows" else np.arange(len(rows))
    batch = Batch(*(a.to(dtype)[order] for a in batch))
    return batch._replace(image=batch.image.contiguous(memory_format=torch.channels_last))


def optimizer_of(parameters, name, eps):
    """The chapters' AdamW with some eps, or plain gradient descent."""
    return torch.optim.AdamW(parameters, weight_decay=0, eps=eps) if name == "adam" else torch.optim.SGD(parameters)


def losses(what, optimiser, eps, dtype):
    """(20,) losses of a training."""
    torch.set_default_dtype(torch.float32)
    seed_everything(0)
    model = volumetric.build_model(VARIANT, smoke()).to(dtype).to(memory_format=torch.channels_last).train()
    disturb(model, what)
    batches, generator = Batches(open_dataset("procedural", "train", smoke())), torch.Generator().manual_seed(0)
    step_by = optimizer_of(model.parameters(), optimiser, eps)
    found = []
    for step, rows in enumerate(index_batches(len(batches), Budget(STEPS * BATCH, BATCH), 0)):
        batch = rows_of(batches, rows, generator, dtype, what)
        value = volumetric.variant_loss(VARIANT, model(batch.image), batch, batches.size, 0.5)
        step_by.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        step_by.param_groups[0]["lr"] = RATE * one_cycle(step, STEPS)
        step_by.step()
        found.append(value.item())
    return np.array(found)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for what, *how in CASES:
        one, other = losses("nothing", *how), losses(what, *how)
        moved, fell = np.abs(one - other), f"{one[0]:.2f} to {one[-1]:.2f}"
        print(f"{what:<26}{how}: {fell}, first step {moved[0]:.1e}, all {moved.max():.1e}", flush=True)
