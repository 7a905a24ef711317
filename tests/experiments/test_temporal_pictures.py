"""Training on from pictures: what is frozen stays, what learns moves, and the start is the trained network's answer."""

import numpy as np
import pytest
import torch

from posebook.experiments import temporal
from posebook.experiments.temporal_pictures import START, PictureLoss, PictureVIBE, look_again, train_on


@pytest.fixture
def start(single, sets, sizes, judge):
    """The network's windows of both sets, and the variant that both rows go on from."""
    outcome, found = single
    data = [temporal.clip_data(f, b, 6, 6, 0.5) for f, b in zip(found, sets, strict=True)]
    variant = temporal.Variant(START)
    made = temporal.train_variant(variant, sizes, "procedural", outcome, *data, sets[1], judge, 0, "cpu")
    return data, made


def test_pictures_say_what_their_features_say(single, sets, sizes, network, start):
    data, made = start
    vibe = temporal.trained_model(temporal.Variant(START), sizes, single[0].state, made)
    window = data[1].windows[:2]
    model = PictureVIBE(network, vibe, frozen=True).eval()
    with torch.no_grad():
        from_pictures, rows = PictureLoss(temporal.Variant(START), data[1], sets[1]).answer(model, window)
        from_features = vibe(data[1].features[window])
    assert torch.equal(rows, window)
    assert torch.allclose(from_pictures.rotmat, from_features.rotmat, atol=1e-4)
    assert torch.allclose(look_again(network, sets[1]), data[1].features, atol=1e-5)


@pytest.mark.parametrize("frozen", [True, False])
def test_only_what_may_learn_moves(frozen, single, sets, sizes, judge, network, start):
    data, made = start
    before = {k: v.clone() for k, v in network.state_dict().items()}
    args = (frozen, sizes, single[0], network, made, data[0], sets[0], sets[1], judge, 0, "cpu")
    found = train_on(*args)
    assert found.predictions["joints3d"].shape == (48, 17, 3) and np.isfinite(found.history.losses).all()
    own = {k.removeprefix("hmr."): v for k, v in found.state.items() if k.startswith("hmr.")}
    moved = {k for k, v in own.items() if not torch.equal(v, before[k])}
    assert (not moved) if frozen else {"conv1.weight", "layer4.0.conv1.weight"} <= moved
    assert not {k for k in moved if k.startswith(("fc", "dec")) or "running" in k}  # unused heads, statistics
    assert not torch.equal(found.state["vibe.encoder.linear.weight"], made.state["encoder.linear.weight"])
    for k, v in network.state_dict().items():  # the caller's network is untouched
        assert torch.equal(v, before[k])
    again = train_on(*args)
    assert again.history == found.history  # from the cache
