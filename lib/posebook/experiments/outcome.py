"""A trained variant's predictions and costs, kept in the cache so that an interrupted chapter goes on where it was."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.utils.flop_counter import FlopCounterMode

from posebook.cache import atomic_path, cache_dir
from posebook.train import History


class Outcome(NamedTuple):
    """One trained network on the test images."""

    row: str  # name in tables
    predictions: dict[str, np.ndarray]  # arrays with leading N
    history: History
    parameters: int
    gflop: float  # of one forward pass, batch 1; 1 multiply-add = 2 FLOP
    images_seen: int
    ms_per_image: float  # prediction without the mirrored pass, on the run's device and threads
    state: dict[str, torch.Tensor]  # weights
    peak_memory_mb: float  # of the process that trained it, up to the end of this training


def source_hash() -> str:
    """sha256 over the library's own code that training depends on."""
    root = Path(__file__).parents[1]
    others = [root / name for name in ("train.py", "trunk.py", "pixels.py", "joints.py", "data/batches.py")]
    files = [*others, *root.glob("models/*.py"), *root.glob("experiments/*.py")]
    return hashlib.sha256(b"".join(f.read_bytes() for f in sorted(files))).hexdigest()[:16]


def remember(key: dict, make: Callable[[], Outcome]) -> Outcome:
    """Outcome from the cache if this very variant was trained before, else from `make`.

    Args:
        key: everything that determines the outcome (variant, sizes, data versions, trunk, seed); code is added.
        make: trains and predicts.
    """
    text = json.dumps(key | {"code": source_hash(), "torch": torch.__version__}, sort_keys=True, default=str)
    folder = cache_dir("variants") / hashlib.sha256(text.encode()).hexdigest()[:24]
    if folder.exists():
        return load_outcome(folder)
    outcome = make()
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        save_outcome(outcome, temporary)
    return outcome


def save_outcome(outcome: Outcome, folder: Path) -> None:
    """Write arrays, weights and numbers into a folder."""
    np.savez(folder / "predictions.npz", **outcome.predictions)
    save_file(
        {k: v.detach().cpu().contiguous().clone() for k, v in outcome.state.items()}, folder / "state.safetensors"
    )
    numbers = outcome._asdict() | {"history": outcome.history._asdict()}
    numbers = {k: v for k, v in numbers.items() if k not in ("predictions", "state")}
    (folder / "outcome.json").write_text(json.dumps(numbers))


def load_outcome(folder: Path) -> Outcome:
    """Read what `save_outcome` wrote."""
    numbers = json.loads((folder / "outcome.json").read_text())
    numbers["history"] = History(**numbers["history"])
    with np.load(folder / "predictions.npz", allow_pickle=False) as arrays:
        predictions = dict(arrays)
    return Outcome(predictions=predictions, state=load_file(folder / "state.safetensors"), **numbers)


def count_parameters(model: torch.nn.Module) -> int:
    """Trainable numbers."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


@torch.no_grad()
def count_gflop(model: torch.nn.Module, size: int) -> float:
    """GFLOP of one forward pass, batch 1, counted by torch on the CPU (1 multiply-add = 2 FLOP)."""
    device = next(model.parameters()).device
    counter = FlopCounterMode(display=False)
    with counter:
        model(torch.zeros(1, 3, size, size, device=device))
    return counter.get_total_flops() / 1e9
