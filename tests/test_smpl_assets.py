"""What belongs to an SMPL file: against the file's own arrays, and against the free body that it was made from."""

import numpy as np
import pytest
import whole_sets
from smplx.vertex_ids import vertex_ids

from posebook.body import load_assets, load_body
from posebook.data.part_maps import part_of_face
from posebook.errors import PosebookError
from posebook.own_body import FREE, using_body
from posebook.smpl_assets import REGRESSORS, smpl_hash

LEFT_FIRST = [0, 4, 5, 6, 1, 2, 3, *range(7, 17)]


@pytest.fixture
def folder(tmp_path, body_cache):
    """A converted model with both regressors."""
    np.savez(tmp_path / "SMPL_NEUTRAL.npz", **whole_sets.smpl_arrays())
    regressors = load_assets("smpl6890", FREE).regressors
    np.save(tmp_path / "J_regressor_h36m.npy", regressors["h36m17"][LEFT_FIRST])
    np.save(tmp_path / "J_regressor_extra.npy", regressors["spin_extra9"])
    return tmp_path


def test_assets_are_the_files_own(folder):
    path, free = folder / "SMPL_NEUTRAL.npz", load_assets("smpl6890", FREE)
    for level in ("full", "coarse"):
        found = load_assets(level, path)
        assert found.level == level and found.hash == smpl_hash(path) != free.hash and found.upsample is None
        np.testing.assert_array_equal(found.template, free.template)
        np.testing.assert_array_equal(found.part_of_face[: len(free.faces)], free.part_of_face)
        np.testing.assert_array_equal(found.part_of_vertex, free.weights.argmax(1) + 1)
        for name in ("h36m17", "spin_extra9"):
            np.testing.assert_array_equal(found.regressors[name], free.regressors[name])
        assert found.vertex_ids == vertex_ids["smplh"] and not found.hair_vertices.any()
    np.testing.assert_array_equal(found.part_of_face, part_of_face(load_body(path)))
    assert found.people.shape == (400, 10) and abs(found.people.std() - 1) < 0.05


def test_the_body_in_use_is_everybodys_default(folder):
    with using_body(folder / "SMPL_NEUTRAL.npz"):
        assert len(load_body().v_template) == len(load_body(level="coarse").v_template) == 6890
        assert load_assets("coarse").hash == smpl_hash(folder / "SMPL_NEUTRAL.npz")
        assert len(load_body(FREE, "coarse").v_template) == len(load_assets("coarse", FREE).template) < 6890
    assert load_assets("coarse").hash == load_assets("coarse", FREE).hash
    with pytest.raises(PosebookError, match="Levels are of the free body"):
        load_body(folder / "SMPL_NEUTRAL.npz", "coarse")


def test_regressors_are_asked_for_by_name(folder):
    for name, joints in REGRESSORS.items():
        rows = np.load(folder / name)
        np.save(folder / name, rows[:, 1:])
        with pytest.raises(PosebookError, match=f"{name}: expected .{joints}, 6890., found .{joints}, 6889."):
            load_assets("full", folder / "SMPL_NEUTRAL.npz")
        (folder / name).unlink()
        with pytest.raises(PosebookError, match=f"Expected SPIN's {name} beside the body model"):
            load_assets("full", folder / "SMPL_NEUTRAL.npz")
        np.save(folder / name, rows)
