"""Twenty steps of one row each of chapters 1 (its pictures from shards) to 4 by `fit`; alone or under torchrun.

    python [-m torch.distributed.run --nproc-per-node 2] twenty_steps.py <how> <shards> <file for the losses>

How: "double" and "single" are the precision of everything; "sgd" is single with plain gradient descent in place of
Adam, chapter 1 only; "halves" is the sharper twin of two processes in single precision: one process, without `fit`,
DDP or Fabric, that adds up the gradients of the same two parts of every batch (`half_batches.py`).
"""

import json
import sys
from pathlib import Path

import torch
from half_batches import losses_of_halves

from posebook.data import open_dataset
from posebook.data.batches import Batches
from posebook.data.body_batches import BodyBatches
from posebook.data.shard_order import ShardOrder
from posebook.data.shards import open_shards
from posebook.experiments import hmr, i2l, nbf, volumetric
from posebook.experiments.meshes import BodyMeshes
from posebook.launch import Launch, launched
from posebook.profile import smoke
from posebook.train import Budget, batches_from, fit, seed_everything
from posebook.training import processes

STEPS, BATCH = 20, 15  # two processes get 8 and 7 rows


def in_default_precision(kind):
    """A kind of batches whose numbers have torch's default precision."""

    class Converted(kind):
        def get(self, rows):
            batch = super().get(rows)
            return type(batch)(*(a.to(torch.get_default_dtype()) if a.is_floating_point() else a for a in batch))

    return Converted


def volumes(shards):
    """Chapter 1's network and its loss."""
    train = in_default_precision(Batches)(shards)
    variant = next(v for v in volumetric.variants(smoke().volumetric) if v.row == "volume {1,16}")

    def loss(net, rows, generator):
        batch = train.augmented(rows, generator)
        return volumetric.variant_loss(variant, net(batch.image), batch, train.size, 0.5)

    return volumetric.build_model(variant, smoke()), loss


def pictures():
    """Chapters 2 to 4's, from the cache."""
    return in_default_precision(BodyBatches)(open_dataset("procedural", "train", smoke()))


def bodies(_):
    """Chapter 2's."""
    train = pictures()
    variant = next(v for v in nbf.variants(smoke()) if v.row == "RGB")
    labelled = torch.ones(len(train), dtype=torch.bool)
    model = nbf.build_model(variant, smoke(), nbf.mean_latent(train, variant.target))
    return model, nbf.training_loss(variant, train, labelled)


def lixels(_):
    """Chapter 3's first stage: PoseNet and MeshNet."""
    train = BodyMeshes(open_dataset("procedural", "train", smoke()), level=smoke().mesh.level)
    train.batches = pictures()
    train.regressor = train.regressor.to(torch.get_default_dtype())
    train.body.to(torch.get_default_dtype())
    variant = next(v for v in i2l.variants(smoke()) if v.row == i2l.FIRST_STAGE)

    def loss(net, rows, generator):
        return i2l.variant_loss(variant, net, train.augmented(rows, generator), train)

    return i2l.build_model(variant, smoke(), train), loss


def single_frames(_):
    """Chapter 4's network for single frames, without the dropout that differs between processes."""
    train, profile = pictures(), smoke()
    joints = hmr.free_spin_body("full", vertices=False).to(torch.get_default_dtype())
    model = hmr.build_hmr(profile, hmr.mean_start(train, range(len(train))))
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0

    def loss(net, rows, generator):
        batch = train.augmented(rows, generator)
        truth = hmr.Truth(*(field.unsqueeze(1) for field in hmr.truth_of(batch, joints, train.size)))
        return hmr.temporal_losses(net(batch.image).unflatten((len(rows), 1)), truth.targets()).total

    return model, loss


CHAPTERS = {"01": volumes, "02": bodies, "03": lixels, "04": single_frames}


def gradient_descent(parameters, lr, weight_decay):
    """In the place of AdamW."""
    return torch.optim.SGD(parameters, lr, weight_decay=weight_decay)


def losses_of(chapter, how, fabric, shards, work):
    """Losses of the twenty steps of a chapter."""
    order = ShardOrder(shards, fabric.global_rank, fabric.world_size) if chapter == "01" else None
    seed_everything(0)
    model, loss = CHAPTERS[chapter](shards)
    budget = Budget(STEPS * BATCH, BATCH, 2e-2 if how == "sgd" else 2e-3)
    about = {"precision": how, "shards": ""}
    with launched(Launch(fabric, about, order=order, folder=work / chapter)):
        if how == "halves":
            return losses_of_halves(model, loss, list(batches_from(0, len(shards), budget, 0)), budget)
        return fit(model, loss, len(shards), budget).losses


if __name__ == "__main__":
    how, folder, out = sys.argv[1], *map(Path, sys.argv[2:4])
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64 if how == "double" else torch.float32)
    if how == "sgd":
        torch.optim.AdamW = gradient_descent
    processes.PRECISIONS += ("64-true",)
    fabric = processes.make_fabric(processes.Place("cpu", precision="64-true" if how == "double" else "32-true"))
    shards, work = open_shards(folder), out.parent / f"{out.stem}-work"
    chosen = ("01",) if how == "sgd" else sys.argv[4:] or CHAPTERS
    found = {chapter: losses_of(chapter, how, fabric, shards, work) for chapter in chosen}
    if fabric.global_rank == 0:
        out.write_text(json.dumps(found))
