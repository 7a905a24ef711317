"""What identifies the free hand: named by its recipe as the body is, see `posebook.body.recipe`."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from posebook.baked import array_numbers, numbers_agree
from posebook.body import recipe as body_recipe
from posebook.cache import content_hash
from posebook.hand.bake import Hand
from posebook.hand.fingerprint import FINGERPRINT

VERSION = 1  # raise it with any change that moves the arrays, and commit the new fingerprint
_ARRAYS = ("v_template", "shapedirs", "J", "weights", "f", "hands_mean")


def recipe() -> dict[str, Any]:
    """Versions of the code and of the sources that the arrays come from."""
    return body_recipe.recipe() | {"version": VERSION, "body_version": body_recipe.VERSION}


def cache_key() -> str:
    """Name of the cache folder: any new version of a source, and any change of this code or the body's, bakes anew."""
    digest = hashlib.sha256(json.dumps(recipe(), sort_keys=True).encode())
    here = Path(__file__).parent
    for file in sorted([*here.glob("*.py"), *(here.parent / "body").glob("*.py")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def fingerprint(hand: Hand) -> dict[str, list[float]]:
    """Mean, root mean square and four single values of each array; six decimals."""
    return array_numbers({key: hand.mano[key] for key in _ARRAYS} | {"people": hand.people})


def agrees(numbers: dict[str, list[float]]) -> bool:
    """Whether a fingerprint is the committed one, to `posebook.baked.TOLERANCE`."""
    return numbers_agree(numbers, FINGERPRINT)


def hand_hash(hand: Hand) -> str:
    """Name of a bake, 64 hex digits; a bake off the fingerprint gets its contents into its name."""
    identity = {"hand": VERSION, "body": body_recipe.VERSION, "anny": version("anny")}
    if not agrees(fingerprint(hand)):
        identity["content"] = content_hash(hand.mano | {"people": hand.people})
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
