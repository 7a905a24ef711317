"""Made-up official files of the papers' sizes that take no disk, and a made-up licensed SMPL file."""

import numpy as np
import pytest
import torch

from posebook.joints import SMPL24
from posebook.models.hmr import HMR, Regressor
from posebook.models.i2l import I2LMeshNet
from posebook.models.tcmr import TCMR
from posebook.models.vibe import VIBE

V, F = 6890, 13776
STANDING = torch.tensor([1.0, 0, 0, 1, 0, 0]).repeat(24)  # 6D of no rotation


def blank(kind, *sizes):
    """State of a paper's network: every array is one zero, seen through zero strides."""
    with torch.device("meta"):
        if kind is I2LMeshNet:
            joints, vertices, rotations = sizes
            network = I2LMeshNet(joints, vertices, torch.empty(joints, vertices), rotation_num=rotations)
        else:
            means = [torch.empty(n) for n in (144, 10, 3)]
            network = HMR(None, *means) if kind is HMR else kind(Regressor(None, *means))
    return {k: torch.zeros((), dtype=v.dtype).expand(v.shape) for k, v in network.state_dict().items()}


def start(state, prefix=""):
    """A regressor that stands upright: its means are all it says."""
    means = {"init_pose": STANDING[None], "init_cam": torch.tensor([[0.9, 0, 0]])}
    return state | {f"{prefix}{k}": v for k, v in means.items()}


def i2l(joints=29, vertices=V, rotations=24, layer=7):
    state = blank(I2LMeshNet, joints, vertices, rotations)
    state["param_regressor.fc_pose.0.bias"] = STANDING[: 6 * rotations].clone()
    network = {f"module.{k}": v for k, v in state.items()}
    network |= {f"module.human_model_layer.th_{i}": torch.zeros(2) for i in range(layer)}
    return {"epoch": 17, "network": network, "optimizer": {"state": {}, "param_groups": []}}


def spin():
    body = {f"smpl.{name}": torch.zeros(2, 3) for name in ("betas", "v_template")}
    return {"model": start(blank(HMR)) | body}


def video(kind, performance=56.5, judged=False):
    state = start(blank(kind), "regressor.") | {"regressor.smpl.v_template": torch.zeros(2, 3)}
    content = {"epoch": 21, "performance": np.float64(performance), "gen_optimizer": {}, "gen_state_dict": state}
    return content | ({"disc_motion_state_dict": {"fc.bias": torch.zeros(1)}} if judged else {})


CONTENTS = {
    "i2l-h36m": i2l,
    "i2l-hand": lambda: i2l(21, 778, 16, 9),
    "spin": spin,
    "vibe-wo-3dpw": lambda: video(VIBE, judged=True),
    "tcmr-table4-3dpw": lambda: video(TCMR),
}


@pytest.fixture(scope="session")
def contents():
    """name -> what the official training would have saved, made once."""
    made = {}
    return lambda name: made.setdefault(name, CONTENTS[name]())


@pytest.fixture(scope="session")
def smpl_arrays():
    """Arrays of SMPL's shapes: the left half is numbered first, as SMPL's is."""
    rng = np.random.default_rng(0)
    rows = np.zeros((24, V))
    for j in range(24):
        rows[j, rng.integers(0, V, 10)] = 0.1
    parents = np.array([2**32 - 1, *SMPL24.parents[1:]], dtype=np.uint32)
    weights = np.zeros((V, 24))
    weights[:, 0] = 1
    return {"v_template": rng.normal(0, 0.3, (V, 3)), "shapedirs": np.zeros((V, 3, 10)),
            "posedirs": np.zeros((V, 3, 207), np.float32), "weights": weights,
            "J_regressor": rows / rows.sum(1, keepdims=True), "f": rng.integers(0, V, (F, 3)).astype(np.uint32),
            "kintree_table": np.stack([parents, np.arange(24, dtype=np.uint32)])}  # fmt: skip


@pytest.fixture(scope="session")
def h36m_rows():
    """(17, 6890) as SPIN's J_regressor_h36m: one vertex a joint, left leg first."""
    rows = np.zeros((17, V))
    rows[range(17), [0, 100, 101, 102, 4000, 4001, 4002, *range(200, 210)]] = 1
    return rows


@pytest.fixture
def folder(tmp_path, smpl_arrays, h36m_rows):
    """A weights folder with the licensed and the open arrays, but without weights."""
    np.savez(tmp_path / "smpl.npz", **smpl_arrays)
    np.save(tmp_path / "J_regressor_h36m.npy", h36m_rows)
    np.save(tmp_path / "J_regressor_extra.npy", np.eye(9, V))
    return tmp_path


@pytest.fixture
def put(folder, contents):
    """put(name, content=None, file=...) -> path of a saved official file."""
    from posebook.weights import known_weights

    def save(name, content=None, zipped=True):
        path = folder / known_weights(name).files[0]
        torch.save(contents(name) if content is None else content, path, _use_new_zipfile_serialization=zipped)
        return path

    return save
