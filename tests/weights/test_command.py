"""`posebook weights` with made-up official files of each kind: right, wrong, cut, hostile; and the evaluation."""

import pickle

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from posebook.cli import app
from posebook.data import open_dataset
from posebook.profile import load_profile


def linear(rows, columns):
    return rows * columns + rows


def gru(ways, inputs=2048, hidden=1024):
    """Numbers of a GRU of two layers."""
    return sum(ways * (3 * hidden * (n + hidden) + 6 * hidden) for n in (inputs, ways * hidden))


REGRESSOR = linear(1024, 2205) + linear(1024, 1024) + sum(linear(n, 1024) for n in (144, 10, 3))
ATTENTION = linear(256, 2048) + linear(256, 768) + linear(256, 256) + linear(3, 256)
PARAMETERS = {  # specs/i2l.md 1.7; specs/vibe.md 1.1, 1.2, 1.4
    "i2l-h36m": 142_335_471,
    "i2l-hand": 137_272_839,
    "spin": 23_508_032 + REGRESSOR,
    "vibe-wo-3dpw": gru(1) + linear(2048, 1024) + REGRESSOR,
    "tcmr-table4-3dpw": gru(2) + linear(2048, 2048) + 2 * (gru(1) + linear(2048, 1024)) + ATTENTION + REGRESSOR,
}
LAST = {"i2l-h36m": "mesh_net.conv_y.0.bias", "spin": "decpose.bias", "vibe-wo-3dpw": "encoder.linear.bias",
        "tcmr-table4-3dpw": "encoder.linear_aft.bias"}  # fmt: skip
ENTRY = {"i2l-h36m": "network", "spin": "model", "vibe-wo-3dpw": "gen_state_dict", "tcmr-table4-3dpw": "gen_state_dict"}


@pytest.fixture(autouse=True)
def without_own_settings(monkeypatch):
    monkeypatch.delenv("POSEBOOK_SMPL", raising=False)
    monkeypatch.setenv("POSEBOOK_PROFILE", "smoke")


def call(folder, *arguments):
    return CliRunner().invoke(app, ["weights", *map(str, arguments), "--folder", str(folder)])


def refused(folder, *arguments, told):
    done = call(folder, *arguments)
    assert done.exit_code == 2, done.output
    for text in told:
        assert text in done.output, done.output


def test_the_list_says_what_is_here_and_under_which_licence(folder, put):
    put("spin")
    done = call(folder)
    assert done.exit_code == 0
    lines = {line.split("|")[1].strip(): line for line in reversed(done.output.splitlines()) if line.startswith("|")}
    assert " 0 MB " in lines["spin"] and " no " in lines["i2l-h36m"]
    assert "Max Planck licence" in lines["vibe-w-3dpw"] and "withdrawn by its authors" in done.output


@pytest.mark.parametrize("name", PARAMETERS)
def test_right_files_are_read(folder, put, name):
    """NumPy's number in VIBE's and TCMR's files is what torch alone refuses; they are of torch's older format."""
    done = call(folder, name, "--file", put(name, zipped=name in ("i2l-h36m", "i2l-hand")))
    assert done.exit_code == 0, done.output
    assert f"parameters: {PARAMETERS[name]:,}" in done.output
    split_off = {"i2l-h36m": 7, "i2l-hand": 9, "spin": 2}.get(name, 1)
    assert f"split off:  {split_off} arrays of the licensed body model" in done.output
    epoch = {"i2l-h36m": "17", "i2l-hand": "17", "spin": "not in the file"}.get(name, "21")
    assert f"epoch:      {epoch}" in done.output
    assert ("validation PA-MPJPE: 56.50 mm" in done.output) == (name in ("vibe-wo-3dpw", "tcmr-table4-3dpw"))
    assert ("not loaded: motion discriminator" in done.output) == (name == "vibe-wo-3dpw")


def test_a_number_of_numpy_is_read_in_every_kind(folder, put, contents):
    done = call(folder, "i2l-h36m", "--file", put("i2l-h36m", contents("i2l-h36m") | {"loss": np.float32(0.5)}))
    assert done.exit_code == 0, done.output
    done = call(folder, "spin", "--file", put("spin", contents("spin") | {"loss": np.float64(0.5)}))
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("name", LAST)
def test_what_differs_is_listed(folder, put, contents, name):
    content, entry = dict(contents(name)), ENTRY[name]
    prefix = "module." if name == "i2l-h36m" else ""
    state = dict(content[entry])
    first = next(iter(state))
    del state[prefix + LAST[name]]
    state |= {f"{prefix}other.weight": torch.zeros(3), first: torch.zeros(5)}
    refused(folder, name, "--file", put(name, content | {entry: state}),
            told=[f"1 missing: {LAST[name]}", "1 unknown: other.weight", "Nothing was loaded",
                  f"1 of another size: {first.removeprefix('module.')} (5,) instead of ("])  # fmt: skip


@pytest.mark.parametrize("name", LAST)
@pytest.mark.parametrize("zipped", [True, False])
def test_cut_files_are_refused(folder, put, name, zipped):
    path = put(name, zipped=zipped)
    path.write_bytes(path.read_bytes()[:-200])
    refused(folder, name, "--file", path, told=["could not be read as weights", "cut off"])


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("name", LAST)
@pytest.mark.parametrize("form", ["zip", "legacy", "plain"])
def test_code_is_never_run(folder, put, contents, name, form):
    marker = folder / "ran"
    path = put(name, contents(name) | {"hook": Bomb(marker)}, zipped=form == "zip")
    if form == "plain":
        path.write_bytes(pickle.dumps({ENTRY[name]: {}, "hook": Bomb(marker)}, protocol=2))
    refused(folder, name, "--file", path, told=["could not be read as weights", "never run"])
    assert not marker.exists()


def test_files_under_the_wrong_name(folder, put):
    refused(folder, "i2l-hand", "--file", put("i2l-h36m"), told=["6890 vertices (i2l)", "i2l-hand has 778"])
    refused(folder, "spin", "--file", put("vibe-wo-3dpw"), told=["an entry 'model' of tensors"])
    refused(folder, "tcmr-demo", "--file", put("vibe-wo-3dpw"), told=["missing: encoder.gru_cur"])
    refused(folder, "nothing", told=["Unknown weights 'nothing'"])


def test_without_a_file_it_says_where_to_get_it(folder):
    refused(folder, "tcmr-demo", told=["base_data.zip", "No tcmr_demo_model.pth.tar in"])
    refused(folder, "spin", "--file", folder / "absent.pt", told=["no checkpoint at"])


def expected_standing(smpl_arrays, h36m_rows, dataset, count):
    """MPJPE in mm of the mean body that never moves: what a network of zeros says; 14 joints, pelvis at the origin."""
    left_first = h36m_rows @ smpl_arrays["v_template"]
    body = left_first[[0, 4, 5, 6, 1, 2, 3, *range(7, 17)]]
    truth = np.array(dataset.arrays["joints3d_h36m17"][:count], float)
    chosen = [1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14, 15, 16]  # specs/i2l.md section 4
    apart = (body - body[0])[chosen] - (truth - truth[:, :1])[:, chosen]
    return 1000 * np.linalg.norm(apart, axis=-1).mean()


@pytest.mark.slow
def test_spin_is_scored_by_its_protocol(folder, put, body_cache, smpl_arrays, h36m_rows):
    put("spin")
    done = call(folder, "spin", "--dataset", "procedural", "--limit", "8", "--smpl", folder / "smpl.npz")
    assert done.exit_code == 0, done.output
    assert "8 pictures in 1 sequences" in done.output and "SPIN eval.py: 14 joints" in done.output
    assert "No number was published for these weights on this dataset." in done.output
    dataset = open_dataset("procedural", "test", load_profile("smoke"))
    line = next(line for line in done.output.splitlines() if line.startswith("| MPJPE"))
    assert float(line.split("|")[2]) == pytest.approx(expected_standing(smpl_arrays, h36m_rows, dataset, 8), abs=0.01)
    still = next(line for line in done.output.splitlines() if line.startswith("| ACCEL "))
    assert float(still.split("|")[2]) == pytest.approx(0, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vibe-wo-3dpw", "tcmr-table4-3dpw"])
def test_video_networks_are_scored_on_spins_features(folder, put, body_cache, name):
    put(name)
    refused(folder, name, "--dataset", "procedural", told=["reads the features of SPIN's network", "spin_model_check"])
    put("spin")
    done = call(folder, name, "--dataset", "procedural", "--limit", "8", "--smpl", folder / "smpl.npz")
    assert done.exit_code == 0, done.output
    assert "root right_hip + left_hip" in done.output and "| ACCEL_ERR" in done.output


@pytest.mark.slow
def test_both_answers_of_i2l_are_scored(folder, put, body_cache, smpl_arrays, h36m_rows):
    put("i2l-h36m")
    done = call(folder, "i2l-h36m", "--dataset", "procedural", "--limit", "2", "--smpl", folder / "smpl.npz")
    assert done.exit_code == 0, done.output
    lixel, param = done.output.split("i2l-h36m, body model:")
    assert "the root depth is the true one" in lixel and "the root depth" not in param
    line = next(line for line in param.splitlines() if line.startswith("| MPJPE"))
    dataset = open_dataset("procedural", "test", load_profile("smoke"))
    assert float(line.split("|")[2]) == pytest.approx(expected_standing(smpl_arrays, h36m_rows, dataset, 2), abs=0.01)


def test_what_is_missing_for_a_score_is_one_sentence(folder, put, body_cache):
    put("i2l-h36m")
    put("spin")
    refused(folder, "i2l-h36m", "--dataset", "procedural", told=["only your licensed SMPL", "--smpl FILE"])
    refused(folder, "spin", "--dataset", "procedural", told=["spin cannot be scored", "give --smpl"])
    refused(folder, "spin", "--dataset", "mpi_inf_3dhp", told=["17 joints of that dataset's own"])
    refused(folder, "spin", "--dataset", "freihand", told=["spin is for bodies; freihand is not"])
    refused(folder, "spin", "--dataset", "nowhere", "--smpl", folder / "smpl.npz", told=["No dataset 'nowhere' here"])
    refused(folder, "spin", "--dataset", "3dpw", "--smpl", folder / "smpl.npz", told=["not prepared"])
