"""What `posebook train` does: names checked, processes started, rows trained one after the other."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from posebook.errors import PosebookError
from posebook.launch import Launch, launched
from posebook.own_body import FREE, using_body
from posebook.profile import Profile
from posebook.sources import MOTIONS
from posebook.training.processes import Place, counted, make_fabric, started
from posebook.training.rows import Row, Setup, rows

BENCHMARK_PICTURES = ("01", "02", "03")  # chapters whose rows take training pictures from shards


def choose_rows(chapter: str, names: Sequence[str], profile: Profile) -> list[Row]:
    """The rows asked for.

    Raises:
        PosebookError: a name that the chapter does not have.
    """
    known = rows(chapter, profile)
    for name in names:
        if name not in known:
            raise PosebookError(f"Chapter {chapter} has no row {name!r} in profile {profile.name}. It has: "
                                f"{'; '.join(known)}.")  # fmt: skip
    return [known[name] for name in names]


def check_rows(chapter: str, chosen: Sequence[Row], shards: str | Path | None, processes: int) -> None:
    """Refuse what cannot be trained this way.

    Raises:
        PosebookError: several processes or shards for rows that do not take them.
    """
    for row in chosen:
        if processes > 1 and row.alone:
            raise PosebookError(f"Row {row.name!r} of chapter {chapter} trains on one device: {row.alone}. "
                                "Use --devices 1.")  # fmt: skip
        if shards and (chapter.zfill(2) not in BENCHMARK_PICTURES or row.name.startswith("hand, ")):
            raise PosebookError(f"Row {row.name!r} of chapter {chapter} does not train from shards; those of bodies in "
                                f"chapters {', '.join(BENCHMARK_PICTURES)} do.")  # fmt: skip


def body_of(chapter: str, motion: str) -> str:
    """Which body a chapter works with (`posebook.own_body`).

    Args:
        chapter: two digits. motion: a source of rendered people, or a prepared real dataset.
    """
    if motion in MOTIONS:
        return FREE
    from posebook.data.real.chapters import body_for  # here: heavy

    return body_for(chapter, motion)


def train(chapter: str, names: Sequence[str], profile: Profile, motion: str, seed: int, place: Place,
          shards: str | Path | None, seconds: float, say: Callable[[str], None]) -> None:  # fmt: skip
    """Train rows of a chapter; each is left where the notebook finds it. A killed training is gone on with.

    Args:
        shards: folder or address of what `posebook shards` made; None takes the benchmark's pictures from the cache.
        seconds: between two checkpoints at least.
        say: prints a line; called by the first process only.

    Raises:
        PosebookError: what cannot be trained, before anything is.
    """
    chosen = choose_rows(chapter, names, profile)
    pictures = order = None
    if shards:
        from posebook.data.shards import open_shards

        pictures = open_shards(shards)
    check_rows(chapter, chosen, shards, math.prod(counted(place, started())))
    fabric = make_fabric(place)
    if pictures:
        from posebook.data.shard_order import ShardOrder

        order = ShardOrder(pictures, fabric.global_rank, fabric.world_size)
    about = {"devices": fabric.world_size, "precision": place.precision, "on": fabric.device.type,
             "shards": pictures.manifest["shards_version"] if pictures else ""}  # fmt: skip
    setup = Setup(profile, motion, seed, str(fabric.device), pictures)
    with launched(Launch(fabric, about, seconds, order)), using_body(body_of(chapter.zfill(2), motion)):
        if fabric.global_rank == 0:
            setup.train_set(), setup.test_set()  # rendered once, not by every process
        fabric.barrier()
        for row in chosen:
            outcome = row.train(setup)
            if fabric.global_rank == 0:
                minutes, loss = outcome.history.minutes, outcome.history.losses[-1]
                say(f"{row.name}: {outcome.images_seen} images, {minutes:.1f} minutes, loss {loss:.4g}; the notebook "
                    f"of chapter {chapter.zfill(2)} takes these weights for seed {seed}")  # fmt: skip
