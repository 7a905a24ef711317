"""Where the clone is, which chapters it has, and hashes of the sources that made a result."""

import hashlib
import re
from pathlib import Path

from posebook.errors import PosebookError

EVALUATION = "evaluate"  # name of the notebook that scores rows on a real dataset; it is no chapter
CHAPTER_FILE = re.compile(r"(0[1-589])_[a-z0-9_]+\.ipynb")  # 06, 07 have no rows for the table: they run as 00 does


def project_root() -> Path:
    """Folder of the clone: the one that holds notebooks/ beside lib/.

    Raises:
        PosebookError: the package is installed without its notebooks.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / "notebooks").is_dir():
        raise PosebookError(
            f"The notebooks are expected in {root / 'notebooks'}, but this installation has none. "
            "Clone the repository and run `make install` there."
        )
    return root


def chapters(root: str | Path | None = None) -> dict[str, Path]:
    """Chapter number ("01") -> notebook, in order; notebooks/0[1-589]_*.ipynb of the clone."""
    folder = Path(root or project_root()) / "notebooks"
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("*.ipynb")):
        match = CHAPTER_FILE.fullmatch(path.name)
        if match and match[1] in found:
            raise PosebookError(f"Two notebooks are chapter {match[1]}: {found[match[1]].name} and {path.name}.")
        if match:
            found[match[1]] = path
    return found


def select_chapters(names: list[str], root: str | Path | None = None) -> dict[str, Path]:
    """The chapters asked for ("1", "01" or the notebook's name); all when nothing is asked for. Also "evaluate".

    Raises:
        PosebookError: a name that no chapter has.
    """
    known = chapters(root)
    chosen: dict[str, Path] = {}
    for name in names or known:
        stem = Path(name).name.removesuffix(".ipynb")
        if stem == EVALUATION:
            chosen[EVALUATION] = Path(root or project_root()) / "notebooks" / "datasets" / f"{EVALUATION}.ipynb"
            continue
        number = stem.split("_")[0].zfill(2)
        if number not in known or stem not in (number, number.lstrip("0"), known[number].stem):
            raise PosebookError(f"Unknown chapter {name!r}. Chapters here: {', '.join(known) or 'none'}.")
        chosen[number] = known[number]
    if not chosen:
        raise PosebookError("There is no chapter notebook (notebooks/01_*.ipynb …) to run.")
    return chosen


def notebook_hash(path: str | Path) -> str:
    """sha256 of a notebook's code, on which its outputs hang; text, outputs and injected parameters do not count."""
    import nbformat  # imported here: seconds (jsonschema), which a kernel that only writes results need not wait for

    digest = hashlib.sha256()
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and "injected-parameters" not in cell.metadata.get("tags", []):
            digest.update(f"{cell.source}\n".encode())
    return digest.hexdigest()


def library_hash() -> str:
    """sha256 of every Python file of this package."""
    package = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package).as_posix()}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
