"""The losses against recorded values, and at the edges."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.hmr import BodyOutput
from posebook.models.motion_discriminator import MotionDiscriminator, body_pose
from posebook.models.temporal_losses import (
    TCMR_WEIGHTS,
    VIBE_WEIGHTS,
    BodyTargets,
    discriminator_losses,
    frame_of,
    frame_targets,
    generator_loss,
    temporal_losses,
)
from posebook.rotations import axis_angle_to_matrix


@pytest.fixture(scope="module")
def batch(vibe_recorded):
    """Prediction of 2 + 3 windows, targets of the last 3, keypoints of the first 2."""
    recorded = vibe_recorded["loss"]
    made, data = recorded["generator_outputs"], recorded["data_3d"]
    rotations = axis_angle_to_matrix(made["theta"][..., 3:75].unflatten(-1, (24, 3)))
    predicted = BodyOutput(made["theta"], None, made["kp_2d"], made["kp_3d"], rotations)
    targets = BodyTargets(data["kp_2d"], data["kp_3d"], data["theta"], data["w_3d"], data["w_smpl"])
    return predicted, targets, recorded["data_2d"]["kp_2d"]


@pytest.fixture(scope="module")
def discriminator(parity):
    network = MotionDiscriminator().eval()
    parity.fill.fill_vibe(network.state_dict())
    return network


def _last(predicted, first):
    return BodyOutput(*(None if value is None else value[first:] for value in predicted))


@pytest.mark.parity
@pytest.mark.parametrize("only_3d", [False, True])
def test_all_terms(vibe_recorded, batch, discriminator, only_3d):
    recorded = vibe_recorded["loss"]
    wanted = recorded["only3d"] if only_3d else recorded
    predicted, targets, keypoints = batch
    if only_3d:
        predicted, keypoints = _last(predicted, 2), None
    with torch.no_grad():
        fake = discriminator(body_pose(predicted.theta))
        real = discriminator(body_pose(recorded["mosh"]["theta"]))
        made = temporal_losses(predicted, targets, keypoints, fake)
        judged = discriminator_losses(real, fake)
    pairs = {
        "loss_kp_2d": made.keypoints, "loss_kp_3d": made.joints, "loss_shape": made.shape, "loss_pose": made.pose,
        "e_m_disc_loss": made.adversarial, "d_m_disc_real": judged.real, "d_m_disc_fake": judged.fake,
        "d_m_disc_loss": judged.total,
    }  # fmt: skip
    for name, value in pairs.items():
        torch.testing.assert_close(value, wanted["parts"][name], rtol=1e-5, atol=0, msg=lambda m, n=name: f"{n}: {m}")
    torch.testing.assert_close(made.total, wanted["gen_loss"], rtol=1e-5, atol=0)
    torch.testing.assert_close(judged.total, wanted["dis_loss"], rtol=1e-5, atol=0)


@pytest.mark.parity
def test_weights(vibe_recorded):
    recorded = vibe_recorded["loss"]["weights"]
    assert recorded == {
        "e_loss_weight": VIBE_WEIGHTS.keypoints, "e_3d_loss_weight": VIBE_WEIGHTS.joints,
        "e_pose_loss_weight": VIBE_WEIGHTS.pose, "e_shape_loss_weight": VIBE_WEIGHTS.shape,
        "d_motion_loss_weight": VIBE_WEIGHTS.adversarial,
    }  # fmt: skip
    assert TCMR_WEIGHTS == VIBE_WEIGHTS._replace(adversarial=0)


@pytest.mark.parity
def test_least_squares_gan(vibe_recorded):
    recorded = vibe_recorded["lsgan"]
    found = discriminator_losses(recorded["real"], recorded["fake"], weight=1)
    for value, wanted in zip((*found, found.total), recorded["d"], strict=True):
        torch.testing.assert_close(value, wanted)
    torch.testing.assert_close(generator_loss(recorded["fake"]), recorded["g"])


def test_without_bodies_or_joints_the_terms_are_zero_and_gradients_finite(batch):
    predicted, targets, keypoints = batch
    predicted = BodyOutput(*(None if v is None else v.clone().requires_grad_() for v in predicted))
    none = targets._replace(has_joints=0 * targets.has_joints, has_body=0 * targets.has_body)
    found = temporal_losses(predicted, none, keypoints)
    assert [v.item() for v in found[1:]] == [0, 0, 0, 0] and found.total.item() == found.keypoints.item() > 0
    found.total.backward()
    assert all(v.grad.isfinite().all() for v in (predicted.theta, predicted.kp_2d, predicted.kp_3d, predicted.rotmat))


def test_only_what_counts_counts(batch):
    """Frames without joints or body, joints outside LSP's 14, and a moved person change nothing."""
    predicted, targets, keypoints = batch
    joints, theta, kp_2d = targets.joints.clone(), targets.theta.clone(), targets.keypoints.clone()
    joints[targets.has_joints == 0] = 9
    joints[..., :25, :] = 7
    joints[..., 39:, :] = 7
    joints += torch.tensor([1.0, -2.0, 30.0])
    theta[targets.has_body == 0] = 3
    theta[..., :3] = 5
    kp_2d[..., :2][kp_2d[..., 2] == 0] = 100
    changed = targets._replace(joints=joints, theta=theta, keypoints=kp_2d)
    for old, new in zip(temporal_losses(predicted, targets, keypoints), temporal_losses(predicted, changed, keypoints),
                        strict=True):  # fmt: skip
        torch.testing.assert_close(new, old, rtol=1e-4, atol=1e-6)


def test_tcmr_asks_all_three_for_one_frame(batch):
    predicted, targets, keypoints = batch
    found = frame_targets(targets)
    for values, whole in zip(found, targets, strict=True):
        assert values.shape[1] == 3
        assert all(torch.equal(values[:, k], whole[:, 8]) for k in range(3))
    three = BodyOutput(*(None if v is None else v[:, 5:8] for v in predicted))
    together = temporal_losses(three, found, frame_of(keypoints), weights=TCMR_WEIGHTS)
    alone = [
        temporal_losses(BodyOutput(*(None if v is None else v[:, k : k + 1] for v in three)),
                        frame_targets(targets, copies=1), frame_of(keypoints, copies=1)).total
        for k in range(3)
    ]  # fmt: skip
    torch.testing.assert_close(together.total, sum(alone) / 3)


def test_wrong_counts_are_refused(batch):
    predicted, targets, keypoints = batch
    with pytest.raises(PosebookError, match="predicted.theta: .* for 0 windows with 2D and then 3 with 3D"):
        temporal_losses(predicted, targets)
    with pytest.raises(PosebookError, match=r"targets.has_body: expected \(3, 16\)"):
        temporal_losses(predicted, targets._replace(has_body=targets.has_body[:, 0]), keypoints)
