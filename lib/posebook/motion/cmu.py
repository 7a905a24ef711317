"""The CMU motion source: which clips there are, who is in which split, and the prepared clips in the cache.

`data_download/cmu_mocap.py` retargets BVH files into cache_dir("cmu_mocap"): one npz a clip and manifest.json,
written last. BVH files themselves never enter the repository. cmu_index.csv holds the facts of the CMU index (trial,
capture rate, description).
"""

import csv
import json
import re
import zipfile
from collections import Counter
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np

from posebook.cache import cache_dir
from posebook.errors import PosebookError
from posebook.motion.clip import FPS, ClipInfo, MotionClip
from posebook.motion.skeleton import skeleton
from posebook.splits import SPLITS, membership

VERSION = "cmu-2"  # raise when prepared clips change
COMMAND = "python data_download/cmu_mocap.py --source ../shared/data/cmu_mocap"
HINT = (
    f"Run: {COMMAND} (or --source with your folder or an https archive of CMU BVH files; see data_download/README.md)."
)
BODY_TOLERANCE = 1e-3  # metres: rest joints of the body the clips were made for may differ by this

# First match in the CMU description names the action. Order matters: "walk, jump" in a playground is playground.
ACTIONS: tuple[tuple[str, str], ...] = (
    ("exercise", r"jumping jack|exercise|stretch|push ?up|sit ?up"),
    ("playground", r"playground|climb|swing|hang"),
    ("basketball", r"basketball|dribbl"),
    ("sport", r"soccer|golf|football|baseball|tennis|frisbee|volleyball|skateboard|swim"),
    ("dance", r"danc|ballet|salsa|charleston|pirouette|arabesque|jete|moonwalk"),
    ("fight", r"swordplay|box|punch|strike|kick|martial|fight"),
    ("clean", r"wash|sweep|mop|wipe|clean"),
    ("signal", r"traffic|wave|point|sign|gesture|conversation|talk"),
    ("jump", r"jump|hop|leap"),
    ("run", r"run|jog|sprint"),
    ("sit", r"\bsit|stool|chair"),
    ("bend", r"bend|scoop|pick up|lift|squat"),
    ("walk", r"walk|navigate|stroll|march|wander"),
)


class Trial(NamedTuple):
    """A line of the CMU index."""

    fps: float
    description: str


@lru_cache(maxsize=1)
def cmu_index() -> dict[str, Trial]:
    """Sequence (SS_TT) -> capture rate and description. The rate in the BVH files is wrong for the 60 fps subjects."""
    text = files("posebook.motion").joinpath("cmu_index.csv").read_text()
    return {row["sequence"]: Trial(float(row["fps"]), row["description"]) for row in csv.DictReader(text.splitlines())}


def action_of(description: str) -> str:
    """Action of a CMU description by ACTIONS; "other" if none matches."""
    return next((name for name, pattern in ACTIONS if re.search(pattern, description.lower())), "other")


@lru_cache(maxsize=1)
def split_table() -> dict[str, str]:
    """Subject -> split for the subjects in the committed list."""
    table = json.loads(files("posebook.motion").joinpath("cmu_split.json").read_text())
    return {subject: split for split in SPLITS for subject in table[split]}


def split_of(subject: str) -> str:
    """Split of a CMU subject ("02"): the committed list, for other subjects a fixed hash."""
    return split_table().get(subject) or membership("subject", f"cmu_{subject}")


def subject_counts(clips: list[ClipInfo]) -> dict[str, int]:
    """How many different subjects each split has, e.g. {"train": 5, "val": 1, "test": 2}."""
    people = {(clip.split, clip.subject) for clip in clips}
    return {split: Counter(s for s, _ in people)[split] for split in SPLITS}


def read_manifest(folder: Path) -> dict:
    """manifest.json of a prepared folder; PosebookError with the command if it is absent or of another version."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise PosebookError(f"CMU motion is not prepared: no {path}. {HINT}")
    try:
        manifest = json.loads(path.read_text())
        version = manifest["version"]
    except (ValueError, KeyError, TypeError):
        raise PosebookError(f"{path} is damaged. Delete it and prepare again. {HINT}") from None
    if version != VERSION:
        raise PosebookError(f"{path} was prepared as {version}, this Posebook needs {VERSION}. {HINT}")
    return manifest


def list_cmu(folder: Path | None = None) -> list[ClipInfo]:
    """Prepared CMU clips, by name. The split is taken from the committed list now, not from the manifest."""
    manifest = read_manifest(folder or cache_dir("cmu_mocap"))
    clips = manifest["clips"]
    return [
        ClipInfo(name, clips[name]["action"], clips[name]["subject"], clips[name]["num_frames"],
                 split_of(clips[name]["subject"])) for name in sorted(clips)
    ]  # fmt: skip


def load_cmu(name: str, folder: Path | None = None) -> MotionClip:
    """One prepared CMU clip.

    Raises:
        PosebookError: not prepared, no such clip, a damaged file, or clips made for another body.
    """
    folder = folder or cache_dir("cmu_mocap")
    manifest = read_manifest(folder)
    if name not in manifest["clips"]:
        some = ", ".join(sorted(manifest["clips"])[:8])
        raise PosebookError(f"No CMU clip {name!r} in {folder}; it has {len(manifest['clips'])} clips: {some} …")
    gap = np.abs(np.array(manifest["rest_joints"]) - skeleton().joints.numpy()).max()
    if gap > BODY_TOLERANCE:
        raise PosebookError(
            f"CMU clips in {folder} were made for another body (joints differ by {1e3 * gap:.1f} mm). {HINT}"
        )
    entry = manifest["clips"][name]
    try:
        with np.load(folder / f"{name}.npz", allow_pickle=False) as stored:
            arrays = [stored[key] for key in ("global_orient", "body_pose", "transl")]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise PosebookError(
            f"{folder / name}.npz cannot be read ({error}). Delete it and prepare again. {HINT}"
        ) from None
    return MotionClip(name, entry["action"], entry["subject"], FPS, *arrays)
