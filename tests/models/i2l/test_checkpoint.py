"""Made-up official snapshots: right, wrong, cut, and hostile."""

import pickle

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.i2l import I2LMeshNet, load_official_i2l


def _snapshot(network, epoch=12):
    """What the official training writes: DataParallel's prefix, the body's arrays inside, Adam's state beside."""
    weights = {f"module.{k}": v.clone() for k, v in network.state_dict().items()}
    weights |= {f"module.human_model_layer.th_{n}": torch.rand(2, 3) for n in ("betas", "v_template", "J_regressor")}
    parameters = [p.detach().clone().requires_grad_() for p in list(network.parameters())[:3]]
    adam = torch.optim.Adam(parameters, lr=1e-4)
    sum(p.square().sum() for p in parameters).backward()
    adam.step()
    return {"epoch": epoch, "network": weights, "optimizer": adam.state_dict()}


def _other(small):
    torch.manual_seed(9)
    twin = I2LMeshNet(8, 12, small.joint_regressor, rotation_num=3, image_size=64, trunk={"depth": 18, "width": 8},
                      hidden=16)  # fmt: skip
    return twin.eval()


@pytest.mark.parametrize("zipped", [True, False])
def test_right_snapshot_loads(small, tmp_path, zipped):
    """Both of torch's file formats; the official files are of the older one."""
    path = tmp_path / "snapshot_12.pth.tar"
    torch.save(_snapshot(small), path, _use_new_zipfile_serialization=zipped)
    twin, image = _other(small), torch.rand(1, 3, 64, 64)
    weights = load_official_i2l(path, twin)
    assert weights.epoch == 12 and len(weights.dropped) == 3
    assert list(weights.state) == list(small.state_dict())
    with torch.no_grad():
        assert torch.equal(twin(image).mesh_img, small(image).mesh_img)


def _shapes(network):
    """A state of the paper's size that takes no disk: one number seen through zero strides."""
    return {k: torch.zeros((), dtype=v.dtype).expand(v.shape) for k, v in network.state_dict().items()}


@pytest.mark.parametrize(("joints", "vertices", "rotations"), [(29, 6890, 24), (21, 778, 16)], ids=["body", "hand"])
def test_paper_sizes_are_told_from_the_file(tmp_path, joints, vertices, rotations):
    with torch.device("meta"):
        network = I2LMeshNet(joints, vertices, torch.empty(joints, vertices), rotation_num=rotations)
    path = tmp_path / "snapshot_17.pth.tar"
    torch.save({"epoch": 17, "network": {f"module.{k}": v for k, v in _shapes(network).items()}}, path)
    assert path.stat().st_size < 1_000_000
    weights = load_official_i2l(path)
    assert len(weights.state) == 723
    network.load_state_dict(weights.state, strict=True, assign=True)


def _refused(path, *told, network=None):
    with pytest.raises(PosebookError) as caught:
        load_official_i2l(path, network)
    for text in told:
        assert text in str(caught.value), caught.value
    return str(caught.value)


def test_all_that_differs_is_listed_and_nothing_is_loaded(small, tmp_path):
    snapshot = _snapshot(small)
    del snapshot["network"]["module.pose_net.conv_x.0.bias"]
    snapshot["network"]["module.mesh_net.extra.weight"] = torch.zeros(3)
    snapshot["network"]["module.mesh_net.conv_y.0.weight"] = torch.zeros(13, 16, 1)
    torch.save(snapshot, tmp_path / "wrong.pth.tar")
    twin = _other(small)
    before = {k: v.clone() for k, v in twin.state_dict().items()}
    _refused(
        tmp_path / "wrong.pth.tar",
        "1 missing: pose_net.conv_x.0.bias",
        "1 unknown: mesh_net.extra.weight",
        "1 of another size: mesh_net.conv_y.0.weight (13, 16, 1) instead of (12, 16, 1)",
        network=twin,
    )
    assert all(torch.equal(before[k], v) for k, v in twin.state_dict().items())


def test_long_lists_are_shortened(small, tmp_path):
    torch.save({"network": {"module.other": torch.zeros(1)}}, tmp_path / "foreign.pth.tar")
    message = _refused(tmp_path / "foreign.pth.tar", "715 more", "1 unknown: other")
    assert len(message) < 1200


def test_old_hand_snapshot_gets_a_hint(small, tmp_path):
    snapshot = _snapshot(small)
    snapshot["network"]["module.param_regressor.fc_pose.0.weight"] = torch.zeros(144, 512)
    torch.save(snapshot, tmp_path / "old.pth.tar")
    _refused(tmp_path / "old.pth.tar", "2020-09-11", network=small)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.98])
def test_cut_file_is_refused(small, tmp_path, zipped, share):
    whole = tmp_path / "whole"
    torch.save(_snapshot(small), whole, _use_new_zipfile_serialization=zipped)
    cut = tmp_path / "snapshot_12.pth.tar"
    data = whole.read_bytes()
    cut.write_bytes(data[: int(len(data) * share)])
    _refused(cut, "could not be read", "cut off")


class _Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("kind", ["zip", "legacy", "plain"])
def test_code_in_the_file_is_never_run(small, tmp_path, kind):
    marker, path = tmp_path / "ran", tmp_path / "snapshot_1.pth.tar"
    snapshot = _snapshot(small) | {"hook": _Bomb(marker)}
    if kind == "plain":
        path.write_bytes(pickle.dumps({"network": {}, "hook": _Bomb(marker)}, protocol=2))
    else:
        torch.save(snapshot, path, _use_new_zipfile_serialization=kind == "zip")
    _refused(path, "could not be read", "never run")
    assert not marker.exists()


def test_other_files_are_refused(tmp_path):
    _refused(tmp_path / "nothing.pth.tar", "no checkpoint at")
    torch.save({"state_dict": {}}, tmp_path / "other.pth.tar")
    _refused(tmp_path / "other.pth.tar", "not an I2L-MeshNet snapshot", "state_dict")
    torch.save([1, 2], tmp_path / "list.pth.tar")
    _refused(tmp_path / "list.pth.tar", "not an I2L-MeshNet snapshot", "list")
