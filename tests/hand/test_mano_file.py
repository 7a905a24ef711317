"""Licensed MANO files as people have them, and files that are something else."""

import os
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from posebook.errors import PosebookError
from posebook.hand import load_hand, load_regressor
from posebook.hand.mano_file import MANO_TIPS
from posebook.joints import HAND21, MANO16

V, F = 778, 1538


@pytest.fixture(scope="module")
def arrays():
    """Made-up arrays of MANO's shapes."""
    rng = np.random.default_rng(0)
    weights, rows = rng.random((V, 16)) ** 8, rng.random((16, V)) ** 20
    parents = np.array([2**32 - 1, *MANO16.parents[1:]], dtype=np.uint32)
    return {
        "v_template": rng.normal(0, 0.05, (V, 3)),
        "shapedirs": rng.normal(0, 0.01, (V, 3, 10)),
        "posedirs": rng.normal(0, 0.001, (V, 3, 135)),
        "weights": weights / weights.sum(1, keepdims=True),
        "J_regressor": rows / rows.sum(1, keepdims=True),
        "kintree_table": np.stack([parents, np.arange(16, dtype=np.uint32)]),
        "f": rng.integers(0, V, (F, 3)).astype(np.uint32),
        "hands_components": np.linalg.qr(rng.normal(size=(45, 45)))[0],
        "hands_mean": rng.normal(0, 0.2, 45),
        "hands_coeffs": rng.normal(size=(10, 45)),  # in the official files, not needed
        "bs_style": b"lbs",
    }


@pytest.mark.parametrize("kind", ["pkl", "npz"])
def test_official_layout(tmp_path, arrays, kind):
    path = tmp_path / f"MANO_RIGHT.{kind}"
    if kind == "pkl":
        path.write_bytes(pickle.dumps(arrays | {"J_regressor": sp.csc_matrix(arrays["J_regressor"])}, protocol=2))
    else:
        np.savez(path, **arrays)
    hand, mean = load_hand(path), load_hand(path, flat_hand_mean=False)
    np.testing.assert_allclose(hand.J_regressor.numpy(), arrays["J_regressor"], atol=1e-6)
    np.testing.assert_allclose(hand.posedirs.numpy(), arrays["posedirs"].reshape(-1, 135).T, atol=1e-6)
    assert tuple(hand.parents.tolist()) == MANO16.parents
    average = torch.tensor(arrays["hands_mean"], dtype=torch.float32)[None]
    zero = torch.zeros(1, 45)
    torch.testing.assert_close(mean(hand_pose=zero).vertices, hand(hand_pose=average).vertices)
    assert load_hand(path, num_pca=6)(hand_pose=torch.zeros(1, 6)).vertices.isfinite().all()
    rows = load_regressor(path)
    for finger, vertex in zip(("thumb", "index", "middle", "ring", "pinky"), MANO_TIPS, strict=True):
        assert rows[HAND21.index(f"{finger}4")].argmax() == vertex
    np.testing.assert_allclose(rows[HAND21.index("pinky2")], arrays["J_regressor"][8], atol=1e-6)


class Malicious:
    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


def test_code_in_a_file_is_refused_and_named(tmp_path, arrays):
    mark = tmp_path / "executed"
    path = tmp_path / "MANO_RIGHT.pkl"
    path.write_bytes(pickle.dumps(arrays | {"J": Malicious(os.mkdir, str(mark))}, protocol=2))
    with pytest.raises(PosebookError, match="mkdir, which MANO files have no use for"):
        load_hand(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("a.npz", lambda a: {k: v for k, v in a.items() if k != "hands_mean"}, "lacks MANO's array hands_mean"),
        ("a.npz", lambda a: a | {"v_template": np.zeros((6890, 3))}, "not of a MANO file"),
        ("MANO_LEFT.npz", lambda a: a, "is the left hand"),
    ],
)
def test_other_files_are_refused(tmp_path, arrays, name, make, message):
    np.savez(tmp_path / name, **make(arrays))
    with pytest.raises(PosebookError, match=message):
        load_hand(tmp_path / name)


def test_missing_and_cut_files(tmp_path, arrays):
    with pytest.raises(PosebookError, match="mano.is.tue.mpg.de"):
        load_hand(tmp_path / "MANO_RIGHT.pkl")
    whole = pickle.dumps(arrays, protocol=2)
    (tmp_path / "MANO_RIGHT.pkl").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PosebookError, match="not a whole MANO file"):
        load_hand(tmp_path / "MANO_RIGHT.pkl")
