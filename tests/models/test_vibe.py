"""VIBE's generator against recorded outputs, and its clip evaluation against a loop over windows."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.hmr import HMR, Regressor
from posebook.models.vibe import VIBE, TemporalEncoder, VIBEDemo, vibe_clip


@pytest.fixture(scope="module")
def generator(parity, vibe_body, vibe_means):
    network = VIBE(Regressor(vibe_body, *vibe_means)).eval()
    return network, parity.fill.fill_vibe(network.state_dict())


@pytest.mark.parity
def test_keys_and_sizes(vibe_recorded, generator):
    network, filled = generator
    found = {k: list(v.shape) for k, v in network.state_dict().items()}
    own = {k: shape for k, (shape, _) in vibe_recorded["gen_shapes"].items() if ".smpl." not in k}
    assert found == own and set(filled) == set(vibe_recorded["gen_filled"])
    count = sum(p.numel() for p in network.parameters()) + 64 * (10 + 3 + 69)  # the paper's: with smplx's parameters
    assert count == pytest.approx(21.315e6, abs=500)
    assert sum(p.numel() for p in network.encoder.parameters()) == pytest.approx(17.840e6, abs=500)


@pytest.mark.parity
def test_encoder(vibe_recorded, generator):
    recorded = vibe_recorded["gen"]
    with torch.no_grad():
        found = generator[0].encoder(recorded["input"])
    torch.testing.assert_close(found, recorded["feature"], atol=1e-5, rtol=0)


@pytest.mark.parity
def test_generator(vibe_recorded, vibe_arrays, generator, same_bodies):
    recorded = vibe_recorded["gen"]
    rows = torch.as_tensor(vibe_arrays["J_regressor_h36m"]).float()
    with torch.no_grad():
        same_bodies(generator[0](recorded["input"]), recorded["plain"], 1e-5)
        same_bodies(generator[0](recorded["input"], J_regressor=rows), recorded["h36m14"], 1e-5)


@pytest.mark.parity
def test_another_length(vibe_recorded, generator, same_bodies):
    with torch.no_grad():
        same_bodies(generator[0](vibe_recorded["gen_len5"]["input"]), vibe_recorded["gen_len5"]["out"], 1e-5)


VARIANTS = ("uni_nolinear_2048", "bi_512", "uni_1024_nolinear_res", "uni_1024_linear_nores")


@pytest.mark.parity
@pytest.mark.parametrize("name", VARIANTS)
def test_encoder_variants(parity, vibe_recorded, name):
    recorded = vibe_recorded["encoder_variants"][name]
    options = {"add_linear": False} | recorded["kwargs"]  # the official default
    options["hidden"] = options.pop("hidden_size")
    encoder = TemporalEncoder(**options).eval()
    assert {k: list(v.shape) for k, v in encoder.state_dict().items()} == recorded["shapes"]
    parity.fill.fill_vibe(encoder.state_dict())
    with torch.no_grad():
        found = encoder(vibe_recorded["gen"]["input"][:1, :6])
    assert found.shape[-1] == encoder.width == recorded["width"]
    torch.testing.assert_close(found[..., :256], recorded["out"], atol=1e-5, rtol=0)


@pytest.mark.parity
def test_demo_from_pictures(parity, vibe_recorded, vibe_body, vibe_means, same_bodies):
    network = VIBEDemo(Regressor(vibe_body, *vibe_means), HMR(vibe_body, *vibe_means)).eval()
    inside = network.hmr.state_dict()
    parity.fill.fill_vibe(network.state_dict())
    parity.fill.fill_vibe(inside)  # the backbone's names are hashed without their prefix
    assert {k.split(".")[0] for k in network.state_dict()} == {"encoder", "regressor", "hmr"}
    images = parity.fill.normal("input:img", (2, 3, 224, 224))
    with torch.no_grad():
        same_bodies(network(images[None]), vibe_recorded["demo"], 1e-4)


@pytest.mark.parametrize("frames", [1, 15, 16, 37])
def test_clip_is_a_loop_over_windows(small_regressor, frames):
    network, features = VIBE(small_regressor, hidden=12).eval(), torch.randn(frames, 16)
    with torch.no_grad():
        found = vibe_clip(network, features)
        loop = [network(part[None]) for part in features.split(16)]
        whole = vibe_clip(network, features, window=None)
        for got, parts in ((found, loop), (whole, [network(features[None])])):
            for field in ("theta", "kp_2d", "kp_3d", "rotmat"):
                wanted = torch.cat([getattr(part, field)[0] for part in parts])
                torch.testing.assert_close(getattr(got, field), wanted, atol=1e-5, rtol=0)
    assert (frames > 16) != torch.equal(found.theta, whole.theta)


def test_refusals(small_regressor):
    with pytest.raises(PosebookError, match="gives 8 numbers, the regressor reads 16"):
        VIBE(small_regressor, hidden=8, add_linear=False)
    network = VIBE(small_regressor, hidden=8)
    with pytest.raises(PosebookError, match=r"features \(N, T, 16\), got \(5, 16\)"):
        network(torch.zeros(5, 16))
    with pytest.raises(PosebookError, match=r"features \(T, F\)"):
        vibe_clip(network, torch.zeros(1, 5, 16))
    with pytest.raises(PosebookError, match="at least 1 frame"):
        vibe_clip(network, torch.zeros(5, 16), window=0)
