"""What identifies the free body, so that two machines agree on its name.

Floating-point sums differ in their last bits between processors, so a hash of the arrays would name the same body
differently. The body is therefore named by its recipe as long as its arrays agree with the committed fingerprint to
`baked.TOLERANCE`. A bake that does not agree (another torch draws other people, say) gets its own contents into its
name, and nothing trained on the committed body will load with it.
"""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from posebook.baked import array_numbers, numbers_agree
from posebook.body.bake import Body
from posebook.body.fingerprint import FINGERPRINT
from posebook.cache import content_hash

VERSION = 2  # raise it with any change that moves the arrays, and commit the new fingerprint
_ARRAYS = ("v_template", "shapedirs", "J", "weights", "f")


def recipe() -> dict[str, Any]:
    """Versions of the code and of the sources that the arrays come from."""
    sources = ("anny", "torch", "numpy", "scipy", "fast-simplification")
    return {"version": VERSION, **{name: version(name) for name in sources}}


def cache_key() -> str:
    """Name of the cache folder: any new version of a source, and any change of this package's code, bakes anew."""
    digest = hashlib.sha256(json.dumps(recipe(), sort_keys=True).encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def fingerprint(body: Body) -> dict[str, list[float]]:
    """Mean, root mean square and four single values of each array; six decimals."""
    arrays = {f"{name}/{key}": level.smpl[key] for name, level in body.levels.items() for key in _ARRAYS}
    arrays["people"] = body.people
    return array_numbers(arrays)


def agrees(numbers: dict[str, list[float]]) -> bool:
    """Whether a fingerprint is the committed one, to `posebook.baked.TOLERANCE`."""
    return numbers_agree(numbers, FINGERPRINT)


def body_hash(body: Body) -> str:
    """Name of a bake, 64 hex digits."""
    identity = {"version": VERSION, "anny": version("anny")}
    if not agrees(fingerprint(body)):
        arrays = {f"{name}/{k}": v for name, level in body.levels.items() for k, v in level.smpl.items()}
        identity["content"] = content_hash(arrays | {"people": body.people})
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
