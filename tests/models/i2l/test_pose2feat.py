"""The folded convolution against the volume, and the volume against the spec's formula, bin by bin."""

import math

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.i2l import gaussian_volume
from posebook.models.i2l.pose2feat import Pose2Feat


def test_volume_is_the_formula():
    joints = torch.tensor([[[1.25, 4.0, 6.5], [-3.0, 7.0, 0.0]]], dtype=torch.float64)
    volume = gaussian_volume(joints, 8)
    assert volume.shape == (1, 2, 8, 8, 8)
    for j, (x, y, z) in enumerate(joints[0].tolist()):
        for bin_z, bin_y, bin_x in ((0, 0, 0), (6, 4, 1), (7, 3, 5), (2, 7, 0)):
            square = (bin_x - x) ** 2 + (bin_y - y) ** 2 + (bin_z - z) ** 2
            assert volume[0, j, bin_z, bin_y, bin_x].item() == pytest.approx(math.exp(-square / (2 * 2.5**2)))


def _pair(joints, channels, bins):
    torch.manual_seed(0)
    folded = Pose2Feat(joints, channels, bins).double()
    whole = Pose2Feat(joints, channels, bins, materialise=True).double()
    torch.nn.init.normal_(folded.conv[0].weight)
    torch.nn.init.normal_(folded.conv[0].bias)
    whole.load_state_dict(folded.state_dict())
    return folded, whole


@pytest.mark.parametrize("batch", [1, 3])
def test_folded_equals_materialised_with_gradients(batch):
    folded, whole = _pair(5, 7, 16)
    # Joints in the middle, at the edges (zero padding matters) and outside.
    joints = torch.tensor([[0.0, 15.0, 7.5], [15.0, 0.0, 15.0], [7.2, 8.9, 3.3], [-4.0, 20.0, 1.0], [0.4, 0.2, 30.0]])
    joints = joints.double().expand(batch, -1, -1) + 0.1 * torch.arange(batch).double().view(-1, 1, 1)
    early = torch.rand(batch, 7, 16, 16, dtype=torch.float64)
    results = []
    for layer in (folded, whole):
        inputs = [early.clone().requires_grad_(), joints.clone().requires_grad_()]
        out = layer.eval()(*inputs)
        out.square().sum().backward()
        results.append([out, inputs[0].grad, inputs[1].grad, *(p.grad for p in layer.parameters())])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-9, rtol=1e-9)


def test_folded_equals_materialised_in_training():
    folded, whole = _pair(3, 4, 8)
    early, joints = torch.rand(2, 4, 8, 8).double(), 8 * torch.rand(2, 3, 3).double()
    torch.testing.assert_close(folded(early, joints), whole(early, joints))
    torch.testing.assert_close(folded.conv[1].running_mean, whole.conv[1].running_mean)


def test_folded_form_makes_no_volume():
    """Nothing of the volume's size is allocated on the way."""
    seen = []

    class Sizes(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            seen.extend(t.numel() for t in (out if isinstance(out, (tuple, list)) else (out,)) if torch.is_tensor(t))
            return out

    layers = _pair(4, 2, 32)
    volume = 4 * 32**3
    for layer, makes in zip(layers, (False, True), strict=True):
        seen.clear()
        with torch.no_grad(), Sizes():
            layer.eval()(torch.rand(1, 2, 32, 32).double(), torch.rand(1, 4, 3).double())
        assert (max(seen) >= volume) == makes


def test_shapes_that_do_not_fit_are_refused():
    layer = Pose2Feat(3, 4, 8)
    for early, joints in ((torch.rand(1, 4, 8, 9), torch.rand(1, 3, 3)), (torch.rand(1, 4, 8, 8), torch.rand(1, 2, 3))):
        with pytest.raises(PosebookError, match="Pose2Feat"):
            layer(early, joints)


def test_a_start_from_the_image_hands_the_early_feature_on_and_leaves_the_joints_weights_alone():
    torch.manual_seed(1)
    layer = Pose2Feat(3, 4, 8)
    joints_part = layer.conv[0].weight[:, 4:].clone()
    layer.start_from_image()
    assert torch.equal(layer.conv[0].weight[:, 4:], joints_part)
    early = torch.rand(2, 4, 8, 8)
    far = torch.full((2, 3, 3), 1e4)  # Gaussians that reach no bin
    torch.testing.assert_close(layer.conv[0](torch.cat((early, gaussian_volume(far, 8).flatten(1, 2)), 1)), early)
