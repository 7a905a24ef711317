"""The baked hand on disk: written whole, checked by hash when read, baked again when broken."""

from pathlib import Path
from typing import Any

from posebook import baked
from posebook.cache import cache_dir
from posebook.hand.bake import Hand, bake_hand
from posebook.hand.recipe import cache_key, fingerprint, hand_hash, recipe


def hand_folder() -> Path:
    """Folder of the bake that this code and these packages make: `<cache>/hand/<key>`."""
    return cache_dir("hand") / cache_key()


def write_hand(hand: Hand, folder: Path) -> None:
    """Write `right.npz` (MANO's layout), `extras.npz`, `people.npz` and `manifest.json`, all or nothing.

    Raises:
        PosebookError: a full disk.
    """
    files = {"right": hand.mano, "extras": hand.extras, "people": {"people": hand.people}}
    baked.write_whole(folder, files, lambda: _describe(hand), "hand")


def _describe(hand: Hand) -> dict[str, Any]:
    return {"hash": hand_hash(hand), "recipe": recipe(), "fingerprint": fingerprint(hand),
            "statistics": hand.statistics}  # fmt: skip


def ensure_baked() -> tuple[Path, dict[str, Any]]:
    """Folder and manifest of the baked hand; bakes it on first use or when its files are damaged.

    Returns:
        folder, manifest (hash, recipe, fingerprint, statistics, files).
    """
    folder = hand_folder()
    return folder, baked.ensure(folder, 3, lambda: write_hand(bake_hand(), folder), "hand")
