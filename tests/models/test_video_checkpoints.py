"""Made-up official files of SPIN, VIBE and TCMR: right, wrong, cut, and hostile."""

import pickle

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.hmr import HMR, Regressor
from posebook.models.motion_discriminator import MotionDiscriminator
from posebook.models.tcmr import TCMR
from posebook.models.vibe import VIBE, VIBEDemo
from posebook.models.video_checkpoints import (
    load_official_spin,
    load_official_tcmr,
    load_official_vibe,
    spin_body_of,
)
from posebook.rotations import axis_angle_to_matrix

TRUNK = {"depth": 18, "width": 2}  # 16 features, as small_regressor's


def _regressor(body, means, seed):
    torch.manual_seed(seed)
    regressor = Regressor(body, *means, features=16, hidden=12).eval()
    for head in (regressor.decpose, regressor.decshape, regressor.deccam):
        torch.nn.init.normal_(head.weight, std=0.05)
    return regressor


@pytest.fixture
def make(vibe_joints, vibe_means):
    """make(kind, seed): a small network with its own weights."""

    def build(kind, seed):
        torch.manual_seed(seed)
        if kind is HMR:
            return HMR(vibe_joints, *vibe_means, hidden=12, trunk=TRUNK).eval()
        return kind(_regressor(vibe_joints, vibe_means, seed), hidden=6).eval()

    return build


def _with_body(state, prefix):
    """The official network's own copy of the body model, among the weights."""
    arrays = {"betas": (64, 10), "v_template": (5, 3), "vertex_joint_selector.extra_joints_idxs": (21,)}
    return {k: v.clone() for k, v in state.items()} | {f"{prefix}smpl.{k}": torch.zeros(s) for k, s in arrays.items()}


def _file(network, discriminator=None, kind=np.float64):
    """What the official training of VIBE and TCMR writes."""
    made = {"epoch": 21, "performance": kind(56.5), "gen_optimizer": {"state": {}, "param_groups": [{"lr": 5e-5}]},
            "gen_state_dict": _with_body(network.state_dict(), "regressor.")}  # fmt: skip
    return made if discriminator is None else made | {"disc_motion_state_dict": discriminator.state_dict()}


def _saved(content, path, zipped=True):
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


LOADERS = [(VIBE, load_official_vibe), (TCMR, load_official_tcmr)]


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("kind", [np.float64, np.float32, float])
@pytest.mark.parametrize(("network", "load"), LOADERS, ids=["vibe", "tcmr"])
def test_right_files_load(make, tmp_path, network, load, kind, zipped):
    """Both of torch's formats, with the NumPy number that torch alone refuses."""
    right, twin = make(network, 1), make(network, 2)
    path = _saved(_file(right, kind=kind), tmp_path / "model_best.pth.tar", zipped)
    if kind is not float:
        with pytest.raises(pickle.UnpicklingError):
            torch.load(path, weights_only=True)
    found = load(path, twin)
    assert (found.epoch, found.performance, found.discriminator) == (21, 56.5, None)
    assert list(found.state) == list(right.state_dict())
    assert set(found.body) == {"betas", "v_template", "vertex_joint_selector.extra_joints_idxs"}
    features = torch.rand(1, 16, 16)
    with torch.no_grad():
        wanted, got = (n(features) for n in (right, twin))
    wanted, got = (o.body if network is TCMR else o for o in (wanted, got))
    assert torch.equal(wanted.theta, got.theta)


def test_numpy_1_names_are_read(make, tmp_path):
    path = _saved(_file(make(VIBE, 1)), tmp_path / "old.pth.tar", zipped=False)
    old = path.read_bytes()
    assert old.count(b"numpy._core.multiarray") == 1
    path.write_bytes(old.replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    assert load_official_vibe(path, make(VIBE, 2)).performance == 56.5


def test_spins_file_fills_the_network_and_the_regressor(make, tmp_path, vibe_joints, vibe_means):
    right, twin = make(HMR, 1), make(HMR, 2)
    path = _saved({"model": _with_body(right.state_dict(), ""), "epoch": 3}, tmp_path / "spin.pth.tar")
    assert list(load_official_spin(path, twin).state) == list(right.state_dict())
    regressor = _regressor(vibe_joints, vibe_means, 7)
    found = load_official_spin(path, regressor)
    assert found.epoch == 3 and found.performance is None and set(found.state) == set(regressor.state_dict())
    image = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        wanted = right(image).theta
        assert torch.equal(twin(image).theta, wanted)
        assert torch.equal(regressor(right.feature_extractor(image)).theta, wanted)


def test_demo_takes_the_generator_and_keeps_its_backbone(make, tmp_path):
    right, demo = make(VIBE, 1), VIBEDemo(make(VIBE, 2).regressor, make(HMR, 3), hidden=6)
    kept = {k: v.clone() for k, v in demo.hmr.state_dict().items()}
    load_official_vibe(_saved(_file(right), tmp_path / "vibe.pth.tar"), demo)
    assert all(torch.equal(demo.state_dict()[k], v) for k, v in right.state_dict().items())
    assert all(torch.equal(demo.hmr.state_dict()[k], v) for k, v in kept.items())


def test_discriminator(make, tmp_path):
    torch.manual_seed(0)
    judge, twin = (MotionDiscriminator(hidden=6, attention_size=4) for _ in range(2))
    path = _saved(_file(make(VIBE, 1), judge), tmp_path / "vibe.pth.tar")
    load_official_vibe(path, make(VIBE, 2), twin)
    assert all(torch.equal(twin.state_dict()[k], v) for k, v in judge.state_dict().items())
    network = make(VIBE, 2)
    before = {k: v.clone() for k, v in network.state_dict().items()}
    _refused(load_official_vibe, path, "of another size", "gru.weight_ih_l0 (18, 69)", network=network,
             discriminator=MotionDiscriminator(hidden=5, attention_size=4))  # fmt: skip
    path = _saved(_file(make(VIBE, 1)), tmp_path / "without.pth.tar")
    _refused(load_official_vibe, path, "holds no discriminator", network=network, discriminator=twin)
    assert all(torch.equal(before[k], v) for k, v in network.state_dict().items())


def _paper(kind):
    with torch.device("meta"):
        means = [torch.empty(n) for n in (144, 10, 3)]
        network = HMR(None, *means) if kind is HMR else kind(Regressor(None, *means))
    return {k: torch.zeros((), dtype=v.dtype).expand(v.shape) for k, v in network.state_dict().items()}


@pytest.mark.parametrize(("kind", "load", "entry", "count"), [(HMR, load_official_spin, "model", 331),
                         (VIBE, load_official_vibe, "gen_state_dict", 23),
                         (TCMR, load_official_tcmr, "gen_state_dict", 59)])  # fmt: skip
def test_without_a_network_the_papers_sizes_are_expected(make, tmp_path, kind, load, entry, count):
    """Big states that take no disk: one number seen through zero strides."""
    path = _saved({entry: _paper(kind)}, tmp_path / "paper.pth.tar")
    assert path.stat().st_size < 1_000_000
    assert len(load(path).state) == count
    small = _saved({entry: make(kind, 1).state_dict()}, tmp_path / "small.pth.tar")
    _refused(load, small, "of another size")


def _refused(load, path, *told, **options):
    with pytest.raises(PosebookError) as caught:
        load(path, **options)
    for text in told:
        assert text in str(caught.value), caught.value
    return str(caught.value)


@pytest.mark.parametrize(("kind", "load"), LOADERS, ids=["vibe", "tcmr"])
def test_all_that_differs_is_listed_and_nothing_is_loaded(make, tmp_path, kind, load):
    content = _file(make(kind, 1))
    weights = content["gen_state_dict"]
    del weights["regressor.decpose.bias"]
    weights["encoder.extra.weight"] = torch.zeros(3)
    weights["regressor.deccam.weight"] = torch.zeros(4, 12)
    twin = make(kind, 2)
    before = {k: v.clone() for k, v in twin.state_dict().items()}
    _refused(load, _saved(content, tmp_path / "wrong.pth.tar"), "1 missing: regressor.decpose.bias",
             "1 unknown: encoder.extra.weight", "regressor.deccam.weight (4, 12) instead of (3, 12)",
             network=twin)  # fmt: skip
    assert all(torch.equal(before[k], v) for k, v in twin.state_dict().items())


def test_files_of_the_other_methods_are_refused(make, tmp_path):
    vibe = _saved(_file(make(VIBE, 1)), tmp_path / "vibe.pth.tar")
    message = _refused(load_official_tcmr, vibe, "missing: encoder.gru_cur", "more", network=make(TCMR, 1))
    assert len(message) < 1200
    _refused(load_official_spin, vibe, "entry 'model'", "gen_state_dict", "spin_model_checkpoint")
    spin = _saved({"model": make(HMR, 1).state_dict()}, tmp_path / "spin.pth.tar")
    _refused(load_official_vibe, spin, "entry 'gen_state_dict'", "['model']", "vibe_model_wo_3dpw")
    _refused(load_official_vibe, _saved([1], tmp_path / "list.pth.tar"), "got list")
    _refused(load_official_tcmr, tmp_path / "nothing.pth.tar", "no checkpoint at")


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.98])
def test_cut_file_is_refused(make, tmp_path, zipped, share):
    data = _saved(_file(make(VIBE, 1)), tmp_path / "whole", zipped).read_bytes()
    cut = tmp_path / "vibe.pth.tar"
    cut.write_bytes(data[: int(len(data) * share)])
    _refused(load_official_vibe, cut, "could not be read", "cut off")


class _Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("kind", ["zip", "legacy", "plain"])
def test_code_in_the_file_is_never_run(make, tmp_path, kind):
    marker, path = tmp_path / "ran", tmp_path / "vibe.pth.tar"
    if kind == "plain":
        path.write_bytes(pickle.dumps({"gen_state_dict": {}, "hook": _Bomb(marker)}, protocol=2))
    else:
        _saved(_file(make(VIBE, 1)) | {"hook": _Bomb(marker)}, path, kind == "zip")
    _refused(load_official_vibe, path, "could not be read", "never run")
    assert not marker.exists()


def test_reading_leaves_torchs_rules_as_they_were(make, tmp_path):
    before = set(torch.serialization.get_safe_globals())  # torch keeps them in no order
    load_official_vibe(_saved(_file(make(VIBE, 1)), tmp_path / "vibe.pth.tar"), make(VIBE, 2))
    assert set(torch.serialization.get_safe_globals()) == before


def test_the_body_in_a_file(make, tmp_path, vibe_layer, vibe_arrays, vibe_body):
    """As old smplx saves it: more than ten shape directions."""
    network = make(VIBE, 1)
    content = _file(network)
    names = ("v_template", "posedirs", "J_regressor", "parents", "lbs_weights")
    arrays = {name: getattr(vibe_layer, name).detach() for name in names}
    arrays["shapedirs"] = torch.cat((vibe_layer.shapedirs, torch.rand(6890, 3, 5)), -1)
    arrays["J_regressor_extra"] = torch.as_tensor(vibe_arrays["J_regressor_extra"]).float()
    content["gen_state_dict"] |= {f"regressor.smpl.{name}": value for name, value in arrays.items()}
    found = load_official_vibe(_saved(content, tmp_path / "vibe.pth.tar"), network)
    generator = torch.Generator().manual_seed(0)
    betas, turns = (torch.randn(shape, generator=generator) for shape in ((2, 10), (2, 24, 3)))
    call = betas, axis_angle_to_matrix(0.5 * turns)
    assert torch.equal(spin_body_of(found)(*call).joints, vibe_body(*call).joints)
    cheap = spin_body_of(found, vertices=False)(*call).joints
    torch.testing.assert_close(cheap, vibe_body(*call).joints, atol=1e-5, rtol=0)
    with pytest.raises(PosebookError, match="no whole body model"):
        spin_body_of(found._replace(body={}))
