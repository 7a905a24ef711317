"""Identity of a motion source, part of every data version."""

import hashlib
from functools import lru_cache

import numpy as np

from posebook.motion import list_clips, load_clip

EVERY = 25  # clips whose numbers are hashed; all names and lengths are


@lru_cache
def motion_version(motion: str) -> str:
    """Hash of a source's clip list and of every 25th clip's poses to a milliradian.

    Args:
        motion: "procedural" or "cmu".
    """
    clips = list_clips(motion)
    digest = hashlib.sha256(repr([tuple(c) for c in clips]).encode())
    for clip in clips[::EVERY]:
        digest.update(np.round(load_clip(motion, clip.name).body_pose, 3).astype(np.float32).tobytes())
    return digest.hexdigest()[:16]
