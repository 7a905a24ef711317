"""A trained variant's predictions and costs, kept in the cache so that an interrupted chapter goes on where it was.

`posebook train` leaves the same in the cache's folder `trained`, for every device; whoever asks for that variant then
gets it from there, and is told so.
"""

import ast
import functools
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.utils.flop_counter import FlopCounterMode

from posebook.cache import atomic_path, cache_dir, locked, write_text
from posebook.launch import current, working_in
from posebook.own_body import body_in_use
from posebook.provenance import now, peak_gpu_memory_mb, peak_memory_mb
from posebook.ranks import Ranks
from posebook.train import History

SIZES = "posebook.profile"  # what a variant takes of it is in its key; another chapter's sizes must not train it anew


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


def source_hash(module: str) -> str:
    """sha256 over the code of a module of this library and of everything of the library that it imports.

    Args:
        module: e.g. "posebook.experiments.volumetric": what trains.
    """
    root = Path(__file__).parents[1]
    todo, files = [module], {}
    while todo:
        name = todo.pop()
        path = root.joinpath(*name.split(".")[1:])
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if name in files or name == SIZES or not path.exists():
            continue
        files[name] = path
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("posebook"):
                todo += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + files[name].read_bytes())
    return digest.hexdigest()[:16]


@functools.cache  # the code that a process runs is that which it once imported
def _own_hash(module: str) -> str:
    return source_hash(module)


def remember(key: dict, make: Callable[[], Outcome], module: str) -> Outcome:
    """Outcome that `posebook train` left, else from the cache if this variant was trained before, else from `make`.

    Args:
        key: everything that determines the outcome (variant, sizes, data versions, trunk, seed); code is added.
        make: trains and predicts.
        module: the one that `make` is in; a change of its code, or of code it imports, trains anew.
    """
    given = cache_dir("trained") / trained_name(key, module)
    if current() is not None:
        return _train_launched(given, make)
    if given.exists():
        print(trained_line(given))
        return load_outcome(given)
    folder = cache_dir("variants") / _digest(key, module)
    if not folder.exists():
        with locked(folder):  # a second process that wants the same variant waits for it
            if not folder.exists():
                outcome = make()
                _keep(outcome, folder)
                checkpoint_path(key, module).unlink(missing_ok=True)
                return outcome
    return load_outcome(folder)


def _keep(outcome: Outcome, folder: Path) -> None:
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        save_outcome(outcome, temporary)


def checkpoint_path(key: dict, module: str) -> Path:
    """Where `fit` may keep the state of this very variant; `remember` removes the file once the outcome is kept.

    Args:
        key, module: as for `remember`.
    """
    return cache_dir("checkpoints") / f"{_digest(key, module)}.pt"


def trained_name(key: dict, module: str) -> str:
    """Folder name of what `posebook train` makes of a variant: the same for every device and build of torch.

    Args:
        key, module: as for `remember`.
    """
    anywhere = {name: value for name, value in key.items() if name != "on"}
    return _digest(anywhere, module, torch.__version__.split("+")[0])


def trained_line(folder: Path) -> str:
    """Which weights of `posebook train` are used, and how they came about; without the user's own paths."""
    about = json.loads((folder / "training.json").read_text())
    how = ", ".join(f"{name} {value}" for name, value in about["training"].items() if value)
    return f"{about['row']}: weights <cache>/trained/{folder.name}/state.safetensors, trained {about['when']} ({how})"


def _train_launched(folder: Path, make: Callable[[], Outcome]) -> Outcome:
    """Train as `posebook train` says, all processes together; the first one writes."""
    launch = current()
    ranks = Ranks(launch.fabric)
    if ranks.agree(folder.exists()):
        return load_outcome(folder)
    with working_in(cache_dir("training") / folder.name):
        outcome = make()
        if ranks.rank == 0:
            with atomic_path(folder) as temporary:
                temporary.mkdir()
                save_outcome(outcome, temporary)
                about = {"row": outcome.row, "when": now(), "training": launch.about}
                write_text(temporary / "training.json", json.dumps(about, indent=1))
            for half in launch.folder.glob("*.last.pt"):
                half.unlink()
    launch.fabric.barrier()  # the next row may need this one
    return outcome


def _digest(key: dict, module: str, torch_version: str = torch.__version__) -> str:
    text = json.dumps(key | {"code": _own_hash(module), "torch": torch_version}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def save_outcome(outcome: Outcome, folder: Path) -> None:
    """Write arrays, weights and numbers into a folder."""
    np.savez(folder / "predictions.npz", **outcome.predictions)
    save_file(
        {k: v.detach().cpu().contiguous().clone() for k, v in outcome.state.items()}, folder / "state.safetensors"
    )
    numbers = outcome._asdict() | {"history": outcome.history._asdict()}
    numbers = {k: v for k, v in numbers.items() if k not in ("predictions", "state")} | {"body": body_in_use()}
    (folder / "outcome.json").write_text(json.dumps(numbers))


def load_outcome(folder: Path) -> Outcome:
    """Read what `save_outcome` wrote."""
    numbers = json.loads((folder / "outcome.json").read_text())
    numbers["history"] = History(**numbers["history"])
    numbers.pop("body", None)  # for those who look for weights, see `posebook.methods.trained`
    with np.load(folder / "predictions.npz", allow_pickle=False) as arrays:
        predictions = dict(arrays)
    return Outcome(predictions=predictions, state=load_file(folder / "state.safetensors"), **numbers)


def count_parameters(model: torch.nn.Module) -> int:
    """Trainable numbers."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def training_memory_mb(device: str) -> float:
    """Peak memory of this process so far: the larger of main memory and the GPU's allocator."""
    return max(peak_memory_mb(), peak_gpu_memory_mb(device) or 0.0)


@torch.no_grad()
def count_gflop(model: torch.nn.Module, size: int, channels: int = 3) -> float:
    """GFLOP of one forward pass, batch 1 (1 multiply-add = 2 FLOP)."""
    image = torch.zeros(1, channels, size, size, device=next(model.parameters()).device)
    return gflop_of(lambda: model(image))


def gflop_of(call: Callable[[], object]) -> float:
    """GFLOP of a call, counted by torch (1 multiply-add = 2 FLOP)."""
    counter = FlopCounterMode(display=False)
    with counter:
        call()
    return counter.get_total_flops() / 1e9


@torch.no_grad()
def ms_per_image(model: Callable, image: torch.Tensor, repeats: int = 10) -> float:
    """Median milliseconds per image of one forward pass over a batch (B, C, H, W), on its device."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        model(image)
        if image.is_cuda:
            torch.cuda.synchronize()
        times.append((time.perf_counter() - started) / len(image))
    return float(np.median(times) * 1000)
