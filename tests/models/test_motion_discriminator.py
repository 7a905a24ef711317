"""The motion discriminator against recorded outputs, and its shapes at the edges."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.motion_discriminator import POOLINGS, MotionDiscriminator, body_pose
from posebook.models.vibe import MotionDiscriminator as Exported


@pytest.mark.parity
@pytest.mark.parametrize("pooling", POOLINGS)
def test_three_poolings(parity, vibe_recorded, pooling):
    recorded = vibe_recorded["disc"]
    network = Exported(pooling).eval()
    found = {k: list(v.shape) for k, v in network.state_dict().items()}
    assert found == recorded[pooling]["shapes"]
    parity.fill.fill_vibe(network.state_dict())
    with torch.no_grad():
        score = network(recorded["input"])
    torch.testing.assert_close(score, recorded[pooling]["out"], atol=1e-5, rtol=0)


@pytest.mark.parity
def test_attention_alone(parity, vibe_recorded):
    network = MotionDiscriminator().eval()
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(11.763e6, abs=500)
    parity.fill.fill_vibe(network.state_dict())
    recorded = vibe_recorded["attention"]
    with torch.no_grad():
        found = network.attention(recorded["input"])
    torch.testing.assert_close(found.summary, recorded["rep"], atol=1e-5, rtol=0)
    torch.testing.assert_close(found.weights, recorded["scores"], atol=1e-5, rtol=0)


def _small(pooling, **options):
    torch.manual_seed(0)
    return MotionDiscriminator(pooling, hidden=8, attention_size=6, **options).eval()


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("frames", [1, 5])
def test_a_sequence_scores_the_same_alone_and_in_a_batch(pooling, frames):
    """Also one sequence of one frame, where the official code drops an axis or weighs over the batch."""
    network, poses = _small(pooling), torch.randn(3, frames, 69)
    with torch.no_grad():
        together = network(poses)
        alone = torch.cat([network(p[None]) for p in poses])
    assert together.shape == (3, 1) and network(poses[:1]).shape == (1, 1)
    torch.testing.assert_close(alone, together)
    assert together.std() > 0


def test_options():
    keys = _small("attention", attention_layers=2).state_dict().keys()
    assert {k.split(".")[2] for k in keys if k.startswith("attention")} == {"0", "3"}
    network = _small("last", spectral_norm=True)
    assert torch.linalg.matrix_norm(network.fc.weight, 2).item() == pytest.approx(1, abs=1e-4)


def test_dropout_is_off_in_eval_mode_only():
    network, poses = _small("attention"), torch.randn(4, 16, 69)
    assert torch.equal(network(poses), network(poses))
    assert not torch.equal(network.train()(poses), network(poses))


def test_body_pose_leaves_camera_orientation_and_betas():
    theta = torch.arange(85.0)
    assert body_pose(theta).tolist() == list(range(6, 75))
    with pytest.raises(PosebookError, match="85"):
        body_pose(theta[:82])


def test_refusals():
    with pytest.raises(PosebookError, match="attention, concat, last, got 'mean'"):
        MotionDiscriminator("mean", hidden=4)
    for shape in ((2, 16, 72), (16, 69), (2, 0, 69)):
        with pytest.raises(PosebookError, match="T >= 1"):
            _small("last")(torch.zeros(shape))
