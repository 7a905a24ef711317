"""The body layer inside the network, and the network's joint regressor."""

import contextlib
import io

import numpy as np
import pytest
import smplx
import torch
from smplx.utils import Struct

from posebook.errors import PosebookError
from posebook.models.i2l import MANO_ORDER, MANO_TIPS, SMPL_POINTS, joint_regressor
from posebook.models.i2l.body import PosedBody
from posebook.models.i2l.param_regressor import pose_to_rotations


@pytest.mark.parity
def test_body_regressor_is_the_recorded_one(recorded, recorded_body):
    assert torch.equal(joint_regressor(recorded_body.J_regressor, SMPL_POINTS), recorded["joint_regressor"])


def test_hand_regressor_orders_wrist_then_fingers():
    """MANO's rows: wrist, then index, middle, pinky, ring, thumb; tips 16..20: thumb, index, middle, ring, pinky."""
    rows = torch.zeros(16, 778)
    rows[range(16), range(16)] = 1  # row k reads vertex k
    picked = joint_regressor(rows, MANO_TIPS, MANO_ORDER).argmax(1).tolist()
    fingers = {"index": [1, 2, 3, 317], "middle": [4, 5, 6, 445], "pinky": [7, 8, 9, 673], "ring": [10, 11, 12, 556],
               "thumb": [13, 14, 15, 745]}  # fmt: skip
    assert picked == [0] + sum((fingers[f] for f in ("thumb", "index", "middle", "ring", "pinky")), [])


def test_points_of_another_mesh_are_refused():
    with pytest.raises(PosebookError, match="mesh of 778"):
        joint_regressor(torch.zeros(24, 778), SMPL_POINTS)


@pytest.mark.parity
def test_hand_adds_the_mean_pose_to_the_axis_angles(parity):
    """Against smplx.MANO's own forward pass."""
    arrays = parity.fill.body_i2l("mano")
    kept = {k: arrays[k] for k in ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "f", "hands_mean")}
    kept["kintree_table"] = np.stack([np.array(arrays["parents"]), np.arange(16)])
    kept["hands_components"] = np.eye(45, dtype=np.float32)
    with contextlib.redirect_stdout(io.StringIO()):
        mano = smplx.MANO(model_path="", data_struct=Struct(**kept), use_pca=False, flat_hand_mean=False)
    generator = torch.Generator().manual_seed(0)
    pose = torch.randn(2, 48, generator=generator) * 0.5
    shape = torch.randn(2, 10, generator=generator)
    wanted = mano(betas=shape, global_orient=pose[:, :3], hand_pose=pose[:, 3:]).vertices
    body = PosedBody(mano)
    assert body.rotations == 16 and not body.state_dict()
    torch.testing.assert_close(body(pose_to_rotations(pose), shape), wanted, atol=1e-5, rtol=0)
