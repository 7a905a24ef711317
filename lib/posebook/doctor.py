"""`posebook doctor`: what is here, what is missing, and how to get it."""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

from posebook.cache import cache_dir, folder_size
from posebook.errors import PosebookError
from posebook.project import chapters, project_root
from posebook.provenance import device_info, versions

# motion: clips made once; variants: trained networks. The help of `posebook cache` lists the same.
CACHE_KINDS = ("body", "hand", "data", "real", "motion", "cmu_mocap", "trunk", "variants", "checkpoints", "features",
               "memory", "runs", "weights", "training", "trained")  # fmt: skip
OWN_KINDS = ("real", "weights", "trained")  # the user's own files, or long trainings: cleared by name only
NEEDED_BYTES = 5 * 10**9  # data and runs of the laptop profile, both motions
TORCH_VERSION = "2.13.0"  # as pinned in pyproject.toml


class Check(NamedTuple):
    """One line of the report."""

    name: str
    state: str  # "ok", "optional" (missing, and only some things need it), "missing" (needed)
    found: str
    remedy: str = ""


def check_versions() -> Check:
    """Versions of the packages that decide numbers."""
    found = versions()
    text = ", ".join(f"{name} {number or 'missing'}" for name, number in found.items())
    absent = [name for name, number in found.items() if number is None]
    if absent:
        return Check("versions", "missing", text, "make install")
    if (found["torch"] or "").split("+")[0] != TORCH_VERSION:
        return Check("versions", "optional", text, f"results are compared with torch {TORCH_VERSION}: make install")
    return Check("versions", "ok", text)


def check_device() -> Check:
    """CUDA device or CPU, with cores and memory."""
    info = device_info("auto")
    text = f"{info['device']}: {info['name']}, {info['cores']} cores, {info['memory_mb'] / 1024:.0f} GB memory"
    if info["device"] != "cpu":
        return Check("device", "ok", text)
    return Check(
        "device", "ok", text, "the gpu profile needs a CUDA device and its PyTorch build (README, Installation)"
    )


def check_disk() -> Check:
    """Free space where the cache lives."""
    free = shutil.disk_usage(cache_dir()).free
    text = f"{free / 1e9:.1f} GB free in {cache_dir()}"
    if free < NEEDED_BYTES:
        return Check("disk", "missing", text, "posebook cache --clear data runs, or set POSEBOOK_CACHE to another disk")
    return Check("disk", "ok", text)


def check_body() -> Check:
    """Baked body assets."""
    files = sorted(cache_dir("body").rglob("*.npz"))
    if not files:
        return Check("body", "optional", "not baked yet", "baked on first use, offline, in under 30 s: nothing to do")
    return Check("body", "ok", f"{len(files)} files in {cache_dir('body')}")


def check_data() -> Check:
    """Rendered datasets; a `.partial` folder is one that was interrupted."""
    folders = [path.parent for path in sorted(cache_dir("data").glob("*/manifest.json"))]
    whole = [path.name for path in folders if path.suffix != ".partial"]
    partial = len(list(cache_dir("data").glob("*.partial")))
    kinds = ", ".join(sorted({" ".join(name.split("-")[:2]) for name in whole}))
    text = (f"{len(whole)} datasets ({kinds})" if whole else "none rendered yet") + (
        f"; {partial} interrupted" if partial else ""
    )
    remedy = "rendered on first use; an interrupted one goes on where it stopped" if partial or not whole else ""
    return Check("data", "ok" if whole else "optional", text, remedy)


def check_cmu() -> Check:
    """Prepared CMU clips (`--motion cmu`)."""
    from posebook.motion import list_clips

    try:
        clips = list_clips("cmu")
    except PosebookError as error:
        return Check("CMU motion", "optional", "not prepared (only --motion cmu needs it)", str(error))
    return Check("CMU motion", "ok", f"{len(clips)} clips of {len({clip.subject for clip in clips})} subjects")


def check_trunk() -> Check:
    """Committed or own pretrained trunks."""
    places = (Path(__file__).parent, cache_dir("trunk"))
    found = sorted(str(path) for place in places for path in place.rglob("*.safetensors"))
    if not found:
        return Check("trunk", "optional", "none found", "posebook pretrain, or run chapters with init='scratch'")
    return Check("trunk", "ok", ", ".join(found))


def check_smpl() -> Check:
    """The user's licensed SMPL file, if any."""
    path = os.environ.get("POSEBOOK_SMPL")
    remedy = "register at https://smpl.is.tue.mpg.de, then set POSEBOOK_SMPL to the downloaded .pkl or .npz"
    if not path:
        return Check("licensed SMPL", "optional", "POSEBOOK_SMPL is not set (no chapter needs it)", remedy)
    if not Path(path).expanduser().is_file():
        return Check("licensed SMPL", "missing", f"POSEBOOK_SMPL names {path}, which does not exist", remedy)
    return Check("licensed SMPL", "ok", path)


def check_weights() -> Check:
    """Official weight files where `posebook weights` looks."""
    from posebook.weights import KNOWN, default_folder, find_file  # here: heavy

    found = [known.name for known in KNOWN if find_file(known, default_folder())]
    if not found:
        return Check("official weights", "optional", "none (only notebook 07 can use them)", "posebook weights")
    return Check("official weights", "ok", f"{', '.join(found)} in {default_folder()}")


def check_notebooks() -> Check:
    """The clone with its chapter notebooks."""
    try:
        found = chapters(project_root())
    except PosebookError as error:
        return Check("notebooks", "missing", "none", str(error))
    return Check("notebooks", "ok", f"chapters {', '.join(found) or 'none yet'} in {project_root()}")


CHECKS = (
    check_versions,
    check_device,
    check_disk,
    check_notebooks,
    check_body,
    check_data,
    check_cmu,
    check_trunk,
    check_smpl,
    check_weights,
)


def examine() -> list[Check]:
    """All checks, in the order of the report."""
    return [check() for check in CHECKS]


def cache_sizes() -> dict[str, int]:
    """Bytes in the cache per kind."""
    return {kind: folder_size(cache_dir(kind)) for kind in CACHE_KINDS}


def clear_cache(kinds: list[str]) -> dict[str, int]:
    """Remove these kinds from the cache, all but the user's own files when none is named; bytes freed per kind.

    Raises:
        PosebookError: an unknown kind.
    """
    unknown = sorted(set(kinds) - set(CACHE_KINDS))
    if unknown:
        raise PosebookError(f"Unknown kind {', '.join(unknown)}. The cache holds {', '.join(CACHE_KINDS)}.")
    freed = {kind: size for kind, size in cache_sizes().items() if kind in kinds or not (kinds or kind in OWN_KINDS)}
    for kind in freed:
        shutil.rmtree(cache_dir(kind))
    return freed
