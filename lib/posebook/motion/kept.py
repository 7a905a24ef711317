"""Clips kept in the cache once they were made, and the identity of a motion source (part of every data version)."""

import hashlib
from functools import lru_cache

import numpy as np

from posebook.cache import atomic_path, cache_dir
from posebook.motion import MotionClip, list_clips, load_clip

EVERY = 25  # clips whose numbers are hashed; all names and lengths are
ARRAYS = ("global_orient", "body_pose", "transl")


@lru_cache
def motion_version(motion: str) -> str:
    """Hash of a source's clip list and of every 25th clip's motion to a milliradian and a millimetre.

    Args:
        motion: "procedural" or "cmu".
    """
    clips = list_clips(motion)
    digest = hashlib.sha256(repr([tuple(c) for c in clips]).encode())
    for info in clips[::EVERY]:
        clip = load_clip(motion, info.name)
        for name in ARRAYS:
            digest.update(np.round(getattr(clip, name), 3).astype(np.float32).tobytes())
    return digest.hexdigest()[:16]


@lru_cache(maxsize=1024)
def kept_clip(motion: str, name: str) -> MotionClip:
    """A clip from the cache, made first if it is not there; a made-up clip takes 50 ms, reading it 1 ms."""
    path = cache_dir("motion", motion_version(motion)) / f"{name}.npz"
    if path.exists():
        with np.load(path, allow_pickle=False) as f:
            arrays = {k: f[k] for k in ARRAYS}
            return MotionClip(name, str(f["action"]), str(f["subject"]), float(f["fps"]), **arrays)
    clip = load_clip(motion, name)
    with atomic_path(path) as temporary:
        np.savez(
            temporary, action=clip.action, subject=clip.subject, fps=clip.fps, **{k: getattr(clip, k) for k in ARRAYS}
        )
    return clip
