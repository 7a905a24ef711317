"""A million rows in InstaVariety's and Human3.6M's layouts: prepared and gone through within 2 GiB of memory.

    python tests/benchmarks/bm_real.py            # a million rows
    python tests/benchmarks/bm_real.py 20000      # fewer

Each layout runs in a process of its own, whose largest resident memory (pages of mapped files included) is printed.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

ROWS, CLIP = 1_000_000, 500
LIMIT = 2048  # MiB
LAYOUTS = ("instavariety", "human36m")


def write_instavariety(root: Path, rows: int) -> None:
    """insta_train_db.h5 of that many rows, written clip by clip."""
    import h5py

    rng = np.random.default_rng(0)
    root.mkdir(parents=True, exist_ok=True)
    with h5py.File(root / "insta_train_db.h5", "w") as out:
        names = out.create_dataset("vid_name", (rows,), "S12")
        frames, joints = (
            out.create_dataset("frame_id", (rows,), "i8"),
            out.create_dataset("joints2D", (rows, 25, 3), "f4"),
        )
        for start in range(0, rows, CLIP):
            stop = min(start + CLIP, rows)
            names[start:stop] = f"video{start // CLIP:06d}".encode()
            frames[start:stop] = np.arange(stop - start)
            joints[start:stop] = rng.uniform(0.1, 1, (stop - start, 25, 3)) * [224, 224, 1]


def human36m_blocks(rows: int):
    """Blocks in the layout that the Human3.6M reader yields: 32 joints in 2D and 3D, camera, lens."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "real"))
    import fixtures_human36m as fixture
    import people

    from posebook.data.real.block import Block

    R, t = people.camera_z_up()
    points = np.tile((fixture.world() @ R.T + t)[:, fixture.H36M32], (-(-CLIP // fixture.FRAMES), 1, 1))[:CLIP]
    pixels = np.concatenate([fixture.lens(points), np.ones((CLIP, 32, 1))], -1)
    for start in range(0, rows, CLIP):
        n, name = min(CLIP, rows - start), f"S9_Directions_{start // CLIP}.54138969"
        fields = {"K": np.tile(fixture.K, (n, 1, 1)), "distortion": np.zeros((n, 5)), "keypoints3d": points[:n],
                  "keypoints2d": pixels[:n]}  # fmt: skip
        images = [f"S9/Videos/{name}.mp4#{k}" for k in range(n)]
        yield Block(images, np.arange(n), name, fields, subject="S9", action="Directions", camera="54138969")


def child(layout: str, rows: int) -> dict:
    """Write, prepare and iterate in this process; seconds and MiB."""
    from posebook.data.real import open_real
    from posebook.data.real.index import write_index
    from posebook.data.real.instavariety import READER
    from posebook.data.real.prepare import prepare
    from posebook.experiments.memory import peak_resident

    with tempfile.TemporaryDirectory() as folder:
        root, out = Path(folder) / "source", Path(folder) / "out"
        if layout == "instavariety":
            write_instavariety(root, rows)
        begin = time.perf_counter()
        if layout == "instavariety":
            prepare(READER, root, "train", out / "train")
        else:
            about = {"name": "human36m", "split_name": "train", "source": str(root), "fps": 50.0, "pixels": ""}
            out.mkdir()
            write_index(out / "train", about, "body", "h36m32", human36m_blocks(rows))
        prepared = time.perf_counter()
        dataset = open_real(layout, "train", root=out)
        count = 0
        for start in range(0, len(dataset), 1000):
            chunk = slice(start, start + 1000)
            count += len(dataset.arrays["K"][chunk]) + 0 * len(dataset.extras["keypoints2d"][chunk])
            assert dataset.texts["sequence"][start].startswith(("video", "S9"))
        done = time.perf_counter()
        names = len(np.unique(dataset.texts["sequence"]))
        assert count == len(dataset) == rows and names == -(-rows // CLIP)
    peak = peak_resident() / 2**20  # not ru_maxrss: that of a child starts at its parent's
    return {
        "layout": layout,
        "rows": rows,
        "prepare_s": prepared - begin,
        "iterate_s": done - prepared,
        "peak_mib": peak,
    }


def measure(layout: str, rows: int) -> dict:
    """Run `child` in a process of its own."""
    command = [sys.executable, __file__, "--child", layout, str(rows)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    return json.loads(result.stdout.splitlines()[-1])


@pytest.mark.benchmarks
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_million_rows(layout):
    found = measure(layout, ROWS)
    print(found)
    assert found["peak_mib"] < LIMIT


if __name__ == "__main__":
    if "--child" in sys.argv:
        print(json.dumps(child(sys.argv[2], int(sys.argv[3]))))
    else:
        for each in LAYOUTS:
            print(measure(each, int(sys.argv[1]) if len(sys.argv) > 1 else ROWS))
