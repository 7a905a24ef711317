"""Prepare real motion for Posebook from BVH files of the CMU Graphics Lab Motion Capture Database.

    python data_download/cmu_mocap.py --source ../shared/data/cmu_mocap   # a folder, e.g. a git clone
    python data_download/cmu_mocap.py --source https://…/cmu-mocap.zip       # an archive, fetched and resumed
    python data_download/cmu_mocap.py --check                                # what is prepared, by split and action

The data used in this project was obtained from mocap.cs.cmu.edu. The database was created with funding from NSF
EIA-0196217.
"""

from collections import Counter
from pathlib import Path

import typer
from tqdm.auto import tqdm

from posebook.cache import cache_dir
from posebook.data.real.command import command
from posebook.errors import PosebookError
from posebook.motion.cmu import list_cmu, load_cmu, read_manifest, subject_counts
from posebook.motion.cmu_prepare import find_bvh, prepare
from posebook.motion.fetch import CLIPS_SPACE, check_address, download, extract, need_space

BYTES_PER_CLIP = CLIPS_SPACE // 2435


def fetch(address: str, out: Path) -> Path:
    """Download and extract an archive below `out`; returns the folder of BVH files."""
    check_address(address)
    archive = download(address, out / "download" / address.split("?")[0].rsplit("/", 1)[-1])
    folder = out / "bvh"
    extract(archive, folder)
    return folder


def report(out: Path) -> None:
    """Read every prepared clip and print counts by split and action, and what the checksums say."""
    clips = list_cmu(out)
    manifest = read_manifest(out)["clips"]
    for clip in tqdm(clips, desc="reading clips"):
        if len(load_cmu(clip.name, out).transl) != clip.num_frames:
            raise PosebookError(
                f"{out / clip.name}.npz does not have {clip.num_frames} frames; delete it and prepare again."
            )
    seconds = sum(c.num_frames for c in clips) / 30
    typer.echo(f"{len(clips)} clips, {seconds / 60:.1f} minutes at 30 fps in {out}")
    people = subject_counts(clips)
    for split, count in Counter(c.split for c in clips).items():
        typer.echo(f"  {split}: {count} clips of {people[split]} subjects")
    typer.echo("  actions: " + ", ".join(f"{a} {n}" for a, n in Counter(c.action for c in clips).most_common()))
    states = Counter(entry["checksum"] for entry in manifest.values())
    typer.echo("  source files: " + ", ".join(f"{n} {state}" for state, n in sorted(states.items())) + " by checksum")
    if changed := [name for name, entry in manifest.items() if entry["checksum"] == "differs"]:
        typer.echo(f"  not the text of the 2010 BVH release (another conversion?): {', '.join(changed[:10])}")


def run(source: str, out: Path, check: bool) -> None:
    """Prepare clips from `source` unless only checking, then report."""
    if source:
        out.mkdir(parents=True, exist_ok=True)
        folder = fetch(source, out) if "://" in source else Path(source).expanduser()
        files = find_bvh(folder)
        need_space(out, len(files) * BYTES_PER_CLIP, "Preparing the clips")
        skipped = prepare(tqdm(files.items(), desc="retargeting", unit="clip"), out).skipped
        report(out)
        if skipped:
            raise PosebookError(f"{len(skipped)} of {len(files)} files were left out: " + " | ".join(skipped.values()))
    else:
        report(out)


main = command(
    run,
    lambda: cache_dir("cmu_mocap"),
    "Folder with CMU BVH files (.bvh or .bvh.gz), or https address of an archive.",
    "Prepare CMU motion capture for `--motion cmu`.",
)

if __name__ == "__main__":
    typer.run(main)
