"""What a run was made with: versions, git commit, device, memory."""

import platform
import resource
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
import torch

from posebook import __version__
from posebook.errors import PosebookError

PACKAGES = ("torch", "numpy", "anny", "smplx")


def now() -> str:
    """UTC time to the second, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str | None]:
    """Versions of Python and of the packages that decide numbers; None where one is not installed."""
    found: dict[str, str | None] = {"posebook": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def git_state(root: str | Path) -> dict[str, str | bool | None]:
    """Commit of the clone and whether tracked files differ from it; None outside git."""

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    changes = git("status", "--porcelain", "--untracked-files=no")
    return {"commit": git("rev-parse", "HEAD"), "dirty": None if changes is None else bool(changes)}


def resolve_device(name: str) -> torch.device:
    """`auto` -> CUDA where there is one, else the CPU; anything else must exist.

    Raises:
        PosebookError: an unknown name, or CUDA asked for and absent.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise PosebookError(f"Unknown device {name!r}. Use auto, cpu, cuda or cuda:<number>.") from error
    if device.type not in ("cpu", "cuda"):
        raise PosebookError(f"Device {name!r} is not supported. Use auto, cpu, cuda or cuda:<number>.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise PosebookError(
            f"Device {name!r} was asked for, but PyTorch {torch.__version__} sees {torch.cuda.device_count()} CUDA "
            "devices. Use --device cpu, or install the CUDA build (README, Installation)."
        )
    return device


def cpu_name() -> str:
    """Model name of the processor, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def device_info(name: str) -> dict[str, str | int | None]:
    """Resolved device, its name, cores, threads and memory in MB."""
    device = resolve_device(name)
    gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else None
    return {
        "device": str(device),
        "name": gpu or cpu_name(),
        "cores": len(psutil.Process().cpu_affinity()) if sys.platform == "linux" else psutil.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_mb": round(psutil.virtual_memory().total / 2**20),
    }


def peak_memory_mb() -> float:
    """Peak resident memory of this process in MB (one kernel runs one notebook, so it is the run's own)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def peak_gpu_memory_mb(device: str) -> float | None:
    """Peak memory of PyTorch's CUDA allocator in MB; None on the CPU."""
    resolved = resolve_device(device)
    return round(torch.cuda.max_memory_allocated(resolved) / 2**20, 1) if resolved.type == "cuda" else None
