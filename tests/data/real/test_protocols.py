"""Protocol presets on the fixtures: which rows, which joints, which root."""

import fixtures_human36m
import fixtures_humaneva
import fixtures_mpi_inf_3dhp
import fixtures_threedpw
import numpy as np
import pytest

from posebook.data.real import human36m_json, humaneva, mpi_inf_3dhp, threedpw
from posebook.data.real.catalogue import CATALOGUE
from posebook.data.real.protocols import PRESETS, preset, reduce_joints, scored_rows, source_joints, source_set
from posebook.errors import PosebookError
from posebook.joint_atlas import ATLAS
from posebook.models.spin49 import H36M_TO_J14


@pytest.fixture
def human36m(tmp_path, prepared):
    fixtures_human36m.write_json(tmp_path / "h36m", fits=False)
    return prepared(human36m_json.READER, tmp_path / "h36m", "test")


def test_rows_by_step_camera_and_subject(human36m):
    frames, cameras = human36m.texts["frame"], human36m.texts["camera"]
    p1 = scored_rows(human36m, preset("h36m_hmr_p1"))
    assert sorted(set(frames[p1].tolist())) == [0, 5] and set(cameras[p1]) == {"1", "4"} and len(p1) == 8
    p2 = scored_rows(human36m, preset("h36m_hmr_p2"))
    assert set(cameras[p2]) == {"4"} and len(p2) == 4
    s11 = scored_rows(human36m, preset("h36m_3dmppe_p1"))
    assert set(human36m.texts["subject"][s11]) == {"S11"} and set(frames[s11].tolist()) == {0}
    assert len(scored_rows(human36m, preset("h36m_tcmr"))) == 2 * 3


def test_joints_and_roots(human36m):
    protocol = preset("h36m_hmr_p1")
    rows = scored_rows(human36m, protocol)
    own = np.asarray(human36m.arrays["joints3d_h36m17"])[rows]
    left_first = own[:, [0, 4, 5, 6, 1, 2, 3, *range(7, 17)]]  # SPIN's regressor order
    points = source_joints(human36m, protocol, rows)
    np.testing.assert_array_equal(points, own)
    expected = left_first[:, list(H36M_TO_J14)]
    np.testing.assert_allclose(reduce_joints(points, protocol, "h36m17"), expected - own[:, :1], atol=1e-6)
    hips = expected - own[:, [1, 4]].mean(1, keepdims=True)
    np.testing.assert_allclose(reduce_joints(points, preset("h36m_tcmr"), "h36m17"), hips, atol=1e-6)


def test_other_datasets(tmp_path, prepared):
    fixtures_mpi_inf_3dhp.write_test(tmp_path / "3dhp")
    test = prepared(mpi_inf_3dhp.READER, tmp_path / "3dhp", "test")
    rows = scored_rows(test, preset("3dhp_17"))
    points = source_joints(test, preset("3dhp_17"), rows)
    np.testing.assert_array_equal(points, test.extras["universal3d"])
    assert source_set(test, preset("3dhp_17")) == "mpii3d17"
    fixtures_humaneva.write(tmp_path / "he")
    train = prepared(humaneva.READER, tmp_path / "he", "train")
    with pytest.raises(PosebookError, match="humaneva_15 scores validate of humaneva, not train of humaneva"):
        scored_rows(train, preset("humaneva_15"))


def test_what_is_missing_is_said(tmp_path, prepared):
    fixtures_threedpw.write(tmp_path / "3DPW", pictures=False)
    dataset = prepared(threedpw.READER, tmp_path / "3DPW", "test")
    rows = scored_rows(dataset, preset("3dpw_smpl24"))
    assert source_joints(dataset, preset("3dpw_smpl24"), rows).shape == (14, 24, 3)
    with pytest.raises(PosebookError, match="3dpw test has no joints3d_h36m17, which protocol 3dpw_14 needs. H36M-17"):
        source_joints(dataset, preset("3dpw_14"), rows)
    with pytest.raises(PosebookError, match="Unknown protocol"):
        preset("protocol1")


def test_presets_name_things_that_exist():
    splits = {e.name: e.splits for e in CATALOGUE}
    assert len({p.name for p in PRESETS}) == len(PRESETS)
    for p in PRESETS:
        assert p.joints in ATLAS and all(p.split in splits[d] for d in p.datasets) and p.name in p.describe()
