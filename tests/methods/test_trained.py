"""Our cached networks: which weights are taken, and which are not."""

import os

import pytest
import torch

from posebook.experiments import hmr, temporal
from posebook.experiments.outcome import Outcome, save_outcome
from posebook.methods import trained
from posebook.methods.trained import cached_states, newest, related, trained_methods, video_methods
from posebook.own_body import using_body
from posebook.profile import smoke
from posebook.train import History


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """keep(row, state, images, age): an entry, so many seconds old, of a notebook or, in turn, of `posebook train`."""
    monkeypatch.setattr(trained, "cache_dir", lambda *parts: tmp_path.joinpath(*parts))

    def keep(row, state, images=100, age=0):
        count = len(list(tmp_path.glob("*/*")))
        folder = tmp_path / ("variants", "trained")[count % 2] / f"{row}-{count}"
        folder.mkdir(parents=True)
        history = History(*([] for _ in History._fields))
        save_outcome(Outcome(row, {}, history, 1, 1.0, images, 1.0, state, 1.0), folder)
        time = (folder / "outcome.json").stat().st_mtime - age
        os.utime(folder / "outcome.json", (time, time))

    return keep


def filled(network, value):
    return {k: torch.full_like(v, value) for k, v in network.state_dict().items()}


def test_the_newest_weights_that_fit_are_taken(cache):
    network = torch.nn.Linear(3, 2)
    cache("net", filled(network, 1.0), age=30)
    cache("net", filled(network, 2.0), age=20)
    cache("net", filled(torch.nn.Linear(4, 2), 3.0), age=10)  # another size
    cache("net", filled(network, 4.0), images=5000)  # another profile's budget
    cache("other", filled(network, 5.0))
    assert len(list(cached_states("net"))) == 4
    found = newest("net", network, 101)
    assert (network.weight == 2).all() and found.images_seen == 100 and not network.training
    assert newest("net", network, 100, lambda state: state["bias"][0] == 1.0)
    assert (network.weight == 1).all()
    assert newest("nothing", network, 100) is None and newest("net", network, 10) is None


def test_weights_of_another_body_are_not_drawn_on_the_free_one(cache):
    network = torch.nn.Linear(3, 2)
    cache("net", filled(network, 1.0), age=30)
    with using_body("/models/SMPL_NEUTRAL.npz"):
        cache("net", filled(network, 2.0))
    assert newest("net", network, 100) and (network.weight == 1).all()


def test_nothing_cached_means_a_sentence_for_each(cache, body_cache):
    found, missing = trained_methods(smoke())
    assert found == []
    assert [m.name for m in missing] == ["C2F volume", "NBF, RGB", "I2L lixel", "SMPL parameters",
                                         "self-supervised lifting", "single frames", "VIBE", "TCMR"]  # fmt: skip
    assert missing[0].remedy == "posebook run 01 --profile smoke" and "04" in missing[-1].remedy


def test_a_video_network_is_joined_to_the_backbone_it_learnt_from(cache, body_cache):
    sizes = smoke()
    torch.manual_seed(0)
    start = torch.zeros(144), torch.zeros(10), torch.zeros(3)
    ours, strange = (hmr.build_hmr(sizes, start).state_dict() for _ in range(2))
    vibe = next(v for v in temporal.variants() if v.row == "VIBE")
    own, other = (temporal.build_model(vibe, sizes, state).state_dict() for state in (ours, strange))
    assert related(own, ours) and not related(other, ours)
    t = sizes.temporal
    cache(hmr.ROW, ours, t.hmr_images, age=50)
    cache("VIBE", own | {"critic.fc.bias": torch.zeros(1)}, t.windows_seen, age=20)
    cache("VIBE", other, t.windows_seen)
    methods = video_methods(sizes)
    assert [m.name for m in methods] == ["single frames", "VIBE"]
    crops = torch.rand(5, 3, sizes.data.image_size, sizes.data.image_size)
    for method in methods:
        answer = method(crops)
        assert answer.vertices.shape[0] == 5 and answer.root.shape == (5, 2) and answer.vertices.isfinite().all()
        assert "not for real photos" in method.warning
