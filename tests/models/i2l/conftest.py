"""The recorded body and network, built once: 0.6 GB and some seconds."""

import contextlib
import io

import numpy as np
import pytest
import smplx
import torch
from smplx.utils import Struct

from posebook.models.i2l import SMPL_POINTS, I2LMeshNet, joint_regressor


def smplx_layer(arrays: dict) -> smplx.SMPL:
    """A real smplx layer of fill.py's meaningless body."""
    kept = {k: arrays[k] for k in ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "f")}
    kept["kintree_table"] = np.stack([np.array(arrays["parents"]), np.arange(24)])
    with contextlib.redirect_stdout(io.StringIO()):
        return smplx.SMPL(model_path="", data_struct=Struct(**kept))


@pytest.fixture(scope="session")
def recorded(parity):
    return parity.load("i2l_body.pt")


@pytest.fixture(scope="session")
def recorded_body(parity):
    return smplx_layer(parity.fill.body_i2l("smpl"))


@pytest.fixture(scope="session")
def filled(parity, recorded_body):
    """The paper's body network with the recorded weights, and the names that were filled."""
    regressor = joint_regressor(recorded_body.J_regressor, SMPL_POINTS)
    network = I2LMeshNet(29, 6890, regressor, recorded_body)
    return network, parity.fill.fill_i2l(network.state_dict())


@pytest.fixture
def paper(filled):
    """That network, in eval mode and with its recorded running statistics, whatever a test does to them."""
    network, _ = filled
    kept = {name: b.clone() for name, b in network.named_buffers() if "running" in name or "tracked" in name}
    yield network.eval()
    network.zero_grad(set_to_none=True)
    network.eval().pose2feat.materialise = False
    for name, buffer in network.named_buffers():
        if name in kept:
            buffer.copy_(kept[name])


SMALL = {"depth": 18, "width": 8}


@pytest.fixture
def small(parity):
    """8 joints, 12 vertices, 64 pixels: the same code in milliseconds; filled, so that points differ."""
    regressor = torch.rand(8, 12, generator=torch.Generator().manual_seed(0)).softmax(1)
    network = I2LMeshNet(8, 12, regressor, rotation_num=3, image_size=64, trunk=SMALL, hidden=16).eval()
    parity.fill.fill_i2l(network.state_dict())
    return network
