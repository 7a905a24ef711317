"""The baked body on disk: written whole, checked by hash when read, baked again when broken."""

from pathlib import Path
from typing import Any

from posebook import baked
from posebook.body.bake import LEVELS, Body, bake_body
from posebook.body.recipe import body_hash, cache_key, fingerprint, recipe
from posebook.cache import cache_dir


def body_folder() -> Path:
    """Folder of the bake that this code and these packages make: `<cache>/body/<key>`."""
    return cache_dir("body") / cache_key()


def write_body(body: Body, folder: Path) -> None:
    """Write `<level>.npz` (SMPL's layout), `<level>_extras.npz`, `people.npz` and `manifest.json`, all or nothing.

    Raises:
        PosebookError: a full disk.
    """
    files = {"people": {"people": body.people}}
    for name, level in body.levels.items():
        files |= {name: level.smpl, f"{name}_extras": level.extras}
    baked.write_whole(folder, files, lambda: _describe(body), "body")


def _describe(body: Body) -> dict[str, Any]:
    return {"hash": body_hash(body), "recipe": recipe(), "fingerprint": fingerprint(body),
            "statistics": body.statistics}  # fmt: skip


def ensure_baked() -> tuple[Path, dict[str, Any]]:
    """Folder and manifest of the baked body; bakes it on first use or when its files are damaged.

    Returns:
        folder, manifest (hash, recipe, fingerprint, statistics, files).
    """
    folder = body_folder()
    return folder, baked.ensure(folder, 2 * len(LEVELS) + 1, lambda: write_body(bake_body(), folder), "body")
