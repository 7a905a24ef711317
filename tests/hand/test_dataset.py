"""Hand datasets: independent of workers, resumable, refused when damaged, read like the body's."""

import os
from dataclasses import replace

import numpy as np
import pytest

from posebook.data import chunks
from posebook.data.dataset import Dataset
from posebook.errors import PosebookError
from posebook.hand import hand_profile, open_hand_dataset
from posebook.hand.dataset import HandDataset, HandRecipe
from posebook.hand.sample import HAND_FIELDS

SMALL = replace(hand_profile("smoke"), image_size=32, train_images=200, val_images=10)


@pytest.fixture
def cache(tmp_path, monkeypatch, hand_cache):
    """A fresh cache that already holds the baked hand."""
    (tmp_path / "cache").mkdir()
    os.symlink(hand_cache / "hand", tmp_path / "cache" / "hand")
    monkeypatch.setenv("POSEBOOK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def same(a: Dataset, b: Dataset) -> bool:
    return all(np.array_equal(a.arrays[f], b.arrays[f]) for f in HAND_FIELDS)


def test_two_workers_and_an_interrupted_run_give_the_same_bytes(cache, tmp_path, monkeypatch, hand_cache):
    two = open_hand_dataset("train", SMALL, workers=2)
    (tmp_path / "one").mkdir()
    os.symlink(hand_cache / "hand", tmp_path / "one" / "hand")
    monkeypatch.setenv("POSEBOOK_CACHE", str(tmp_path / "one"))
    render, done = chunks.render_chunk, []

    def stops_after_two(folder, chunk):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(chunk)
        return render(folder, chunk)

    monkeypatch.setattr(chunks, "render_chunk", stops_after_two)
    with pytest.raises(KeyboardInterrupt):
        open_hand_dataset("train", SMALL, workers=1)
    partial = next((tmp_path / "one" / "data").glob("*.partial"))
    with pytest.raises(PosebookError, match="finished dataset"):
        HandDataset(partial)
    done.clear()
    monkeypatch.setattr(chunks, "render_chunk", lambda folder, chunk: done.append(chunk) or render(folder, chunk))
    one = open_hand_dataset("train", SMALL, workers=1)
    assert len(done) == 2 and one.folder.name == two.folder.name and same(one, two)  # only the missing half
    assert {f: list(t) for f, t in one.texts.items()} == {f: list(t) for f, t in two.texts.items()}


def test_reading(cache):
    dataset = open_hand_dataset("val", SMALL, workers=1)
    assert isinstance(dataset, Dataset) and len(dataset) == 10
    sample = dataset[3]
    assert sample.image.shape == (32, 32, 3) and sample.joints3d.shape == (21, 3) and sample.hand_pose.shape == (45,)
    assert sample.sample_id == "hand-val-000003" and all(sample.valid.values())
    assert 0.3 < sample.depth[sample.mask].min() and sample.depth.max() < 1.2  # metres
    assert "10 images" in dataset.describe()
    with open(dataset.folder / "depth.bin", "r+b") as stream:
        stream.truncate(100)
    with pytest.raises(PosebookError, match="damaged"):
        open_hand_dataset("val", SMALL)


def test_names_tell_what_matters():
    recipe = HandRecipe("train", 200, SMALL)
    assert recipe.version() == HandRecipe("train", 200, replace(SMALL, test_images=7)).version()
    turned, reseeded = replace(SMALL, turn=90), replace(SMALL, seed=2)
    for other in (("val", 200, SMALL), ("train", 201, SMALL), ("train", 200, turned), ("train", 200, reseeded)):
        assert HandRecipe(*other).version() != recipe.version()


def test_unknown_names_are_refused():
    with pytest.raises(PosebookError, match="Unknown split"):
        open_hand_dataset("dev", SMALL)
    with pytest.raises(PosebookError, match="Unknown profile"):
        hand_profile("tiny")
