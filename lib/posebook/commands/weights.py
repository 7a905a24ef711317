"""`posebook weights`."""

from pathlib import Path
from typing import Annotated

import typer

from posebook.errors import PosebookError


def weights(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="one of the list; left out: the list")] = None,
    file: Annotated[Path | None, typer.Option(help="the official file, unchanged", show_default="in --folder")] = None,
    dataset: Annotated[str | None, typer.Option(help="score on it by the paper's protocol")] = None,
    folder: Annotated[Path | None, typer.Option(help="where files lie", show_default="<cache>/weights")] = None,
    smpl: Annotated[
        str,
        typer.Option(
            help="licensed SMPL or MANO file; 'inside': the copy in the weights", show_default="POSEBOOK_SMPL"
        ),
    ] = "",
    limit: Annotated[int, typer.Option(min=0, help="score the first so many pictures; 0: all")] = 0,
) -> None:
    """List official weights, read one into our network, score it. Nothing is downloaded."""
    from posebook.weights import default_folder, find_file, known_weights, load_weights
    from posebook.weights.report import about_text, list_text, loaded_text

    place = folder or default_folder()
    if name is None:
        typer.echo(list_text(place))
        return
    known = known_weights(name)
    path = file or find_file(known, place)
    if path is None:
        typer.echo(about_text(known))
        raise PosebookError(f"No {' or '.join(known.files)} in {place}. Put it there, or name it with --file.")
    loaded = load_weights(known, path)
    typer.echo(loaded_text(loaded))
    if dataset is None:
        typer.echo(about_text(known))
        return
    from posebook.weights.compare import compare

    for text in compare(loaded, dataset, place, smpl, limit):
        typer.echo(f"\n{text}")
