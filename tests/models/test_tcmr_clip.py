"""Whole-clip TCMR against one call of the network per frame."""

import pytest
import torch
from torch import nn

from posebook.errors import PosebookError
from posebook.models.tcmr import TCMR
from posebook.models.tcmr_clip import clip_windows, gru_step, gru_weights, tcmr_clip


def _network(regressor, **options):
    torch.manual_seed(5)
    network = TCMR(regressor, hidden=6, attention_size=8, **options).eval()
    for parameter in network.encoder.parameters():
        nn.init.normal_(parameter, std=0.4)
    return network


def _loop(network, features, window=16):
    """The official evaluation, frame by frame: 8 before and 7 after, or copies of the frame at the ends."""
    found, count = [], len(features)
    for t in range(count):
        inside = t >= window // 2 and t <= count - (window - window // 2)
        start = t - window // 2
        frames = features[start : start + window] if inside else features[t].expand(window, -1)
        found.append(network(frames[None]))
    return found


OPTIONS = (
    {}, {"n_layers": 1}, {"n_layers": 3}, {"pose_forecast": False}, {"residual": True}, {"window": 5},
    {"pose_forecast": False, "residual": True},
)  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(("frames", "batch"), [(45, 512), (45, 7), (16, 512), (9, 4), (1, 1)])
def test_clip_is_the_loop_over_its_windows(small_regressor, options, frames, batch):
    network = _network(small_regressor, **options)
    features = torch.randn(frames, 16, generator=torch.Generator().manual_seed(frames))
    with torch.no_grad():
        found = tcmr_clip(network, features, batch=batch)
        loop = _loop(network, features, network.encoder.window)
    for field in ("theta", "kp_2d", "kp_3d", "rotmat"):
        wanted = torch.cat([getattr(one.body, field) for one in loop])
        torch.testing.assert_close(getattr(found.body, field), wanted, atol=1e-5, rtol=0)
    assert found.body.vertices is None and found.body.theta.shape == (frames, 85)
    if options.get("pose_forecast", True):
        torch.testing.assert_close(found.scores, torch.cat([one.scores for one in loop]), atol=1e-5, rtol=0)
    else:
        assert found.scores is None


@pytest.mark.parametrize("frames", [1, 3, 20])
def test_ends_are_repeated_where_that_is_asked_for(small_regressor, frames):
    network, features = _network(small_regressor), torch.randn(frames, 16)
    with torch.no_grad():
        found = tcmr_clip(network, features, repeat_ends=True).body.kp_3d
        for t in range(frames):
            own = features[[min(max(k, 0), frames - 1) for k in range(t - 8, t + 8)]]
            torch.testing.assert_close(found[t : t + 1], network(own[None]).body.kp_3d, atol=1e-5, rtol=0)


def test_vertices_and_regressor_pass_through(small_regressor, vibe_body, vibe_arrays):
    small_regressor.body = vibe_body
    network, features = _network(small_regressor), torch.randn(18, 16)
    rows = torch.as_tensor(vibe_arrays["J_regressor_h36m"]).float()
    with torch.no_grad():
        found = tcmr_clip(network, features, rows, batch=10).body
        wanted = network(features[clip_windows(18)], J_regressor=rows).body
    torch.testing.assert_close(found.vertices, wanted.vertices, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.kp_3d, wanted.kp_3d, atol=1e-5, rtol=0)
    assert found.kp_3d.shape == (18, 14, 3)


def test_windows_are_padded_as_the_official_ones():
    windows = clip_windows(40)
    for t in range(40):
        copies = t < 8 or t >= 33  # the first 8 and the last 7
        assert windows[t].tolist() == ([t] * 16 if copies else list(range(t - 8, t + 8)))
    assert clip_windows(10).tolist() == [[t] * 16 for t in range(10)]
    assert len({tuple(w) for w in clip_windows(16).tolist()}) == 16


@pytest.mark.parametrize("backward", [False, True])
def test_step_is_torchs_gru(backward):
    torch.manual_seed(0)
    gru, x = nn.GRU(5, 4, 2, bidirectional=True), torch.randn(7, 3, 5)
    outputs = x
    for layer in range(2):
        ways = []
        for back in (False, True):
            weights, state, states = gru_weights(gru, layer, back), None, []
            for step in outputs.flip(0) if back else outputs:
                state = gru_step(weights.products(step), state, weights)
                states.append(state)
            ways.append(torch.stack(states[::-1] if back else states))
        outputs = torch.cat(ways, -1)
    half = slice(4, 8) if backward else slice(0, 4)
    torch.testing.assert_close(outputs[..., half], gru(x)[0][..., half])


def test_refusals(small_regressor):
    network = _network(small_regressor)
    for shape in ((1, 16, 16), (20, 15), (0, 16)):
        with pytest.raises(PosebookError, match=r"features \(T, 16\) with T >= 1"):
            tcmr_clip(network, torch.zeros(shape))
    with pytest.raises(PosebookError, match="network.eval"):
        tcmr_clip(network.train(), torch.zeros(20, 16))
    with pytest.raises(PosebookError, match="at least one frame"):
        clip_windows(0)
