"""Convert SMPL and MANO model files, which you have from their pages, once to plain npz; no chumpy, nothing is run.

python data_download/body_models.py --source ~/smpl
python data_download/body_models.py --check
"""

from pathlib import Path

import typer

from posebook.cache import cache_dir
from posebook.data.real.body_models import convert_all
from posebook.data.real.catalogue import entry
from posebook.data.real.command import script, source_folders
from posebook.errors import PosebookError


def run(source: str, out: Path, check: bool) -> None:
    """Convert what is found, then list what is there."""
    folder = out / "models"
    if source:
        out.mkdir(parents=True, exist_ok=True)
        for name, path in convert_all(source_folders(entry("body_models"), source, out)[0], folder).items():
            typer.echo(f"{name}: {path}")
    made = sorted(p.name for p in folder.glob("*.npz"))
    if not made:
        raise PosebookError(f"No converted models in {folder}. Give --source <folder with SMPL or MANO files>.")
    typer.echo(f"{', '.join(made)} in {folder}")


if __name__ == "__main__":
    about = "Convert SMPL and MANO files to npz."
    script(run, lambda: cache_dir("real") / "body_models", "Folder with the .pkl files or their archives.", about)
