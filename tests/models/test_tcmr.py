"""TCMR: names and sizes, and its semantics against a twin written cell by cell."""

import pytest
import torch
from torch import nn

from posebook.errors import PosebookError
from posebook.models.hmr import Regressor
from posebook.models.tcmr import TCMR

SMPL_PARAMETERS = 64 * (10 + 3 + 69)  # smplx's own, counted by the spec


@pytest.fixture(scope="module")
def paper(vibe_means):
    with torch.device("meta"):
        return TCMR(Regressor(None, *(m.to("meta") for m in vibe_means)))


def _gru(name, inputs, hidden, layers, ends):
    sizes = {}
    for layer in range(layers):
        for end in ends:
            width = inputs if layer == 0 else hidden * len(ends)
            sizes[f"{name}.weight_ih_l{layer}{end}"] = (3 * hidden, width)
            sizes[f"{name}.weight_hh_l{layer}{end}"] = (3 * hidden, hidden)
            sizes |= {f"{name}.bias_{kind}_l{layer}{end}": (3 * hidden,) for kind in ("ih", "hh")}
    return sizes


def test_keys_and_sizes_of_the_paper(paper):
    wanted = _gru("gru_cur", 2048, 1024, 2, ("", "_reverse"))
    wanted |= _gru("gru_bef", 2048, 1024, 2, ("",)) | _gru("gru_aft", 2048, 1024, 2, ("",))
    for name, out, width in (("linear_cur", 2048, 2048), ("linear_bef", 2048, 1024), ("linear_aft", 2048, 1024),
                             ("attention.fc", 256, 2048), ("attention.attention.0", 256, 768),
                             ("attention.attention.2", 256, 256), ("attention.attention.4", 3, 256)):  # fmt: skip
        wanted |= {f"{name}.weight": (out, width), f"{name}.bias": (out,)}
    assert {k: tuple(v.shape) for k, v in paper.encoder.state_dict().items()} == wanted
    assert {k.split(".")[0] for k in paper.state_dict()} == {"encoder", "regressor"}
    assert sum(p.numel() for p in paper.encoder.parameters()) == pytest.approx(78.438e6, abs=500)
    assert sum(p.numel() for p in paper.parameters()) + SMPL_PARAMETERS == pytest.approx(81.913e6, abs=500)


def _network(regressor, **options):
    torch.manual_seed(5)
    network = TCMR(regressor, hidden=6, attention_size=8, **options).eval()
    for parameter in network.encoder.parameters():
        nn.init.normal_(parameter, std=0.4)
    return network


def _walk(gru, sequence, end=""):
    """One direction of a GRU by torch's cell, layer on layer is the caller's: list of (N, F) -> list of (N, H)."""
    cell = nn.GRUCell(sequence[0].shape[1], gru.hidden_size)
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        setattr(cell, name, nn.Parameter(getattr(gru, f"{name}_{end}").detach()))
    state, states = torch.zeros(len(sequence[0]), gru.hidden_size), []
    for x in sequence:
        state = cell(x, state)
        states.append(state)
    return states


def _stacked(gru, sequence):
    for layer in range(2):
        sequence = _walk(gru, sequence, f"l{layer}")
    return sequence[-1]


def _twin(encoder, x):
    """Past, current, future, integrated and scores of windows (N, 16, F), by the text of the specification."""
    frames = list(x.unbind(1))
    both = frames
    for layer in range(2):
        ahead = _walk(encoder.gru_cur, both, f"l{layer}")
        back = _walk(encoder.gru_cur, both[::-1], f"l{layer}_reverse")[::-1]
        both = [torch.cat(pair, 1) for pair in zip(ahead, back, strict=True)]
    vectors = [
        encoder.linear_bef(torch.relu(_stacked(encoder.gru_bef, frames[:8]))),
        encoder.linear_cur(torch.relu(both[8])),
        encoder.linear_aft(torch.relu(_stacked(encoder.gru_aft, [frames[t] for t in range(15, 8, -1)]))),
    ]
    reduced = torch.cat([encoder.attention.fc(v) for v in vectors], 1)
    mlp = encoder.attention.attention
    scores = torch.softmax(torch.tanh(mlp[4](torch.tanh(mlp[2](torch.tanh(mlp[0](reduced)))))), 1)
    return (*vectors, sum(scores[:, [k]] * v for k, v in enumerate(vectors)), scores)


@pytest.fixture
def windows():
    return torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(1))


def test_encoder_is_its_twin(small_regressor, windows):
    network = _network(small_regressor)
    with torch.no_grad():
        found, wanted = network.encoder(windows), _twin(network.encoder, windows)
    for value, twin in zip(found, wanted, strict=True):
        torch.testing.assert_close(value, twin, atol=1e-5, rtol=0)
    assert found.scores.std(0).min() > 1e-3  # the comparison means something


def test_who_sees_which_frame(small_regressor, windows):
    network = _network(small_regressor)
    with torch.no_grad():
        before = network.encoder(windows)
        for frame in range(16):
            changed = windows.clone()
            changed[:, frame] += 1
            after = network.encoder(changed)
            moved = [not torch.equal(a, b) for a, b in zip(before[:3], after[:3], strict=True)]
            assert moved == [frame < 8, True, frame > 8], frame


def test_training_gives_past_future_integrated(small_regressor, windows):
    network = _network(small_regressor)
    small_regressor.drop1.p = small_regressor.drop2.p = 0
    with torch.no_grad():
        encoded = network.encoder(windows)
        evaluated = network(windows)
        trained = network.train()(windows)
        wanted = [small_regressor(v).theta for v in (encoded.past, encoded.future, encoded.integrated)]
    assert evaluated.body.theta.shape == (3, 85) and trained.body.kp_3d.shape == (3, 3, 49, 3)
    torch.testing.assert_close(trained.body.theta, torch.stack(wanted, 1), atol=1e-5, rtol=0)
    torch.testing.assert_close(evaluated.body.theta, wanted[2], atol=1e-5, rtol=0)
    torch.testing.assert_close(trained.scores.sum(1), torch.ones(3))


def test_ablations(small_regressor, windows):
    network = _network(small_regressor, pose_forecast=False)
    assert {k.split(".")[0] for k in network.encoder.state_dict()} == {"gru_cur", "linear_cur"}
    twin = _network(small_regressor)
    twin.encoder.load_state_dict(network.encoder.state_dict(), strict=False)
    with torch.no_grad():
        alone = network.encoder(windows)
        torch.testing.assert_close(alone.integrated, twin.encoder(windows).current)
        assert network(windows).body.theta.shape == (3, 85) and network(windows).scores is None
        assert network.train()(windows).body.theta.shape == (3, 1, 85)
        for forecast in (True, False):
            plain, added = (_network(small_regressor, pose_forecast=forecast, residual=r).encoder(windows)
                            for r in (False, True))  # fmt: skip
            torch.testing.assert_close(added.integrated - plain.integrated, windows[:, 8])


def test_another_window_reads_its_own_middle(small_regressor):
    network = _network(small_regressor, window=5)
    x = torch.randn(2, 5, 16)
    with torch.no_grad():
        before, x[:, 2] = network.encoder(x), 9
        after = network.encoder(x)
    assert torch.equal(before.past, after.past) and torch.equal(before.future, after.future)
    assert not torch.equal(before.current, after.current)


def test_refusals(small_regressor):
    with pytest.raises(PosebookError, match=r"features \(N, 16, 16\), got \(2, 15, 16\)"):
        _network(small_regressor)(torch.zeros(2, 15, 16))
    with pytest.raises(PosebookError, match="got 2 frames"):
        _network(small_regressor, window=2)
