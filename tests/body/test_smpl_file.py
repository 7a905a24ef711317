"""Licensed SMPL files as people have them: Python 2 pickles with chumpy objects, npz, and files that are neither."""

import io
import pickle
import sys
import types

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from posebook.body import load_body
from posebook.errors import PosebookError
from posebook.joints import SMPL24

V, F = 6890, 13776


@pytest.fixture(scope="module")
def arrays():
    """Made-up arrays of SMPL's shapes."""
    rng = np.random.default_rng(0)
    weights = rng.random((V, 24)) ** 8
    rows = np.zeros((24, V))
    for j in range(24):
        rows[j, rng.integers(0, V, 10)] = 0.1
    parents = np.array([2**32 - 1, *SMPL24.parents[1:]], dtype=np.uint32)
    return {
        "v_template": rng.normal(size=(V, 3)),
        "shapedirs": rng.normal(0, 0.01, (V, 3, 10)),
        "posedirs": rng.normal(0, 0.01, (V, 3, 207)).astype(np.float32),
        "weights": weights / weights.sum(1, keepdims=True),
        "J_regressor": rows / rows.sum(1, keepdims=True),
        "kintree_table": np.stack([parents, np.arange(24, dtype=np.uint32)]),
        "f": rng.integers(0, V, (F, 3)).astype(np.uint32),
    }


class Python2Pickler(pickle._Pickler):
    """Writes bytes as Python 2 wrote its strings, so that only encoding="latin1" reads them."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_bytes(self, data):
        self.write(pickle.BINSTRING + len(data).to_bytes(4, "little") + data)
        self.memoize(data)

    dispatch[bytes] = save_bytes


@pytest.fixture
def chumpy(monkeypatch):
    """A throwaway chumpy: it exists while the file is written and is gone before it is read."""

    class Ch:
        def __init__(self, **state):
            self.__dict__.update(state, _dirty_vars=set(), _itr=None, _depends_on_deps={})

    class Select(Ch):
        pass

    class Add(Ch):
        pass

    for cls, module in ((Ch, "chumpy.ch"), (Select, "chumpy.reordering"), (Add, "chumpy.ch_ops")):
        cls.__module__, cls.__qualname__ = module, cls.__name__
        monkeypatch.setitem(sys.modules, module, sys.modules.get(module) or types.ModuleType(module))
        setattr(sys.modules[module], cls.__name__, cls)
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    return types.SimpleNamespace(Ch=Ch, Select=Select, Add=Add)


def official(arrays, chumpy, **changed):
    """The layout of the official pickles: Ch, a Select of a longer array, csc, strings."""
    longer = np.concatenate([arrays["shapedirs"], np.ones((V, 3, 2))], axis=2)
    chosen = np.arange(longer.size).reshape(longer.shape)[:, :, :10]
    stored = dict(arrays) | {
        "v_template": chumpy.Ch(x=arrays["v_template"]),
        "weights": chumpy.Ch(x=arrays["weights"]),
        "shapedirs": chumpy.Select(a=chumpy.Ch(x=longer), idxs=chosen.ravel(), preferred_shape=chosen.shape),
        "J_regressor": sp.csc_matrix(arrays["J_regressor"]),
        "J": chumpy.Ch(x=np.zeros((24, 3))),
        "bs_style": b"lbs",
        "pose_training_info": {b"model_type": b"smpl"},
    }
    return stored | changed


def write(path, stored, monkeypatch, protocol=2):
    buffer = io.BytesIO()
    Python2Pickler(buffer, protocol=protocol).dump(stored)
    path.write_bytes(buffer.getvalue())
    for name in [m for m in sys.modules if m.split(".")[0] == "chumpy"]:
        monkeypatch.delitem(sys.modules, name)
    return path


def same_as(body, arrays):
    np.testing.assert_allclose(body.v_template.numpy(), arrays["v_template"], atol=1e-6)
    np.testing.assert_allclose(body.shapedirs.numpy(), arrays["shapedirs"], atol=1e-6)
    np.testing.assert_allclose(body.J_regressor.numpy(), arrays["J_regressor"], atol=1e-6)
    np.testing.assert_allclose(body.lbs_weights.numpy(), arrays["weights"], atol=1e-6)
    assert tuple(body.parents.tolist()) == SMPL24.parents
    assert body.vertex_joint_selector.extra_joints_idxs[0] == 332  # SMPL's nose
    pose = 0.1 * torch.ones(1, 69)
    assert body(body_pose=pose).vertices.isfinite().all()


@pytest.mark.parametrize("protocol", [0, 2])
def test_official_pickle_without_chumpy(tmp_path, arrays, chumpy, monkeypatch, protocol):
    small = {"posedirs": np.zeros((V, 3, 207), np.float32)} if protocol == 0 else {}
    stored = official(arrays, chumpy, **small)
    if protocol == 0:  # the text protocol: Python 2's default, objects through copy_reg._reconstructor
        path = tmp_path / "SMPL_NEUTRAL.pkl"
        path.write_bytes(pickle.dumps(stored, protocol=0))
        for name in [m for m in sys.modules if m.split(".")[0] == "chumpy"]:
            monkeypatch.delitem(sys.modules, name)
    else:
        path = write(tmp_path / "SMPL_NEUTRAL.pkl", stored, monkeypatch)
    with pytest.raises(ModuleNotFoundError, match="chumpy"), open(path, "rb") as stream:
        pickle.load(stream, encoding="latin1")  # noqa: S301  our own file: it shows that chumpy is really gone
    same_as(load_body(path), arrays)


def test_npz(tmp_path, arrays):
    np.savez(tmp_path / "plain.npz", **arrays)
    same_as(load_body(tmp_path / "plain.npz"), arrays)


def test_npz_with_a_sparse_object(tmp_path, arrays):
    np.savez(tmp_path / "object.npz", **dict(arrays, J_regressor=sp.csc_matrix(arrays["J_regressor"])))
    same_as(load_body(tmp_path / "object.npz"), arrays)


class Malicious:
    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("kind", ["pkl", "npz"])
def test_code_in_a_file_is_refused_and_named(tmp_path, arrays, kind):
    import os

    mark = tmp_path / "executed"
    attack = Malicious(os.mkdir, str(mark))
    path = tmp_path / f"smpl.{kind}"
    if kind == "pkl":
        path.write_bytes(pickle.dumps(dict(arrays, J=attack), protocol=2))
    else:
        np.savez(path, **dict(arrays, weights=np.array(attack, dtype=object)))
    with pytest.raises(PosebookError, match="posix.mkdir"):
        load_body(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    "attack",
    [(eval, "1"), (getattr, "x", "upper"), (io.open, "/dev/null"), (__import__, "os"), (np.load, "x")],
    ids=["eval", "getattr", "open", "import", "numpy.load"],
)
def test_other_globals_are_refused(tmp_path, attack):
    path = tmp_path / "smpl.pkl"
    path.write_bytes(pickle.dumps({"J": Malicious(*attack)}, protocol=2))
    with pytest.raises(PosebookError, match="was not run"):
        load_body(path)


def test_chumpy_that_holds_no_array_is_refused(tmp_path, arrays, chumpy, monkeypatch):
    stored = official(arrays, chumpy, v_template=chumpy.Add(a=1, b=2), posedirs=np.zeros((V, 3, 207), np.float32))
    path = write(tmp_path / "smpl.pkl", stored, monkeypatch)
    with pytest.raises(PosebookError, match="v_template is stored as chumpy.ch_ops.Add"):
        load_body(path)


@pytest.mark.parametrize("suffix", ["pkl", "npz"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_cut_files(tmp_path, arrays, suffix, share):
    whole = tmp_path / f"whole.{suffix}"
    if suffix == "pkl":
        whole.write_bytes(pickle.dumps(arrays, protocol=2))
    else:
        np.savez(whole, **arrays)
    data = whole.read_bytes()
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(PosebookError, match="not a whole SMPL file"):
        load_body(cut)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda a: {k: v for k, v in a.items() if k != "weights"}, "lacks SMPL's array weights"),
        (lambda a: dict(a, v_template=np.zeros((10475, 3))), "SMPL-H and SMPL-X"),
        (lambda a: dict(a, f=a["f"][:-8]), "f in .* should be numbers of shape"),  # our own mesh of 6,890 vertices
        (lambda a: dict(a, weights=np.full((V, 24), "x")), "weights in"),
    ],
)
def test_foreign_files(tmp_path, arrays, make, message):
    np.savez(tmp_path / "smpl.npz", **make(arrays))
    with pytest.raises(PosebookError, match=message):
        load_body(tmp_path / "smpl.npz")


def test_missing_file_and_wrong_suffix(tmp_path):
    with pytest.raises(PosebookError, match="no SMPL file at"):
        load_body(tmp_path / "SMPL_NEUTRAL.pkl")
    (tmp_path / "smpl.txt").write_text("hello")
    with pytest.raises(PosebookError, match=r"\.pkl or \.npz"):
        load_body(tmp_path / "smpl.txt")
    (tmp_path / "smpl.pkl").write_text("this is no pickle")
    with pytest.raises(PosebookError, match="not a whole SMPL file"):
        load_body(tmp_path / "smpl.pkl")
    (tmp_path / "list.pkl").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(PosebookError, match="holds a list"):
        load_body(tmp_path / "list.pkl")
