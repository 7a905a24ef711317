"""Make the CMU clips: BVH files to npz, resumable, one file at a time, the manifest last."""

import hashlib
import json
import re
import zipfile
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np

from posebook.cache import atomic_path, write_text
from posebook.errors import PosebookError
from posebook.motion.bvh import Bvh, read_bvh, read_text
from posebook.motion.clip import FPS
from posebook.motion.cmu import VERSION, action_of, cmu_index, split_of
from posebook.motion.cmu_clip import to_clip
from posebook.motion.skeleton import Skeleton, skeleton

NAME = re.compile(r"(\d{2,3}_\d{2})\.bvh(\.gz)?$")


def find_bvh(folder: Path) -> dict[str, Path]:
    """Clip name -> file for every <SS_TT>.bvh[.gz] below a folder (a git clone's data/<NNN>/ too), in order of name."""
    if not folder.is_dir():
        raise PosebookError(
            f"No folder {folder}. --source takes a folder of CMU BVH files or an https address of an archive."
        )
    found = {m[1]: p for p in sorted(folder.rglob("*")) if (m := NAME.search(p.name)) and p.is_file()}
    if not found:
        raise PosebookError(f"No CMU files named like 02_01.bvh or 02_01.bvh.gz below {folder}.")
    return dict(sorted(found.items()))


def text_hash(path: Path) -> str:
    """sha256 of a BVH file's text, the same for plain and gzipped copies and for either line ending."""
    return hashlib.sha256(read_text(path).replace("\r\n", "\n").encode()).hexdigest()


def known_hashes() -> dict[str, str]:
    """Clip -> text_hash of files that are byte-identical to the 2010 BVH release."""
    return json.loads(files("posebook.motion").joinpath("cmu_sha256.json").read_text())


def checksum_state(name: str, digest: str) -> str:
    """ "known", "differs" from the known hash, or "unknown" (no hash for this clip)."""
    expected = known_hashes().get(name)
    return "unknown" if expected is None else "known" if expected == digest else "differs"


def capture_rate(name: str, bvh: Bvh) -> float:
    """Frames per second from the CMU index; for a sequence it does not list, from the file."""
    trial = cmu_index().get(name)
    return trial.fps if trial else float(round(1 / bvh.frame_time))


def prepare_one(name: str, path: Path, out: Path, body: Skeleton) -> dict:
    """Prepare one clip if its npz is not there yet or is from another source, version or body.

    Returns:
        The clip's manifest entry.
    """
    digest = text_hash(path)
    joints = np.round(body.joints.numpy(), 6)
    made_from = hashlib.sha256(f"{VERSION}:{digest}".encode() + joints.tobytes()).hexdigest()
    target = out / f"{name}.npz"
    frames = stored_frames(target, made_from)
    subject = name.split("_")[0]
    description = cmu_index()[name].description if name in cmu_index() else ""
    action = action_of(description)
    if frames is None:
        bvh = read_bvh(path)
        clip = to_clip(bvh, body, capture_rate(name, bvh), name, action, subject)
        frames = len(clip.transl)
        with atomic_path(target) as temporary, open(temporary, "wb") as stream:
            np.savez(stream, global_orient=clip.global_orient, body_pose=clip.body_pose, transl=clip.transl,
                     made_from=np.array(made_from))  # fmt: skip
    return {"action": action, "subject": subject, "num_frames": frames, "split": split_of(subject), "fps": FPS,
            "description": description, "sha256": digest, "checksum": checksum_state(name, digest)}  # fmt: skip


def stored_frames(target: Path, made_from: str) -> int | None:
    """Frames of an npz made from the same things; None if it is absent, damaged or from something else."""
    try:
        with np.load(target, allow_pickle=False) as stored:
            return len(stored["transl"]) if str(stored["made_from"]) == made_from else None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


class Prepared(NamedTuple):
    """What `prepare` made, and what it could not."""

    clips: dict[str, dict]  # manifest entries by clip name
    skipped: dict[str, str]  # clip name -> why


def prepare(sources: Iterable[tuple[str, Path]], out: Path) -> Prepared:
    """Prepare clips and write the manifest last: before it is there, nothing is listed. Bad files are skipped.

    Args:
        sources: (clip name, BVH file) pairs; wrap them in a progress bar if you like.
        out: folder for npz files and manifest.json, which lists the clips of this call.

    Returns:
        Prepared.

    Raises:
        PosebookError: not one file could be prepared (the first file's reason).
    """
    body, clips, skipped = skeleton(), {}, {}
    for name, path in sources:
        try:
            clips[name] = prepare_one(name, path, out, body)
        except PosebookError as error:
            skipped[name] = str(error)
    if not clips:
        raise PosebookError(next(iter(skipped.values()), "No files to prepare."))
    manifest = {"version": VERSION, "rest_joints": np.round(body.joints.numpy(), 6).tolist(), "clips": clips}
    write_text(out / "manifest.json", json.dumps(manifest, indent=1))
    return Prepared(clips, skipped)
