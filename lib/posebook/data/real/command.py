"""The command form of every script in data_download/: `--source DIR|URL --out DIR --check`."""

from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import typer
from tqdm.auto import tqdm

from posebook.cache import DISK_FULL, cache_dir, full_disk_message
from posebook.data.real.catalogue import Entry, addresses, entry
from posebook.data.real.dataset import RealDataset, open_real, split_folder
from posebook.data.real.prepare import Outcome, Reader, prepare
from posebook.errors import PosebookError
from posebook.fetch import download, is_archive, need_space, unpack

UNPACKED = 1.5  # sizes of an archive that must be free to unpack it
SHOWN = 3  # missing pictures that are named
NOTHING = "Nothing to do: give --source DIR|URL, or --check. See data_download/README.md."


def command(
    run: Callable[[str, Path, bool], None], default_out: Callable[[], Path], sources: str, about: str
) -> Callable[..., None]:
    """The command line of a data_download script: three options, errors as one line, exit code 1 on an error.

    Args:
        run: gets source ("" without one), out and check.
        default_out: the folder without --out.
        sources: help of --source.
        about: one sentence.
    """

    def main(
        source: str = typer.Option("", help=sources),
        out: Path = typer.Option(None, help="Where prepared data go; default: the cache."),
        check: bool = typer.Option(False, "--check", help="Only read what is prepared, and print counts."),
    ) -> None:
        try:
            if not source and not check:
                raise PosebookError(NOTHING)
            run(source, out or default_out(), check)
        except PosebookError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from None
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise
            typer.echo(
                f"error: {full_disk_message(error, 'Stopped', error.filename or out or default_out())}", err=True
            )
            raise typer.Exit(1) from None

    main.__doc__ = about
    return main


def script(run: Callable[[str, Path, bool], None], default_out: Callable[[], Path], sources: str, about: str) -> None:
    """Run a data_download script; see `command`."""
    typer.run(command(run, default_out, sources, about))


def dataset_script(reader: Reader) -> None:
    """The script of a dataset of the catalogue."""
    known = entry(reader.name)
    names = ", ".join(f.name for f in known.files)
    script(
        lambda source, out, check: prepare_all(reader, source, out, check),
        lambda: cache_dir("real") / reader.name,
        f"Folder with {names} (as archives or unpacked), or the address of one archive.",
        f"Prepare {known.title}: {known.what}. Licence: {known.licence}. Register at {known.register}.",
    )


def prepare_all(reader: Reader, source: str, out: Path, check: bool) -> None:
    """Prepare every split whose files are there, then report.

    Raises:
        PosebookError: files of every split are missing, or something is wrong with them.
    """
    known = entry(reader.name)
    if source:
        out.mkdir(parents=True, exist_ok=True)
        folders = source_folders(known, source, out)
        outcomes = [prepare_split(reader, folders, split, out) for split in known.splits]
        for outcome in outcomes:
            typer.echo(f"{known.title} {outcome.split}: {outcome.state}, {outcome.message}")
        if all(outcome.state == "missing" for outcome in outcomes):
            raise PosebookError(outcomes[0].message)
    report(known, out)


def prepare_split(reader: Reader, folders: list[Path], split: str, out: Path) -> Outcome:
    """Prepare a split from the first folder that has its files."""
    for folder in folders:
        outcome = prepare(reader, folder, split, split_folder(reader.name, split, out))
        if outcome.state != "missing":
            break
    return outcome


def source_folders(known: Entry, source: str, out: Path) -> list[Path]:
    """Where a dataset's files may be: the user's folder, and `out`/files with what its archives held.

    Raises:
        PosebookError: no such folder, an address that is not fetched, or a bad archive.
    """
    if "://" in source:
        check_address(known, source)
        file = next((f for f in known.files if f.address == source), None)
        archive = download(source, out / "download" / source.split("?")[0].rsplit("/", 1)[-1],
                           file.checksum if file else "")  # fmt: skip
        return [unpack_once(archive, out / "files")]
    folder = Path(source).expanduser()
    if not folder.is_dir():
        raise PosebookError(f"No folder {folder}. --source takes a folder with {known.title}'s files, or an address.")
    patterns = [f.name for f in known.files]
    archives = [p for p in sorted(folder.iterdir()) if is_archive(p.name) and any(fnmatch(p.name, n) for n in patterns)]
    return [folder] + [unpack_once(archive, out / "files") for archive in archives][-1:]


def unpack_once(archive: Path, folder: Path) -> Path:
    """Unpack an archive unless that was finished before; returns the folder."""
    size = archive.stat().st_size
    marker = folder / f".{archive.name}.{size}.done"
    if not marker.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        need_space(folder, int(UNPACKED * size), f"Unpacking {archive.name}")
        unpack(archive, folder)
        marker.touch()
    return folder


def check_address(known: Entry, address: str) -> None:
    """PosebookError unless the address is https or the publisher's own, and names an archive."""
    local = address.startswith(("http://127.0.0.1:", "http://localhost:"))
    if not (address.startswith("https://") or local or address in addresses(known)):
        raise PosebookError(f"{address}: only https addresses, and those that {known.title} publishes, are fetched.")
    if not is_archive(address.split("?")[0]):
        raise PosebookError(f"{address}: expected a .zip or .tar archive.")


def report(known: Entry, out: Path) -> None:
    """Read every prepared split and print what it has and which pictures are missing.

    Raises:
        PosebookError: none is prepared.
    """
    splits = [s for s in known.splits if (split_folder(known.name, s, out) / "manifest.json").is_file()]
    if not splits:
        raise PosebookError(f"{known.title} is not prepared in {out}. Give --source; get it from {known.register}.")
    for split in splits:
        dataset = open_real(known.name, split, root=out)
        typer.echo(dataset.describe())
        typer.echo(f"  labels: {', '.join(dataset.manifest['stored'])}; pixels: {dataset.manifest['pixels']}")
        for reason, count in dataset.manifest["left_out"].items():
            typer.echo(f"  left out: {count} frames, {reason}")
        missing = missing_pictures(dataset)
        if missing:
            shown = ", ".join(missing[:SHOWN])
            typer.echo(f"  {len(missing)} picture files are missing below {dataset.manifest['source']}: {shown}, …")


def missing_pictures(dataset: RealDataset) -> list[str]:
    """Paths of picture or video files that are not there, without repeats."""
    if "image" in dataset.manifest["missing_fields"]:
        return []
    source, last, missing = Path(dataset.manifest["source"]), "", []
    for name in tqdm(dataset.texts["image"], desc="looking for pictures", unit="file", total=len(dataset)):
        path = name.partition("#")[0]
        if path and path != last and not (source / path).is_file():
            missing.append(path)
        last = path
    return missing
