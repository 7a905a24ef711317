"""Model files converted once: what was a pickle is read as npz, and gives SMPL's pelvis at rest."""

import pickle

import numpy as np
import pytest

from posebook.data.real import body_models
from posebook.data.real.body_models import convert_all, find_models, rest_pelvis
from posebook.errors import PosebookError


@pytest.fixture
def small(monkeypatch):
    """A model in SMPL's layout with few vertices, so that files stay small."""
    rng = np.random.default_rng(0)
    arrays = {"v_template": rng.normal(size=(30, 3)), "shapedirs": rng.normal(size=(30, 3, 10)),
              "J_regressor": rng.random((24, 30)) / 15}  # fmt: skip

    def read(path):
        with open(path, "rb") as stream:
            return pickle.load(stream)  # noqa: S301  our own file

    monkeypatch.setattr(body_models, "read_smpl_file", read)
    return arrays


def test_conversion_and_pelvis(tmp_path, small):
    source = tmp_path / "smpl" / "models"
    source.mkdir(parents=True)
    (source / "basicModel_f_lbs_10_207_0_v1.0.0.pkl").write_bytes(pickle.dumps(small))
    assert list(find_models(tmp_path)) == ["SMPL_FEMALE"]
    made = convert_all(tmp_path, tmp_path / "out")
    assert made["SMPL_FEMALE"] == tmp_path / "out" / "SMPL_FEMALE.npz"
    betas = np.random.default_rng(1).normal(size=(4, 10))
    posed = small["v_template"] + np.einsum("vck,nk->nvc", small["shapedirs"], betas)
    np.testing.assert_allclose(rest_pelvis(betas, "female", tmp_path / "out"), posed.transpose(0, 2, 1) @ small[
        "J_regressor"][0], atol=1e-12)  # fmt: skip
    assert rest_pelvis(betas, "male", tmp_path / "out") is None


def test_nothing_there_and_foreign_files(tmp_path):
    with pytest.raises(PosebookError, match="looked for basicModel_neutral.*mano.is.tue.mpg.de"):
        convert_all(tmp_path, tmp_path / "out")
    (tmp_path / "SMPL_NEUTRAL.pkl").write_bytes(pickle.dumps({"v_template": np.zeros((3, 3))}))
    with pytest.raises(PosebookError, match="lacks SMPL's array|should be numbers of shape"):
        convert_all(tmp_path, tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.npz")) if (tmp_path / "out").exists() else True
