"""Datasets: independent of workers, resumable after a kill, never taken for whole when they are not."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from posebook.data import chunks, open_dataset
from posebook.data.dataset import Dataset
from posebook.errors import PosebookError
from posebook.profile import smoke

SMALL = replace(smoke(), data=replace(smoke().data, train_images=200, val_sequences=2, frames=5))


@pytest.fixture
def cache(tmp_path, monkeypatch, body_cache):
    """A fresh cache that already holds the baked body."""
    monkeypatch.setenv("POSEBOOK_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    os.symlink(body_cache / "body", tmp_path / "cache" / "body")
    return tmp_path / "cache"


def same(a: Dataset, b: Dataset) -> bool:
    return all(np.array_equal(a.arrays[f], b.arrays[f]) for f in a.arrays)


def test_one_and_two_workers_give_the_same_bytes(cache, tmp_path, monkeypatch):
    two = open_dataset("procedural", "train", SMALL, workers=2)
    one_cache = tmp_path / "one"
    one_cache.mkdir()
    os.symlink(cache / "body", one_cache / "body")
    monkeypatch.setenv("POSEBOOK_CACHE", str(one_cache))
    one = open_dataset("procedural", "train", SMALL, workers=1)
    assert one.folder.name == two.folder.name and same(one, two)


def test_a_killed_run_resumes_and_ends_equal(cache, tmp_path, body_cache):
    code = (
        "from dataclasses import replace; from posebook.data import open_dataset; from posebook.profile import smoke\n"
        "open_dataset('procedural', 'train', replace(smoke(), data=replace(smoke().data, train_images=200)), workers=1)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], env=os.environ, stderr=subprocess.DEVNULL)
    deadline = time.time() + 120
    while time.time() < deadline and process.poll() is None and not list(cache.glob("data/*.partial/chunk-*.done")):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    partial = list(cache.glob("data/*.partial"))
    assert len(partial) == 1, "the run ended before it could be killed"
    with pytest.raises(PosebookError, match="finished dataset"):
        Dataset(partial[0])
    first = next(partial[0].glob("chunk-*.done"))
    stamp = np.memmap(partial[0] / "image.bin", np.uint8, "r")[: 64 * 64 * 64 * 3].copy()
    profile = replace(smoke(), data=replace(smoke().data, train_images=200))
    resumed = open_dataset("procedural", "train", profile, workers=1)
    assert not first.exists() and not list(cache.glob("data/*.partial"))
    assert np.array_equal(resumed.arrays["image"][:64].reshape(-1), stamp)
    assert (np.asarray(resumed.arrays["image"]).reshape(200, -1).std(1) > 0).all()  # no row was left empty


def test_two_processes_that_want_the_same_images_make_them_once(cache):
    code = (
        "from dataclasses import replace; from posebook.data import open_dataset; from posebook.profile import smoke\n"
        "open_dataset('procedural', 'train', replace(smoke(), data=replace(smoke().data, train_images=130)), workers=1)"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code], env=os.environ, stderr=subprocess.PIPE) for _ in range(2)]
    errors = [run.communicate(timeout=240)[1].decode() for run in runs]
    assert [run.returncode for run in runs] == [0, 0], errors
    folders = [p.name for p in cache.glob("data/*") if p.is_dir()]
    assert len(folders) == 1 and not folders[0].endswith(".partial")
    images = np.asarray(Dataset(cache / "data" / folders[0]).arrays["image"])
    assert (images.reshape(130, -1).std(1) > 0).all()


def test_a_full_disk_is_one_error_before_anything_is_rendered(cache, monkeypatch):
    monkeypatch.setattr(chunks.shutil, "disk_usage", lambda _: type("U", (), {"free": 1000})())
    with pytest.raises(PosebookError, match="MB free"):
        open_dataset("procedural", "train", SMALL)
    monkeypatch.undo()


def test_a_disk_that_fills_up_while_reserving(cache, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(chunks.os, "posix_fallocate", refuse)
    with pytest.raises(PosebookError, match="Could not reserve.*No space left"):
        open_dataset("procedural", "train", SMALL)
    assert not [p for p in cache.glob("data/*") if p.is_dir() and not p.name.endswith(".partial")]


def test_a_damaged_dataset_is_refused(cache):
    dataset = open_dataset("procedural", "val", SMALL, workers=1)
    with open(dataset.folder / "image.bin", "r+b") as stream:
        stream.truncate(1000)
    with pytest.raises(PosebookError, match="damaged"):
        open_dataset("procedural", "val", SMALL)


@pytest.mark.parametrize("arguments", [{"motion": "dance"}, {"split": "dev"}, {"kind": "films"}])
def test_unknown_names_are_refused(arguments):
    with pytest.raises(PosebookError, match="Unknown"):
        open_dataset(**({"profile": SMALL} | arguments))
