"""Prepare AMASS: register at https://amass.is.tue.mpg.de and put the SMPL+H G archives (<SUBSET>.tar.bz2) in a folder.

python data_download/amass.py --source ~/AMASS
python data_download/amass.py --check
"""

from collections import Counter
from pathlib import Path

import typer
from tqdm.auto import tqdm

from posebook.cache import cache_dir
from posebook.data.real.catalogue import entry
from posebook.data.real.command import script, source_folders
from posebook.errors import PosebookError
from posebook.motion.amass import find_amass, list_amass, load_amass, prepare_amass


def run(source: str, out: Path, check: bool) -> None:
    """Convert clips unless only checking, then count them."""
    skipped = {}
    if source:
        out.mkdir(parents=True, exist_ok=True)
        files = find_amass(source_folders(entry("amass"), source, out)[-1])
        skipped = prepare_amass(tqdm(files.items(), desc="converting", unit="clip"), out)
    clips = list_amass(out)
    for clip in tqdm(clips, desc="reading clips"):
        load_amass(clip.name, out)
    minutes = sum(c.num_frames for c in clips) / 30 / 60
    counts = Counter(c.split for c in clips)
    typer.echo(f"{len(clips)} clips, {minutes:.1f} minutes at 30 fps in {out}: {dict(counts)}")
    if skipped:
        raise PosebookError(f"{len(skipped)} files were left out: " + " | ".join(list(skipped.values())[:5]))


if __name__ == "__main__":
    script(
        run, lambda: cache_dir("real") / "amass", "Folder with AMASS's archives or unpacked subsets.", "Prepare AMASS."
    )
