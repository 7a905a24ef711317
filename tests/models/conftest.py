"""VIBE's recording: the body it was made with, and networks on it."""

import contextlib
import io

import numpy as np
import pytest
import smplx
import torch
from smplx.utils import Struct

from posebook.models.hmr import BodyOutput, Regressor
from posebook.models.spin49 import SMPL_VERTEX_IDS
from posebook.models.spin_body import SpinBody, SpinJoints


@pytest.fixture(scope="session")
def vibe_recorded(parity):
    return parity.load("vibe.pt")


@pytest.fixture(scope="session")
def vibe_arrays(parity):
    return parity.fill.body_vibe()


@pytest.fixture(scope="session")
def vibe_layer(vibe_arrays):
    """A real smplx layer of the recording's body."""
    names = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "f", "kintree_table")
    kept = {name: vibe_arrays[name] for name in names}
    kept["f"] = kept["f"].astype(np.int64)
    with contextlib.redirect_stdout(io.StringIO()):
        return smplx.SMPL(model_path="", data_struct=Struct(**kept))


@pytest.fixture(scope="session")
def vibe_means(vibe_arrays):
    """(144,), (10,), (3,): where the regressor starts."""
    return tuple(torch.as_tensor(vibe_arrays[f"mean_{name}"]).float() for name in ("pose", "shape", "cam"))


@pytest.fixture(scope="session")
def vibe_body(vibe_arrays, vibe_layer):
    return SpinBody(vibe_layer, vibe_arrays["J_regressor_extra"], SMPL_VERTEX_IDS)


@pytest.fixture(scope="session")
def vibe_joints(vibe_arrays, vibe_layer):
    return SpinJoints(vibe_layer, vibe_arrays["J_regressor_extra"], SMPL_VERTEX_IDS)


@pytest.fixture
def small_regressor(vibe_joints, vibe_means):
    """16 features, 12 hidden, and heads large enough for the result to depend on the features."""
    torch.manual_seed(3)
    regressor = Regressor(vibe_joints, *vibe_means, features=16, hidden=12).eval()
    for head in (regressor.decpose, regressor.decshape, regressor.deccam):
        torch.nn.init.normal_(head.weight, std=0.05)
    return regressor


@pytest.fixture(scope="session")
def same_bodies():
    """Compare a BodyOutput with a recorded "out dict"."""

    def compare(found: BodyOutput, recorded: dict, tolerance: float) -> None:
        for key in ("theta", "kp_2d", "kp_3d", "rotmat"):
            if key in recorded:
                torch.testing.assert_close(getattr(found, key), recorded[key], atol=tolerance, rtol=0)
        thin = found.vertices[..., :: recorded["verts_every"], :]
        torch.testing.assert_close(thin, recorded["verts_thin"], atol=tolerance, rtol=0)
        vertices = found.vertices.double()
        torch.testing.assert_close(vertices.mean(-2), recorded["verts_mean"], atol=tolerance, rtol=0)
        torch.testing.assert_close(vertices.abs().mean(-2), recorded["verts_absmean"], atol=tolerance, rtol=0)

    return compare
