"""Official networks as methods: which body, which regressor, and what is refused."""

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.weights import find_file, known_weights, load_weights, methods_in, official_methods
from posebook.weights.networks import FREE_BODY, h36m_regressor


@pytest.fixture(autouse=True)
def without_own_smpl(monkeypatch):
    monkeypatch.delenv("POSEBOOK_SMPL", raising=False)


def test_left_first_and_right_first_regressors_become_the_same(tmp_path, h36m_rows):
    np.save(tmp_path / "J_regressor_h36m.npy", h36m_rows)
    from_spin = h36m_regressor(tmp_path)
    right_first = h36m_rows[[0, 4, 5, 6, 1, 2, 3, *range(7, 17)]]
    np.save(tmp_path / "J_regressor_h36m_correct.npy", right_first)
    assert torch.equal(from_spin, h36m_regressor(tmp_path))
    assert float(from_spin[1, 4000]) == 1  # the right hip: SMPL's right half is numbered from 3445 on
    np.save(tmp_path / "J_regressor_h36m_correct.npy", right_first[:, :100])
    with pytest.raises(PosebookError, match="expected \\(17, 6890\\), got \\(17, 100\\)"):
        h36m_regressor(tmp_path)
    assert h36m_regressor(tmp_path / "nowhere") is None


def test_files_are_found_in_the_folder_or_in_one_of_their_own(folder, put):
    known = known_weights("vibe-wo-3dpw")
    assert find_file(known, folder) is None
    path = put("vibe-wo-3dpw")
    assert find_file(known, folder) == path
    (folder / known.name).mkdir()
    moved = path.rename(folder / known.name / path.name)
    assert find_file(known, folder) == moved


def test_spin_on_the_free_body_has_the_pose_but_says_that_the_shape_is_not_its(put, folder, contents, body_cache):
    content = dict(contents("spin"))
    turned = torch.tensor([[0.0, -1, 1, 0, 0, 0]]).repeat(1, 24)  # 6D of a quarter turn about z, everywhere
    shaped = torch.full((1, 10), 3.0)
    content["model"] = content["model"] | {"init_pose": turned, "init_shape": shaped}
    loaded = load_weights(known_weights("spin"), put("spin", content))
    (method,) = official_methods(loaded, folder)
    assert method.warning == FREE_BODY and method.regressor17 is None
    answer = method(torch.rand(1, 3, 224, 224))
    from posebook.models.spin_body import free_spin_body

    quarter = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]).expand(1, 24, 3, 3)
    posed = free_spin_body("coarse")(torch.zeros(1, 10), quarter)
    torch.testing.assert_close(answer.vertices, posed.vertices - posed.joints[:, 8:9], atol=1e-4, rtol=0)
    assert float(answer.scale[0]) == pytest.approx(0.9 * 112, rel=0.02)  # SPIN's s is nearly the scale


def test_with_the_licensed_file_the_shape_counts(put, folder, smpl_arrays):
    loaded = load_weights(known_weights("spin"), put("spin"))
    (method,) = official_methods(loaded, folder, str(folder / "smpl.npz"))
    answer = method(torch.rand(1, 3, 224, 224))
    assert method.warning == "" and method.faces.shape == (13776, 3) and method.regressor17.shape == (17, 6890)
    pelvis = smpl_arrays["J_regressor"][0] @ smpl_arrays["v_template"]
    np.testing.assert_allclose(answer.vertices[0], smpl_arrays["v_template"] - pelvis, atol=1e-4)


def test_a_folder_gives_methods_and_sentences(put, folder, body_cache):
    put("vibe-wo-3dpw")
    found, told = methods_in(folder)
    assert found == [] and "reads the features of SPIN's network" in told[0]
    put("spin")
    found, told = methods_in(folder)
    assert [m.name for m in found] == ["spin", "vibe-wo-3dpw"] and not told
    assert [m.whole_clip for m in found] == [False, True]
    assert all("shape is not" in m.warning for m in found)


@pytest.mark.slow
def test_i2l_needs_smpl_and_then_gives_two_answers(put, folder):
    loaded = load_weights(known_weights("i2l-h36m"), put("i2l-h36m"))
    with pytest.raises(PosebookError, match="only your licensed SMPL file says which is which"):
        official_methods(loaded, folder)
    lixel, body = official_methods(loaded, folder, str(folder / "smpl.npz"))
    assert (lixel.name, body.name) == ("i2l-h36m, lixel mesh", "i2l-h36m, body model")
    assert lixel.size == 256 and lixel.margin == 1.25
