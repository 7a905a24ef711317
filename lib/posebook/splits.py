"""Who is in train, val and test: a fixed hash of an id, independent of seeds, workers and of what else exists.

Subjects, clips and backgrounds are split one by one, so a test image shows a person, a motion and a scene that no
training image has shown.
"""

import hashlib

SPLITS = ("train", "val", "test")
SHARES = {"train": 0.70, "val": 0.10, "test": 0.20}
SALT = "posebook-split-1"  # part of every split hash; changing it makes another benchmark


def membership(kind: str, identifier: str | int) -> str:
    """Split of one subject, clip or background.

    Args:
        kind: "subject", "clip" or "background".
        identifier: its id.

    Returns:
        "train", "val" or "test" with the probabilities of `SHARES`, always the same for the same id.
    """
    digest = hashlib.sha256(f"{SALT}:{kind}:{identifier}".encode()).digest()
    draw = int.from_bytes(digest[:8], "big") / 2**64
    if draw < SHARES["train"]:
        return "train"
    return "val" if draw < SHARES["train"] + SHARES["val"] else "test"


def split_hash() -> str:
    """Identity of the splitting rule, recorded in manifests and in the trunk's card."""
    return hashlib.sha256(f"{SALT}:{sorted(SHARES.items())}".encode()).hexdigest()[:16]
