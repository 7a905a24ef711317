"""The baked body on disk: written whole, checked by hash when read, baked again when broken."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from posebook.body.bake import LEVELS, Body, bake_body
from posebook.body.recipe import body_hash, recipe
from posebook.cache import atomic_path, cache_dir, content_hash, file_hash


def body_folder() -> Path:
    """Folder of the bake that this code and this anny make: `<cache>/body/<key>`."""
    key = hashlib.sha256(json.dumps(recipe(), sort_keys=True).encode()).hexdigest()[:16]
    return cache_dir("body") / key


def write_body(body: Body, folder: Path) -> None:
    """Write `<level>.npz` (SMPL's layout), `<level>_extras.npz`, `people.npz` and, last, `manifest.json`."""
    with atomic_path(folder) as staged:
        staged.mkdir()
        for name, level in body.levels.items():
            np.savez_compressed(staged / f"{name}.npz", **level.smpl)
            np.savez_compressed(staged / f"{name}_extras.npz", **level.extras)
        np.savez_compressed(staged / "people.npz", people=body.people)
        manifest = {"hash": body_hash(body), "recipe": recipe(), "statistics": body.statistics,
                    "files": {f.name: file_hash(f) for f in sorted(staged.iterdir())}}  # fmt: skip
        (staged / "manifest.json").write_text(json.dumps(manifest, indent=1))


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest if the bake is whole, else None: absent, cut or changed files all count as broken."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        whole = all(file_hash(folder / name) == digest for name, digest in manifest["files"].items())
    except (OSError, ValueError, KeyError):
        return None
    return manifest if whole and len(manifest["files"]) == 2 * len(LEVELS) + 1 else None


def ensure_baked() -> tuple[Path, dict[str, Any]]:
    """Folder and manifest of the baked body; bakes it on first use or when its files are damaged.

    Returns:
        folder, manifest (hash, recipe, statistics, files).
    """
    folder = body_folder()
    manifest = read_manifest(folder)
    if manifest is None:
        if folder.exists():
            tqdm.write(f"The baked body in {folder} is damaged; baking it again.")
        write_body(bake_body(), folder)
        manifest = read_manifest(folder)
    return folder, manifest


def content_of(body: Body) -> str:
    """Hash of all arrays, exact to the bit."""
    arrays = {f"{name}/{key}": array for name, level in body.levels.items() for key, array in level.smpl.items()}
    return content_hash(arrays | {"people": body.people})
