"""Six numbers to rotations, and their logarithm."""

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from posebook.models.i2l.param_regressor import ParamRegressor


def _with_numbers(numbers):
    """A regressor that answers these 6 R numbers whatever it is shown."""
    regressor = ParamRegressor(2, rotations=len(numbers) // 6).eval()
    torch.nn.init.zeros_(regressor.fc_pose[0].weight)
    regressor.fc_pose[0].bias.data = torch.tensor(numbers, dtype=torch.float32)
    return regressor


def test_numbers_are_read_row_by_row_as_two_columns():
    """Numbers 0, 2, 4 point along the first column, 1, 3, 5 along the second but for its share of the first."""
    rotation = _with_numbers([0, 5, 2, 1, 0, 0.0])(torch.rand(1, 2, 3)).rotations[0, 0]
    wanted = torch.tensor([[0, 1, 0], [1, 0, 0], [0, 0, -1.0]])  # columns y, x, y x x = -z
    torch.testing.assert_close(rotation, wanted)


def test_pose_is_scipys_logarithm():
    rng = np.random.default_rng(0)
    truth = Rotation.random(16, rng=rng)
    numbers = (truth.as_matrix()[:, :, :2] * rng.uniform(0.1, 9, (16, 1, 1))).ravel()  # lengths do not matter
    found = _with_numbers(numbers)(torch.rand(3, 2, 3))
    np.testing.assert_allclose(found.rotations[2].detach(), truth.as_matrix(), atol=1e-6)
    np.testing.assert_allclose(found.pose[2].view(16, 3).detach(), truth.as_rotvec(), atol=1e-4)


def test_gradient_at_the_identity_is_finite():
    regressor = _with_numbers([1, 0, 0, 1, 0, 0.0])
    regressor(torch.rand(1, 2, 3)).pose.sum().backward()
    assert regressor.fc_pose[0].bias.grad.isfinite().all()
