"""A few bodies of the smoke profile: enough to train and score on in a second."""

import copy
import functools
from dataclasses import replace

import pytest

from posebook.body import load_body
from posebook.data import open_dataset
from posebook.data.body_batches import BodyBatches
from posebook.data.halves import open_motion_half, open_picture_half
from posebook.experiments import outcome
from posebook.experiments.bodies import Judge
from posebook.experiments.hmr import build_hmr, frames, mean_start, train_hmr
from posebook.hand import hand_profile, open_hand_dataset
from posebook.joint_layer import JointLayer
from posebook.launch import Launch, launched
from posebook.profile import smoke
from posebook.train import make_fabric


def few(dataset, rows):
    """Some rows of a dataset as a dataset."""
    part = copy.copy(dataset)
    part.arrays = {name: values[rows] for name, values in dataset.arrays.items()}
    part.texts = {name: values[rows] for name, values in dataset.texts.items()}
    part.manifest = dataset.manifest | {"images": len(part.arrays["image"])}
    return part


@pytest.fixture(scope="session")
def layer(body_cache):
    """Joints of the full free body."""
    return JointLayer(load_body())


@pytest.fixture(scope="session")
def few_bodies(layer):
    """Train and test batches: 12 stills, and two frames of each of three sequences."""
    rows = slice(0, 12), slice(0, 24, 4)
    sets = (open_dataset("procedural", split, smoke()) for split in ("train", "test"))
    return [BodyBatches(few(d, r), layer=layer) for d, r in zip(sets, rows, strict=True)]


@pytest.fixture(scope="session")
def few_hands(body_cache):
    """Train and test datasets of twelve hands each."""
    sets = (open_hand_dataset(split, hand_profile("smoke")) for split in ("train", "test"))
    return [few(d, slice(0, 12)) for d in sets]


@pytest.fixture
def tiny():
    """Profile with budgets of two batches of four."""
    made = smoke()
    stage1 = replace(made.segmentation, images_seen=8, batch=4, decoder=(16, 16, 16, 16))
    return replace(made, segmentation=stage1, fitting=replace(made.fitting, images_seen=8, batch=4))


SOURCE_HASH = functools.cache(outcome.source_hash)  # half a second each


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache for trained variants."""
    monkeypatch.setattr(outcome, "cache_dir", lambda *parts: tmp_path)
    monkeypatch.setattr(outcome, "source_hash", SOURCE_HASH)
    return tmp_path


@pytest.fixture
def launching(cache, monkeypatch):
    """What trains within `with launching():` as `posebook train` does on one CPU, a checkpoint at every record."""
    monkeypatch.setattr(outcome, "cache_dir", cache.joinpath)
    about = {"devices": 1, "precision": "32-true", "on": "cpu", "shards": ""}
    return lambda: launched(Launch(make_fabric("cpu"), about, 0.0))


@pytest.fixture
def stopping_at():
    """Let a network's method fail at its `last` call, as Ctrl-C does; gives the list that grows with each call."""

    def stop(patch, owner, name, last):
        calls, original = [], getattr(owner, name)

        def counted(*arguments):
            calls.append(1)
            if len(calls) == last:
                raise KeyboardInterrupt
            return original(*arguments)

        patch.setattr(owner, name, counted)
        return calls

    return stop


@pytest.fixture(scope="module")
def sizes():
    """Chapter 4 with budgets of two batches of four."""
    made = smoke()
    small = {"hmr_images": 8, "hmr_batch": 4, "windows_seen": 8, "batch": 4, "hidden": 8, "discriminator_hidden": 8}
    return replace(made, temporal=replace(made.temporal, **small))


@pytest.fixture(scope="module")
def sets(layer):
    """Training and test sequences."""
    return [BodyBatches(d, layer=layer) for d in (open_motion_half("procedural", smoke()),
                                                  open_dataset("procedural", "test", smoke()))]  # fmt: skip


@pytest.fixture(scope="module")
def judge(sets):
    return Judge(sets[1])


@pytest.fixture
def single_frames(sizes, layer, cache):
    """The single-frame network: its outcome, and itself."""
    stills, rows = open_picture_half("procedural", smoke())
    pictures = BodyBatches(stills, layer=layer)
    found = train_hmr(sizes, pictures, rows, 0, "cpu")
    model = build_hmr(sizes, mean_start(pictures, rows))
    model.load_state_dict(found.state)
    return found, model.eval()


@pytest.fixture
def network(single_frames):
    return single_frames[1]


@pytest.fixture
def single(single_frames, sets):
    """The single-frame network and what it says of both sets."""
    found, model = single_frames
    return found, [frames(found, model, bodies) for bodies in sets]
