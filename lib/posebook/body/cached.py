"""The baked body on disk: written whole, checked by hash when read, baked again when broken."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from posebook.body.bake import LEVELS, Body, bake_body
from posebook.body.recipe import body_hash, cache_key, fingerprint, recipe
from posebook.cache import DISK_FULL, atomic_path, cache_dir, file_hash, full_disk_message, locked
from posebook.errors import PosebookError


def body_folder() -> Path:
    """Folder of the bake that this code and these packages make: `<cache>/body/<key>`."""
    return cache_dir("body") / cache_key()


def write_body(body: Body, folder: Path) -> None:
    """Write `<level>.npz` (SMPL's layout), `<level>_extras.npz`, `people.npz` and `manifest.json`, all or nothing.

    Raises:
        PosebookError: a full disk.
    """
    try:
        _write_whole(body, folder)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise PosebookError(full_disk_message(error, "The baked body could not be written", folder)) from error


def _write_whole(body: Body, folder: Path) -> None:
    with atomic_path(folder) as staged:
        staged.mkdir()
        for name, level in body.levels.items():
            np.savez_compressed(staged / f"{name}.npz", **level.smpl)
            np.savez_compressed(staged / f"{name}_extras.npz", **level.extras)
        np.savez_compressed(staged / "people.npz", people=body.people)
        manifest = {"hash": body_hash(body), "recipe": recipe(), "fingerprint": fingerprint(body),
                    "statistics": body.statistics,
                    "files": {f.name: file_hash(f) for f in sorted(staged.iterdir())}}  # fmt: skip
        (staged / "manifest.json").write_text(json.dumps(manifest, indent=1))


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest if the bake is whole, else None: absent, cut and changed files all count as broken."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        whole = all(file_hash(folder / name) == digest for name, digest in manifest["files"].items())
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return manifest if whole and len(manifest["files"]) == 2 * len(LEVELS) + 1 else None


def ensure_baked() -> tuple[Path, dict[str, Any]]:
    """Folder and manifest of the baked body; bakes it on first use or when its files are damaged.

    Processes that need it at once bake it once: the first bakes, the others wait and read.

    Returns:
        folder, manifest (hash, recipe, fingerprint, statistics, files).
    """
    folder = body_folder()
    return folder, _checked(folder, _state(folder)) or _bake(folder)


def _state(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, sizes and times of the files: while these stay, the hashes need not be computed again."""
    if not folder.is_dir():
        return ()
    found = ((f.name, f.stat()) for f in sorted(folder.iterdir()))
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in found)


@lru_cache(maxsize=4)
def _checked(folder: Path, state: tuple[tuple[str, int, int], ...]) -> dict[str, Any] | None:
    return read_manifest(folder) if state else None


def _bake(folder: Path) -> dict[str, Any]:
    with locked(folder):
        manifest = read_manifest(folder)  # again: another process may have baked it in the meantime
        if manifest is not None:
            return manifest
        if folder.is_dir():
            tqdm.write(f"The baked body in {folder} is damaged; baking it again.")
        write_body(bake_body(), folder)
        manifest = read_manifest(folder)
    if manifest is None:
        raise PosebookError(
            f"The body baked into {folder} cannot be read back. Check the disk, or set POSEBOOK_CACHE to "
            "another folder."
        )
    return manifest
