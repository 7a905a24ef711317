"""`posebook pretrain`, `posebook train`, and `posebook shards` for it to read."""

from pathlib import Path
from typing import Annotated

import typer

from posebook.commands.shared import Device, Profile


def pretrain(
    profile: Profile = None,
    device: Device = "auto",
    out: Annotated[Path | None, typer.Option(help="folder for the trunk", show_default="<cache>/trunk")] = None,
) -> None:
    """Train the trunk on 2D joints of the train split."""
    from posebook.profile import load_profile
    from posebook.provenance import resolve_device
    from posebook.runner import choose_profile
    from posebook.trunk import pretrain as train

    sizes = load_profile(choose_profile(profile))
    for path in train(sizes, device=str(resolve_device(device)), folder=out.resolve() if out else None):
        typer.echo(f"Trunk written to {path}")


def train(
    chapter: Annotated[str, typer.Argument(help="01 to 05")],
    row: Annotated[list[str] | None, typer.Option("--row", help="name in the table; left out: lists the names")] = None,
    profile: Profile = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    motion: Annotated[
        str,
        typer.Option(
            help="procedural, cmu, or a prepared real dataset, thinned out to as many frames of each split as the "
            "profile trains on; --shards brings all frames of train instead"
        ),
    ] = "procedural",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    devices: Annotated[
        int | None,
        typer.Option(min=1, help="processes on each machine", show_default="1, or what torchrun/srun started"),
    ] = None,
    nodes: Annotated[
        int | None, typer.Option(min=1, help="machines", show_default="1, or what torchrun/srun started")
    ] = None,
    precision: Annotated[str, typer.Option(help="32-true or bf16-mixed")] = "32-true",
    shards: Annotated[
        str | None,
        typer.Option(
            help="training pictures of `posebook shards`: a folder, or an address such as https://host/train",
            show_default="from the cache",
        ),
    ] = None,
    checkpoint_seconds: Annotated[float, typer.Option(min=0, help="between two checkpoints at least")] = 60.0,
) -> None:
    """Train rows of a chapter on one or many devices; its notebook then takes these weights, and says so."""
    from posebook.profile import load_profile
    from posebook.runner import choose_profile
    from posebook.training.command import train as train_rows
    from posebook.training.processes import Place
    from posebook.training.rows import rows

    sizes = load_profile(choose_profile(profile))
    if not row:
        typer.echo("\n".join(rows(chapter, sizes)))
        return
    place = Place(device, devices, nodes, precision)
    train_rows(chapter, row, sizes, motion, seed, place, shards, checkpoint_seconds, typer.echo)


def shards(
    dataset: Annotated[str, typer.Argument(help="procedural, cmu, or a prepared real dataset, e.g. 3dpw")],
    out: Annotated[Path, typer.Option(help="new folder for the shards")],
    split: Annotated[str, typer.Option(help="train, val or test, as the chapters divide the dataset")] = "train",
    profile: Profile = None,
    per_shard: Annotated[int, typer.Option(min=1, help="pictures in one tar file")] = 2000,
) -> None:
    """Write a dataset as WebDataset shards, which `posebook train --shards` streams from.

    Of rendered people the shards hold the profile's pictures. Of a real dataset they hold every frame of the split,
    with the people and scenes that validate left out of train; `posebook run` and `posebook train`, which test on it
    too, take the same splits thinned out to as many pictures as the profile trains on.
    """
    from posebook.data.shards import write_shards
    from posebook.profile import load_profile
    from posebook.runner import choose_profile
    from posebook.sources import MOTIONS

    sizes = load_profile(choose_profile(profile))
    if dataset in MOTIONS:
        from posebook.data import open_dataset as open_it
    else:
        from posebook.data.real.whole import open_whole as open_it
    done = write_shards(open_it(dataset, split, sizes), out, per_shard)
    typer.echo(f"{done.pictures} pictures in {done.shards} shards, {done.bytes / 1e6:.1f} MB, in {out}")
