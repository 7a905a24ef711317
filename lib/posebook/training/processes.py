"""The processes of one `posebook train`: how many there are, and whether they can work together.

One process a device. torchrun and Slurm start them all; without either, the first one starts the others of its machine.
"""

import os
import socket
import uuid
from datetime import timedelta
from typing import NamedTuple

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import SLURMEnvironment, TorchElasticEnvironment
from lightning_fabric.strategies import DDPStrategy

from posebook.cache import cache_dir
from posebook.errors import PosebookError
from posebook.project import library_hash
from posebook.provenance import resolve_device

LONGEST = timedelta(hours=12)  # that processes wait for the first one, which may render pictures
PRECISIONS = ("32-true", "bf16-mixed")  # half precision of fp16 would need a scale that checkpoints do not keep


class Place(NamedTuple):
    """Where to train."""

    device: str = "auto"  # auto, cpu or cuda
    devices: int | None = None  # of every node; None: what the launcher started, else 1
    nodes: int | None = None
    precision: str = "32-true"


class Started(NamedTuple):
    """Processes that torchrun or Slurm has started."""

    by: str
    devices: int  # on this node
    nodes: int


def started() -> Started | None:
    """What the environment says; None where nobody started other processes."""
    if TorchElasticEnvironment.detect():
        local, world = int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["WORLD_SIZE"])
        return Started("torchrun", local, world // local)
    if SLURMEnvironment.detect() and "SLURM_STEP_ID" in os.environ:  # within srun; a batch script is not
        tasks, nodes = int(os.environ["SLURM_NTASKS"]), int(os.environ["SLURM_NNODES"])
        return Started("srun", tasks // nodes, nodes)
    return None


def make_fabric(place: Place) -> Fabric:
    """Fabric of this place, launched: from here on every process runs the same lines.

    Raises:
        PosebookError: devices that are not there, another number than was started, an unknown precision, or processes
            that see different code or another cache.
    """
    if place.precision not in PRECISIONS:
        raise PosebookError(f"Unknown precision {place.precision!r}. Use one of {', '.join(PRECISIONS)}.")
    kind, found = resolve_device(place.device).type, started()
    devices, nodes = counted(place, found)
    if kind == "cuda" and devices > torch.cuda.device_count():
        raise PosebookError(f"{devices} devices were asked for; this machine has {torch.cuda.device_count()} GPUs.")
    strategy = "auto"
    if devices * nodes > 1:
        backend = "nccl" if kind == "cuda" else "gloo"
        strategy = DDPStrategy(process_group_backend=backend, timeout=LONGEST, broadcast_buffers=False,
                               static_graph=True)  # fmt: skip  # finds parts of a network without a share in the loss
    fabric = Fabric(accelerator=kind, strategy=strategy, devices=devices, num_nodes=nodes, precision=place.precision)
    fabric.launch()
    check_together(fabric)
    return fabric


def counted(place: Place, found: Started | None) -> tuple[int, int]:
    """Devices of a node and nodes.

    Raises:
        PosebookError: other numbers than were started, or several nodes and nobody who starts them.
    """
    default = found or Started("", 1, 1)
    devices, nodes = place.devices or default.devices, place.nodes or default.nodes
    if found and (devices, nodes) != (found.devices, found.nodes):
        raise PosebookError(f"{found.by} started {found.nodes} x {found.devices} processes (nodes x devices), but "
                            f"--nodes {nodes} --devices {devices} were asked for. Leave both out.")  # fmt: skip
    if found is None and nodes > 1:
        raise PosebookError(f"--nodes {nodes} needs torchrun or srun to start `posebook train` on every node; see "
                            "docs/training.md.")  # fmt: skip
    return devices, nodes


def check_together(fabric: Fabric) -> None:
    """All processes have the same code and see the same cache.

    Raises:
        PosebookError: on every process, naming the machine that differs.
    """
    if fabric.world_size == 1:
        return
    mark = cache_dir("training") / fabric.broadcast(f".{uuid.uuid4().hex}")
    if fabric.global_rank == 0:
        mark.touch()
    fabric.barrier()
    mine = socket.gethostname(), library_hash(), mark.exists()
    all_of = [None] * fabric.world_size
    torch.distributed.all_gather_object(all_of, mine)
    if fabric.global_rank == 0:
        mark.unlink()
    for host, code, sees in all_of:
        if code != all_of[0][1]:
            raise PosebookError(f"{host} has another version of posebook's code than {all_of[0][0]}. Install the same.")
        if not sees:
            raise PosebookError(
                f"{host} does not see the cache of {all_of[0][0]}. Set POSEBOOK_CACHE to a shared folder."
            )
