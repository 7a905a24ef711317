"""Motion: clips of SMPL pose over time, made up (`procedural`) or captured (`cmu`)."""

from posebook.errors import PosebookError
from posebook.motion.clip import FPS, ClipInfo, MotionClip
from posebook.motion.cmu import list_cmu, load_cmu, subject_counts
from posebook.motion.procedural import list_procedural, load_procedural
from posebook.sources import MOTIONS


def list_clips(motion: str) -> list[ClipInfo]:
    """Clips of a motion source.

    Args:
        motion: "procedural" (made up, always there) or "cmu" (prepared by data_download/cmu_mocap.py).

    Raises:
        PosebookError: unknown source, or CMU clips not prepared (the message holds the command).
    """
    if motion == "procedural":
        return list_procedural()
    if motion == "cmu":
        return list_cmu()
    raise PosebookError(f"Unknown motion {motion!r}; expected one of {', '.join(MOTIONS)}.")


def load_clip(motion: str, name: str) -> MotionClip:
    """One clip of a source by its name; see `list_clips` for arguments and errors."""
    if motion == "procedural":
        return load_procedural(name)
    if motion == "cmu":
        return load_cmu(name)
    raise PosebookError(f"Unknown motion {motion!r}; expected one of {', '.join(MOTIONS)}.")


__all__ = ["FPS", "MOTIONS", "ClipInfo", "MotionClip", "list_clips", "load_clip", "subject_counts"]
