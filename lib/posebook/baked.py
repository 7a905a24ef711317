"""Baked models on disk: a folder of npz files written whole, checked by hash when read, made again when broken."""

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from posebook.cache import DISK_FULL, atomic_path, file_hash, full_disk_message, locked
from posebook.errors import PosebookError

TOLERANCE = 1e-4  # metres; the same number for weights and betas, which have no unit


def array_numbers(arrays: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """Mean, root mean square and four single values of each array; six decimals."""
    numbers = {}
    for name, array in arrays.items():
        flat = array.astype(np.float64).ravel()
        picked = flat[[flat.size * k // 5 for k in (1, 2, 3, 4)]]
        numbers[name] = [round(float(x), 6) for x in (flat.mean(), np.sqrt((flat**2).mean()), *picked)]
    return numbers


def numbers_agree(numbers: dict[str, list[float]], committed: dict[str, list[float]]) -> bool:
    """Whether a fingerprint is the committed one, to TOLERANCE."""
    if numbers.keys() != committed.keys():
        return False
    return all(np.allclose(numbers[k], committed[k], rtol=1e-6, atol=TOLERANCE) for k in numbers)


def write_whole(
    folder: Path, files: dict[str, dict[str, np.ndarray]], manifest: Callable[[], dict[str, Any]], what: str
) -> None:
    """Write `<name>.npz` for each entry of `files`, and `manifest.json` with their hashes: all or nothing.

    Args:
        folder: final name. files: name -> arrays. manifest: gives hash, recipe, fingerprint, statistics.
        what: how a message calls it, e.g. "body".

    Raises:
        PosebookError: a full disk.
    """
    try:
        with atomic_path(folder) as staged:
            staged.mkdir()
            for name, arrays in files.items():
                np.savez_compressed(staged / f"{name}.npz", **arrays)
            hashes = {f.name: file_hash(f) for f in sorted(staged.iterdir())}
            (staged / "manifest.json").write_text(json.dumps(manifest() | {"files": hashes}, indent=1))
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise PosebookError(full_disk_message(error, f"The baked {what} could not be written", folder)) from error


def read_manifest(folder: Path, files: int) -> dict[str, Any] | None:
    """The manifest if all `files` are whole, else None: absent, cut and changed files all count as broken."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        whole = all(file_hash(folder / name) == digest for name, digest in manifest["files"].items())
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return manifest if whole and len(manifest["files"]) == files else None


def ensure(folder: Path, files: int, bake: Callable[[], None], what: str) -> dict[str, Any]:
    """Manifest of a baked folder; bakes it on first use or when its files are damaged.

    Processes that need it at once bake it once: the first bakes, the others wait and read.

    Args:
        folder: where it is. files: how many npz files it has. bake: makes and writes it. what: its name in messages.

    Raises:
        PosebookError: what was just written cannot be read back.
    """
    return _checked(folder, files, _state(folder)) or _bake(folder, files, bake, what)


def _state(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, sizes and times of the files: while these stay, the hashes need not be computed again."""
    if not folder.is_dir():
        return ()
    found = ((f.name, f.stat()) for f in sorted(folder.iterdir()))
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in found)


@lru_cache(maxsize=8)
def _checked(folder: Path, files: int, state: tuple[tuple[str, int, int], ...]) -> dict[str, Any] | None:
    return read_manifest(folder, files) if state else None


def _bake(folder: Path, files: int, bake: Callable[[], None], what: str) -> dict[str, Any]:
    with locked(folder):
        manifest = read_manifest(folder, files)  # again: another process may have baked it in the meantime
        if manifest is not None:
            return manifest
        if folder.is_dir():
            tqdm.write(f"The baked {what} in {folder} is damaged; baking it again.")
        bake()
        manifest = read_manifest(folder, files)
    if manifest is None:
        raise PosebookError(
            f"The {what} baked into {folder} cannot be read back. Check the disk, or set POSEBOOK_CACHE to "
            "another folder."
        )
    return manifest
