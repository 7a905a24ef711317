"""What each output representation costs in memory: counted, and measured in a process of its own.

Only the head counts, on random features: what changes with the representation is the answer and the layers that draw
it. The trunk, the same for all, and the optimiser's state (Adam: twice the head's weights) come on top.
MB and GB are 1e6 and 1e9 bytes. Source of the numbers per picture: specs/i2l.md 5.3.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psutil
import torch
from torch import Tensor, nn

from posebook.cache import cache_dir, write_text
from posebook.errors import PosebookError
from posebook.models.i2l.representations import REPRESENTATIONS, answer_numbers, make_head
from posebook.models.nbf import LATENT
from posebook.provenance import peak_memory_mb, resolve_device

MODULE = "posebook.experiments.memory"
BINS = 64  # of lixel and pixel + z, the paper's
VOXEL_BINS = (8, 16, 32, 64)
FLOAT = 4  # bytes
LIMIT = 4e9  # bytes, the most that is tried where the machine has 16 GB or more

# Tensors of the answer's size that live at the worst moment of the read-out and of the layers, see `predicted_bytes`.
COPIES = {"parameters": (3, 1), "coordinates": (3, 1), "lixel": (7 / 3, 1 / 3), "pixel+z": (3, 1), "voxel": (3, 1)}
# Where freed memory does not go back to the system at once, peaks depend on what was freed before (glibc only).
CHILD = {"MALLOC_MMAP_THRESHOLD_": "65536", "OMP_NUM_THREADS": "1"}


class Case(NamedTuple):
    """One answer."""

    representation: str  # "parameters" or one of REPRESENTATIONS
    vertices: int  # V
    bins: int | None  # along each axis; None where there are none


class Predicted(NamedTuple):
    """Bytes of a batch by arithmetic, float32."""

    answer: int  # before it is read out
    working: int  # the head's weights, and all that one training step adds at its worst moment


def cases(vertices: Sequence[int]) -> list[Case]:
    """Every representation at every V: parameters, coordinates, lixel, pixel + z, and voxels of 8 to 64 bins."""
    kinds = [("parameters", None), ("coordinates", None), ("lixel", BINS), ("pixel+z", BINS)]
    kinds += [("voxel", bins) for bins in VOXEL_BINS]
    return [Case(name, int(count), bins) for name, bins in kinds for count in vertices]


class ParameterHead(nn.Sequential):
    """(B, channels, h, w) -> (B, 226): the mean over the map and one linear layer, chapter 1's."""

    def __init__(self, channels: int):
        super().__init__(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, LATENT))


def head_of(case: Case, hidden: int, channels: int, cells: int) -> nn.Module:
    """The network that makes one answer, on torch's default device.

    Args:
        case: which. hidden: channels of the upsampled map. channels, cells: of the trunk's last map, and its side.

    Raises:
        PosebookError: an unknown representation, no vertex, bins that the map cannot be doubled to.
    """
    if case.representation not in ("parameters", *REPRESENTATIONS):
        raise PosebookError(f"Unknown representation {case.representation!r}: expected one of parameters, "
                            f"{', '.join(REPRESENTATIONS)}.")  # fmt: skip
    if case.vertices < 1:
        raise PosebookError(f"{case.representation}: expected one vertex or more, got {case.vertices}.")
    if case.representation == "parameters":
        return ParameterHead(channels)
    if case.bins is None and case.representation != "coordinates":
        raise PosebookError(f"{case.representation}: the number of bins is missing.")
    mean = torch.zeros(case.vertices, 3) if case.representation == "coordinates" else None
    return make_head(case.representation, case.vertices, channels, cells, case.bins or BINS, hidden, mean)


def predicted_bytes(case: Case, hidden: int, channels: int, cells: int, batch: int) -> Predicted:
    """Memory of one training step by arithmetic: the larger of two moments, with COPIES times the answer A.

    Reading out: the weights W, the maps M that the transposed convolutions keep for their backward pass, and
      voxel, pixel + z: in the forward pass 2 A, the logits and the chances (softmax keeps its result). In the backward
        pass of the softmax 3 A: the chances, the gradient towards them, the gradient towards the logits.
      lixel: three lines of A / 3, read out one after the other: all logits, all chances, and the products
        chance * index of the last line, 7/3 A. (Backward: all chances and two gradients of one line, 5/3 A.)
      coordinates, parameters: the answer, its difference from the truth and the difference's absolute value, 3 A.
    Backward through the layer that draws the answer: 2 W (weights and their gradients), M, the gradient of the last
      map, and the gradient of what the layer drew: A, or one line of A / 3.

    Args:
        case: which answer. hidden, channels, cells: see `head_of`. batch: B, at least 2 (batch norm).

    Raises:
        PosebookError: see `head_of`; a batch of one.
    """
    if batch < 2:
        raise PosebookError(f"The heads' batch norm needs a batch of 2 or more, got {batch}.")
    with torch.device("meta"):  # shapes without memory
        weights = FLOAT * sum(p.numel() for p in head_of(case, hidden, channels, cells).parameters())
    answer = FLOAT * batch * answer_numbers(case.representation, case.vertices, case.bins or 0)
    maps, side = 0, cells
    while case.bins and side < case.bins:
        side *= 2
        maps += 2 * FLOAT * batch * hidden * side**2  # before batch norm, and after the ReLU
    last = FLOAT * batch * hidden * case.bins**2 if case.bins else 0
    reading, drawing = (round(copies * answer) for copies in COPIES[case.representation])
    return Predicted(answer, max(weights + maps + reading, 2 * weights + maps + last + drawing))


def default_limit() -> float:
    """Bytes that a measurement may take: a quarter of the machine's memory, at most 4 GB."""
    return min(psutil.virtual_memory().total / 4, LIMIT)


def measure(case: Case, hidden: int, channels: int, cells: int, batch: int, device: str = "cpu",
            limit_bytes: float | None = None) -> float | None:  # fmt: skip
    """Bytes by which one training step of a head raises the peak memory of a new process that does nothing else.

    Args:
        case, hidden, channels, cells, batch: see `predicted_bytes`.
        device: "cpu": the process' peak resident memory, to a few 100 kB; "cuda": the peak of PyTorch's allocator.
        limit_bytes: where more is predicted nothing is started; None: `default_limit`.

    Returns:
        Bytes, head and its gradients included; None where it was not tried.

    Raises:
        PosebookError: see `predicted_bytes`; an unknown or absent device; the process failed.
    """
    limit = default_limit() if limit_bytes is None else limit_bytes
    device = str(resolve_device(device))
    if predicted_bytes(case, hidden, channels, cells, batch).working > limit:
        return None
    order = {"case": case, "hidden": hidden, "channels": channels, "cells": cells, "batch": batch, "device": device}
    command = [sys.executable, "-m", "posebook.experiments.memory", json.dumps(order)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | CHILD)
    if done.returncode:
        raise PosebookError(f"Measuring {case} failed with exit code {done.returncode} (-9: out of memory?):\n"
                            f"{done.stderr[-2000:]}")  # fmt: skip
    return float(done.stdout.split()[-1])


def kept_measure(case: Case, hidden: int, channels: int, cells: int, batch: int, device: str = "cpu",
                 limit_bytes: float | None = None) -> float | None:  # fmt: skip
    """`measure`, kept in the cache: the numbers of one machine do not change while code and torch stay the same."""
    from posebook.experiments.outcome import source_hash  # here, so that no child waits for it

    order = [*case, hidden, channels, cells, batch, str(resolve_device(device)), torch.__version__, source_hash(MODULE)]
    path = cache_dir("memory") / f"{hashlib.sha256(json.dumps(order).encode()).hexdigest()[:24]}.json"
    limit = default_limit() if limit_bytes is None else limit_bytes
    if path.exists() and predicted_bytes(case, hidden, channels, cells, batch).working <= limit:
        return json.loads(path.read_text())
    measured = measure(case, hidden, channels, cells, batch, device, limit_bytes)
    if measured is not None:
        write_text(path, json.dumps(measured))
    return measured


def memory_table(vertices: Sequence[int], hidden: int, channels: int, cells: int, batch: int, device: str = "cpu",
                 limit_bytes: float | None = None):  # fmt: skip
    """Predicted and measured memory of every representation at every V.

    Args:
        vertices: V of each mesh. The rest: see `measure`.

    Returns:
        DataFrame, one line per case: representation, bins, vertices, numbers and answer MB (of one picture), predicted
        MB and measured MB (of one training step with the whole batch), how: "measured" or why it was not.
    """
    import pandas as pd  # here, so that no child waits for it

    from posebook.progress import Progress

    todo, lines = cases(vertices), []
    bar = Progress(len(todo), "Measuring memory", "cases")
    for case in todo:
        predicted = predicted_bytes(case, hidden, channels, cells, batch).working
        measured = kept_measure(case, hidden, channels, cells, batch, device, limit_bytes)
        numbers = answer_numbers(case.representation, case.vertices, case.bins or 0)
        lines.append({"representation": case.representation, "bins": case.bins, "vertices": case.vertices,
                      "numbers": numbers, "answer MB": numbers * FLOAT / 1e6, "predicted MB": predicted / 1e6,
                      "measured MB": float("nan") if measured is None else measured / 1e6,
                      "how": "measured" if measured is not None
                      else f"arithmetic only: would need {predicted / 1e9:.2g} GB"})  # fmt: skip
        bar.update(text=f"{case.representation} {case.bins or ''}")
    bar.close()
    return pd.DataFrame(lines).astype({"bins": "Int64"})


def extra_peak(case: Case, hidden: int, channels: int, cells: int, batch: int, device: str) -> int:
    """The child's work: bytes between the memory before the head is made and the peak after one training step."""
    torch.set_num_threads(1)
    features = torch.randn(batch, channels, cells, cells).to(device).requires_grad_()
    training_step(case._replace(vertices=4), features, hidden)  # libraries are loaded before the memory counts
    if features.is_cuda:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        training_step(case, features, hidden)
        return torch.cuda.max_memory_allocated(device) - before
    forget_peak()
    before = psutil.Process().memory_info().rss
    training_step(case, features, hidden)
    return peak_resident() - before


def training_step(case: Case, features: Tensor, hidden: int) -> None:
    """Make the head, answer features (B, channels, cells, cells), L1 loss, gradients of weights and features."""
    channels, cells = features.shape[1:3]
    answer = head_of(case, hidden, channels, cells).to(features.device)(features)
    (answer - torch.ones_like(answer)).abs().mean().backward()
    features.grad = None


def forget_peak() -> None:
    """Set this process' peak resident memory back to what it holds now, where Linux allows it."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:  # not Linux, or not allowed: the peak since the start is what counts
        pass


def peak_resident() -> int:
    """Peak resident bytes of this process: VmHWM, since on Linux a child's ru_maxrss starts at its parent's."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]
    return found[0] if found else round(peak_memory_mb() * 2**20)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    print(extra_peak(**given | {"case": Case(*given["case"])}))
