"""Shards of ten thousand, a hundred thousand and a million rows of small pictures: written, and streamed for an epoch.

    python tests/benchmarks/bm_shards.py                   # the three sizes; writes results/bench/shards.csv and .png
    python tests/benchmarks/bm_shards.py 2000 4000         # others, printed only
    TMPDIR=/big/disk python tests/benchmarks/bm_shards.py  # 1.9 GB for the million

Every size is written and streamed in two processes of their own. Memory is their largest resident memory, pages of
mapped files included, beyond what they held once everything was imported. Streaming is what chapter 1's training asks
for: batches of pictures with 2D and 3D joints, in the training's order. Time is the processor's, of all threads: the clock's depends on what else runs (both are in the csv).
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SIZES = (10_000, 100_000, 1_000_000)
SIDE, BATCH, PER_SHARD = 16, 64, 2000
LIMIT = 300  # MiB that streaming may take beyond its imports, whatever the rows


class Drawn:
    """Rows of one field, made when they are asked for."""

    def __init__(self, shape: tuple[int, ...], dtype: str):
        self.shape, self.dtype = shape, np.dtype(dtype)

    def __getitem__(self, rows: slice) -> np.ndarray:
        start, stop, _ = rows.indices(self.shape[0])
        number = np.arange(start, stop).reshape(-1, *[1] * (len(self.shape) - 1))
        grid = np.arange(int(np.prod(self.shape[1:]))).reshape(self.shape[1:])
        return (number * 7 + grid * (1 + number % 5)).astype(self.dtype)  # no two rows near each other are alike


class Names:
    """A text for every row."""

    def __getitem__(self, rows: slice) -> np.ndarray:
        return np.array([f"row{i}" for i in range(rows.start, rows.stop)])


def generated(rows: int):
    """A dataset of that many rows, nothing of it in memory."""
    from posebook.data.dataset import Dataset
    from posebook.data.sample import TEXT_FIELDS

    made = Dataset.__new__(Dataset)
    made.manifest = {"images": rows, "data_version": f"generated-{rows}", "missing_fields": []}
    shapes = {"image": ((SIDE, SIDE, 3), "uint8"), "joints2d_h36m17": ((17, 2), "float32"),
              "joints3d_h36m17": ((17, 3), "float32")}  # fmt: skip
    made.arrays = {name: Drawn((rows, *shape), dtype) for name, (shape, dtype) in shapes.items()}
    made.manifest["missing_fields"] = [name for name in made.fields if name not in shapes]
    made.texts = {name: Names() for name in TEXT_FIELDS} | {"frame": np.zeros(rows, np.int64)}
    made.describe = lambda: f"{rows} generated rows"
    return made


def write(rows: int, folder: Path) -> None:
    """Make the shards."""
    from posebook.data.shards import write_shards

    write_shards(generated(rows), folder, PER_SHARD)


def stream(rows: int, folder: Path) -> None:
    """One epoch, as training reads it; every picture must be the one that was written."""
    from posebook.data.batches import Batches
    from posebook.data.shard_order import ShardOrder
    from posebook.data.shards import open_shards

    shards = open_shards(folder)
    batches, seen, expected = Batches(shards), np.zeros(rows, bool), Drawn((rows, SIDE, SIDE, 3), "uint8")
    for picked in ShardOrder(shards).batches(rows - rows % BATCH, BATCH, seed=0):
        batch = batches.get(picked)
        first = int(picked[0])
        assert (batch.image[0].permute(1, 2, 0) * 255).round().numpy().astype("uint8").tolist() == (
            expected[first : first + 1][0].tolist()
        )
        assert not seen[picked].any()
        seen[picked] = True
    assert seen.sum() == rows - rows % BATCH


def child(work: str, rows: int, folder: str) -> dict:
    """Seconds and MiB of one piece of work in this process."""
    import psutil

    from posebook.experiments.memory import forget_peak, peak_resident

    {"write": write, "stream": stream}[work](200, Path(folder + "-warm") if work == "write" else warm(folder))
    forget_peak()
    before, started, computed = psutil.Process().memory_info().rss, time.perf_counter(), time.process_time()
    {"write": write, "stream": stream}[work](rows, Path(folder))
    seconds = time.perf_counter() - started
    return {"rows": rows, "work": work, "seconds": seconds, "cpu_seconds": time.process_time() - computed,
            "memory_mib": (peak_resident() - before) / 2**20, "process_mib": peak_resident() / 2**20}  # fmt: skip


def warm(folder: str) -> Path:
    """Shards of 200 rows, which the writing process left."""
    return Path(folder + "-warm")


def measure(rows: int) -> list[dict]:
    """Write and stream that many rows in processes of their own."""
    found = []
    with tempfile.TemporaryDirectory() as place:
        for work in ("write", "stream"):
            command = [sys.executable, __file__, "--child", work, str(rows), f"{place}/shards"]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
            assert done.returncode == 0, f"{work} of {rows} rows failed"
            found.append(json.loads(done.stdout.splitlines()[-1]))
        size = sum(path.stat().st_size for path in Path(place, "shards").rglob("*") if path.is_file())
    return [line | {"bytes": size} for line in found]


def draw(lines: list[dict], path: Path) -> None:
    """Seconds and memory against rows."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for work, colour in (("write", "#0072B2"), ("stream", "#D55E00")):
        own = [line for line in lines if line["work"] == work]
        rows, seconds, memory = ([line[name] for line in own] for name in ("rows", "cpu_seconds", "memory_mib"))
        left.loglog(rows, seconds, "o-", color=colour, label=work)
        left.loglog(rows, [seconds[0] * n / rows[0] for n in rows], ":", color=colour, alpha=0.6)
        right.semilogx(rows, memory, "o-", color=colour, label=work)
    left.set(xlabel="rows", ylabel="seconds of processor time", title="Time; dotted: in proportion to the rows")
    right.set(xlabel="rows", ylabel="MiB beyond the imports", title="Largest resident memory", ylim=(0, None))
    left.legend(), right.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)


@pytest.mark.benchmarks
def test_memory_stays_flat():
    small, large = (measure(rows)[1]["memory_mib"] for rows in (4_000, 40_000))
    print(small, large)
    assert large < LIMIT and large < small + 60


if __name__ == "__main__":
    if "--child" in sys.argv:
        work, rows, folder = sys.argv[2:]
        print(json.dumps(child(work, int(rows), folder)))
    else:
        import pandas as pd

        sizes = [int(text) for text in sys.argv[1:]] or SIZES
        lines, out = [], ROOT / "results" / "bench"
        for rows in sizes:
            lines += measure(rows)
            table = pd.DataFrame(lines).round(1)
            print(table.to_string(index=False), flush=True)
            if sizes == SIZES:
                out.mkdir(parents=True, exist_ok=True)
                table.to_csv(out / "shards.csv", index=False)
                draw(lines, out / "shards.png")
