"""Twenty steps of a row of chapter 1, its pictures from shards, or of chapter 2; alone or under torchrun.

    python [-m torch.distributed.run --nproc-per-node 2] twenty_steps.py <01 or 02> <shards> <file for the losses>

All in double precision: Adam divides by the gradient's own size, so that in single precision the rounding of sums in
another order (1e-7 in the first step) grows to 1e-3 within twenty steps, whatever the code.
"""

import json
import sys
from pathlib import Path

import torch

from posebook.data import open_dataset
from posebook.data.batches import Batches
from posebook.data.body_batches import BodyBatches
from posebook.data.shard_order import ShardOrder
from posebook.data.shards import open_shards
from posebook.experiments import nbf, volumetric
from posebook.launch import Launch, launched
from posebook.profile import smoke
from posebook.train import Budget, fit, seed_everything
from posebook.training import processes

STEPS, BATCH = 20, 15  # two processes get 8 and 7 rows


def doubled(kind):
    """A kind of batches with double precision in place of single."""

    class Doubled(kind):
        def get(self, rows):
            batch = super().get(rows)
            return type(batch)(*(a.double() if a.dtype == torch.float32 else a for a in batch))

    return Doubled


def volumes(shards):
    """Chapter 1's network, its loss and the rows of its training set."""
    train = doubled(Batches)(shards)
    variant = next(v for v in volumetric.variants(smoke().volumetric) if v.row == "volume {1,16}")

    def loss(net, rows, generator):
        batch = train.augmented(rows, generator)
        return volumetric.variant_loss(variant, net(batch.image), batch, train.size, 0.5)

    return volumetric.build_model(variant, smoke()), loss


def bodies(_):
    """Chapter 2's, from the cache."""
    train = doubled(BodyBatches)(open_dataset("procedural", "train", smoke()))
    variant = next(v for v in nbf.variants(smoke()) if v.row == "RGB")
    labelled = torch.ones(len(train), dtype=torch.bool)
    model = nbf.build_model(variant, smoke(), nbf.mean_latent(train, variant.target))
    return model, nbf.training_loss(variant, train, labelled)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    processes.PRECISIONS += ("64-true",)
    fabric = processes.make_fabric(processes.Place("cpu", precision="64-true"))
    chapter, folder, out = sys.argv[1], *map(Path, sys.argv[2:])
    shards = open_shards(folder)
    order = ShardOrder(shards, fabric.global_rank, fabric.world_size) if chapter == "01" else None
    seed_everything(0)
    model, loss = {"01": volumes, "02": bodies}[chapter](shards)
    about = {"precision": "64-true", "shards": str(folder)}
    with launched(Launch(fabric, about, order=order, folder=out.parent / f"{out.stem}-work")):
        history = fit(model, loss, len(shards), Budget(STEPS * BATCH, BATCH, 2e-3))
    if fabric.global_rank == 0:
        out.write_text(json.dumps(history.losses))
