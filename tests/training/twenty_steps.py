"""Twenty steps of one row of chapter 1, from shards, and of chapters 2 and 3; alone or under torchrun.

POSEBOOK_CACHE=<folder> python [-m torch.distributed.run --nproc-per-node 2] twenty_steps.py <shards>
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch

from posebook.profile import smoke
from posebook.training.command import train
from posebook.training.processes import Place

STEPS, BATCH = 20, 15  # two processes get 8 and 7 rows
ROWS = {"01": "volume {1,16}", "02": "RGB", "03": "lixel {16}"}
SHARDED = "01"


def short():
    """The smoke profile with twenty steps of every chapter."""
    sizes, budget = smoke(), {"images_seen": STEPS * BATCH, "batch": BATCH}
    parts = ("volumetric", "fitting", "mesh")
    return replace(sizes, **{name: replace(getattr(sizes, name), **budget) for name in parts})


if __name__ == "__main__":
    torch.set_num_threads(1)
    for chapter, row in ROWS.items():
        shards = Path(sys.argv[1]) if chapter == SHARDED else None
        train(chapter, [row], short(), "procedural", 0, Place("cpu"), shards, 60, print)
