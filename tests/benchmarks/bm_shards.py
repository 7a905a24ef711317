"""One epoch streamed from shards of ten thousand, a hundred thousand and a million rows of small pictures.

    python tests/benchmarks/bm_shards.py                   # the three sizes; writes results/bench/shards.csv and .png
    python tests/benchmarks/bm_shards.py 2000 4000         # others, printed only
    TMPDIR=/big/disk python tests/benchmarks/bm_shards.py  # 2 GB for the million

Ten thousand rows are generated and written by `write_shards`; of larger sets the further tar files are copies of these,
with rows and labels of their own. Streaming is what chapter 1's training asks for: batches of pictures with 2D and 3D
joints, in the training's order; every row must come once. Each size runs in a process of its own. Memory is its largest
resident memory, pages of mapped files included, beyond what it held once everything was imported. Time is the
processor's, of all threads; the clock's, which depends on what else runs, is in the csv too.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SIZES = (10_000, 100_000, 1_000_000)
SIDE, BATCH, PER_SHARD, WRITTEN = 16, 64, 2000, 10_000
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
    """Make shards: the first WRITTEN rows generated, the others repeat their pictures."""
    from posebook.data.sample import TEXT_FIELDS
    from posebook.data.shards import write_shards

    own = min(rows, WRITTEN)
    write_shards(generated(own), folder, PER_SHARD)
    times, rest = divmod(rows, own)
    assert not rest and (times == 1 or not own % PER_SHARD)
    files = sorted((folder / "shards").glob("*.tar"))
    for number in range(len(files), len(files) * times):
        shutil.copyfile(files[number % len(files)], folder / "shards" / f"{number:06d}.tar")
    for path in [*folder.glob("*.bin"), *(folder / f"{name}.txt" for name in TEXT_FIELDS)]:
        data = path.read_bytes()
        with open(path, "ab") as out:
            for _ in range(times - 1):
                out.write(data)
    about = json.loads((folder / "manifest.json").read_text())
    about |= {"images": rows, "shards": about["shards"] * times}
    (folder / "manifest.json").write_text(json.dumps(about))


def stream(rows: int, folder: Path) -> None:
    """One epoch, as training reads it."""
    from posebook.data.batches import Batches
    from posebook.data.shard_order import ShardOrder
    from posebook.data.shards import open_shards

    shards = open_shards(folder)
    batches, seen, expected = Batches(shards), np.zeros(rows, bool), Drawn((WRITTEN, SIDE, SIDE, 3), "uint8")
    for picked in ShardOrder(shards).batches(rows - rows % BATCH, BATCH, seed=0):
        batch = batches.get(picked)
        first = int(picked[0]) % WRITTEN
        found = (batch.image[0].permute(1, 2, 0) * 255).round().numpy().astype(np.uint8)
        assert (found == expected[first : first + 1][0]).all()
        assert not seen[picked].any()
        seen[picked] = True
    assert seen.sum() == rows - rows % BATCH


def child(rows: int, folder: str) -> dict:
    """Seconds and MiB of streaming in this process."""
    import psutil

    from posebook.experiments.memory import forget_peak, peak_resident

    with tempfile.TemporaryDirectory() as place:
        write(200, Path(place) / "few")
        stream(200, Path(place) / "few")  # everything is imported and at work before memory counts
    forget_peak()
    before, started, computed = psutil.Process().memory_info().rss, time.perf_counter(), time.process_time()
    stream(rows, Path(folder))
    seconds, computed = time.perf_counter() - started, time.process_time() - computed
    return {"rows": rows, "seconds": seconds, "cpu_seconds": computed, "rows_per_cpu_second": rows / computed,
            "memory_mib": (peak_resident() - before) / 2**20, "process_mib": peak_resident() / 2**20}  # fmt: skip


def measure(rows: int) -> dict:
    """Write that many rows, and stream them in a process of its own."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "shards"
        write(rows, folder)
        done = subprocess.run([sys.executable, __file__, "--child", str(rows), str(folder)], stdout=-1, text=True)
        assert done.returncode == 0, f"streaming {rows} rows failed"
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return json.loads(done.stdout.splitlines()[-1]) | {"bytes": size}


def draw(lines: list[dict], path: Path) -> None:
    """Seconds and memory against rows."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    rows, seconds, memory = ([line[name] for line in lines] for name in ("rows", "cpu_seconds", "memory_mib"))
    left.loglog(rows, seconds, "o-", color="#0072B2", label="measured")
    left.loglog(rows, [seconds[0] * n / rows[0] for n in rows], ":", color="#D55E00", label="in proportion to rows")
    right.semilogx(rows, memory, "o-", color="#0072B2")
    left.set(xlabel="rows", ylabel="seconds of processor time", title="One epoch streamed")
    right.set(xlabel="rows", ylabel="MiB beyond the imports", title="Largest resident memory")
    right.set_ylim(0, 1.5 * max(memory))
    left.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)


@pytest.mark.benchmarks
def test_memory_stays_flat():
    small, large = (measure(rows)["memory_mib"] for rows in (10_000, 50_000))
    print(small, large)
    assert large < LIMIT and large < small + 60


if __name__ == "__main__":
    if "--child" in sys.argv:
        print(json.dumps(child(int(sys.argv[2]), sys.argv[3])))
    else:
        import pandas as pd

        sizes = [int(text) for text in sys.argv[1:]] or SIZES
        lines, out = [], ROOT / "results" / "bench"
        for rows in sizes:
            lines.append(measure(rows))
            table = pd.DataFrame(lines).round(1)
            print(table.to_string(index=False), flush=True)
            if sizes == SIZES:
                out.mkdir(parents=True, exist_ok=True)
                table.to_csv(out / "shards.csv", index=False)
                draw(lines, out / "shards.png")
