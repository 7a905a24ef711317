"""Two real processes against one: same losses; and processes that cannot work together say so at once."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch.multiprocessing as mp
from ports import free_ports

from posebook.errors import PosebookError
from posebook.training import processes
from posebook.training.processes import Place, make_fabric

SCRIPT = Path(__file__).with_name("twenty_steps.py")
ALWAYS = ("01", "04")  # a volume and a regressor; the others, and single precision, by -m long
CHAPTERS = [*ALWAYS, *(pytest.param(chapter, marks=pytest.mark.long) for chapter in ("02", "03"))]


@pytest.fixture(scope="module")
def shards(body_cache, tmp_path_factory):
    from posebook.data import open_dataset
    from posebook.data.shards import write_shards
    from posebook.profile import smoke

    folder = tmp_path_factory.mktemp("shards") / "made"
    write_shards(open_dataset("procedural", "train", smoke()), folder, 10)
    return folder


@pytest.fixture(scope="module")
def losses(shards, tmp_path_factory):
    """Losses of twenty steps by chapter, of `twenty_steps.py` in some way and number of processes; each run once."""
    folder = tmp_path_factory.mktemp("losses")
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]

    @functools.cache
    def run(how, count, chapters):
        out = folder / f"{how}-{count}-{'-'.join(chapters)}.json"
        command = [sys.executable, *(torchrun if count == 2 else []), str(SCRIPT), how, str(shards), str(out)]
        command += [] if how == "sgd" else chapters
        done = subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(out.read_text())

    def of(how, count, chapter):
        return run(how, count, ALWAYS if chapter in ALWAYS else (chapter,))[chapter]

    return of


def largest_difference(one, two):
    found = max(abs(a - b) for a, b in zip(one, two, strict=True))
    print(f"loss {one[0]:.4f} to {one[-1]:.4f}, largest difference {found:.1e}")
    assert len(one) == 20 and one[-1] < one[0]
    return found


@pytest.mark.slow
@pytest.mark.timeout(3000)  # thousands of exchanges: minutes on idle cores, far more where they are taken
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_two_processes_have_the_losses_of_one_for_twenty_steps(losses, chapter):
    """In double precision, whose rounding does not grow (docs/training.md)."""
    one, two = (losses("double", count, chapter) for count in (1, 2))
    assert largest_difference(one, two) < 1e-9


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_in_single_precision_they_have_those_of_one_that_adds_up_the_same_halves(losses, chapter):
    """Not a bit differs where this was written; one that did would be 1e-3 after twenty steps of Adam."""
    assert largest_difference(losses("halves", 1, chapter), losses("single", 2, chapter)) < 1e-5


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_in_single_precision_plain_gradient_descent_gives_the_losses_of_one_process(losses):
    """Under Adam, one process would differ from itself by 1e-3 with its rows in another order (docs/training.md)."""
    assert largest_difference(*(losses("sgd", count, "01") for count in (1, 2))) < 1e-5


def process(rank: int, port: int, folder: str, fault: str) -> None:
    """One of two processes as torchrun would start them; writes what it was told."""
    names = {"RANK": rank, "LOCAL_RANK": rank, "GROUP_RANK": 0, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2}
    names |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "x"}
    cache = Path(folder) / (f"cache{rank}" if fault == "cache" else "cache")
    os.environ.update({name: str(value) for name, value in names.items()}, POSEBOOK_CACHE=str(cache))
    if fault == "code" and rank == 1:
        processes.library_hash = lambda: "of other code"
    try:
        make_fabric(Place("cpu"))
        said = "nothing"
    except PosebookError as error:
        said = str(error)
    (Path(folder) / f"{rank}.txt").write_text(said)


@pytest.mark.parametrize(
    ("fault", "message"),
    [("", "nothing"), ("cache", "does not see the cache"), ("code", "has another version of posebook's code")],
)
def test_processes_that_cannot_work_together_say_so(tmp_path, fault, message):
    mp.spawn(process, (*free_ports(1), str(tmp_path), fault), nprocs=2)
    for rank in range(2):
        assert message in (tmp_path / f"{rank}.txt").read_text()
