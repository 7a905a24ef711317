"""Two real processes against one: same losses; and processes that cannot work together say so at once."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch.multiprocessing as mp

from posebook.errors import PosebookError
from posebook.training import processes
from posebook.training.processes import Place, make_fabric

SCRIPT = Path(__file__).with_name("twenty_steps.py")


@pytest.fixture(scope="module")
def shards(body_cache, tmp_path_factory):
    from posebook.data import open_dataset
    from posebook.data.shards import write_shards
    from posebook.profile import smoke

    open_dataset("procedural", "test", smoke())  # rendered before the folders are linked
    folder = tmp_path_factory.mktemp("shards") / "made"
    write_shards(open_dataset("procedural", "train", smoke()), folder, 10)
    return folder


def losses(cache: Path) -> dict[str, list[float]]:
    found = (json.loads(path.read_text()) for path in cache.glob("trained/*/outcome.json"))
    return {outcome["row"]: outcome["history"]["losses"] for outcome in found}


@pytest.mark.timeout(3000)  # thousands of exchanges: half a minute on idle cores, far more where they are taken
def test_two_processes_have_the_losses_of_one_for_twenty_steps(tmp_path, own_cache, shards):
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    for name, start in (("one", []), ("two", torchrun)):
        command = [sys.executable, *start, str(SCRIPT), str(shards)]
        done = subprocess.run(command, env=own_cache(tmp_path / name), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert set(one) == set(two) == {"volume {1,16}", "RGB", "lixel {16}"}
    for row, expected in one.items():
        difference = max(abs(a - b) for a, b in zip(two[row], expected, strict=True))
        print(f"{row}: loss {expected[0]:.4f} to {expected[-1]:.4f}, largest difference {difference:.1e}")
        assert len(expected) == 20 and expected[-1] < expected[0]
        assert difference < 1e-5, row
    about = [json.loads(path.read_text())["training"] for path in (tmp_path / "two").glob("trained/*/training.json")]
    assert [a["devices"] for a in about] == [2] * 3 and sum(bool(a["shards"]) for a in about) == 1


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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    mp.spawn(process, (port, str(tmp_path), fault), nprocs=2)
    for rank in range(2):
        assert message in (tmp_path / f"{rank}.txt").read_text()
