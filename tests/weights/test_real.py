"""The evaluation on a prepared real dataset: Human3.6M's JSON form, SPIN's protocol."""

import numpy as np
import pytest
from typer.testing import CliRunner

from posebook.cli import app

pytest.importorskip("posebook.data.real", reason="this clone has no loaders of real datasets")
fixture = pytest.importorskip("fixtures_human36m", reason="this clone has no fixtures of real datasets")


@pytest.mark.slow
def test_a_prepared_real_dataset_is_scored(folder, put, tmp_path, monkeypatch, smpl_arrays, h36m_rows):
    from posebook.data.real import human36m_json, open_real
    from posebook.data.real.dataset import split_folder
    from posebook.data.real.prepare import prepare

    monkeypatch.setenv("POSEBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("POSEBOOK_PROFILE", "smoke")
    fixture.write_json(tmp_path / "h36m")
    outcome = prepare(human36m_json.READER, tmp_path / "h36m", "test", split_folder("human36m_json", "test"))
    assert outcome.state == "prepared", outcome.message
    put("spin")
    done = CliRunner().invoke(app, ["weights", "spin", "--dataset", "human36m_json", "--folder", str(folder),
                                    "--smpl", str(folder / "smpl.npz")])  # fmt: skip
    assert done.exit_code == 0, done.output
    line = next(line for line in done.output.splitlines() if line.startswith("| PA-MPJPE"))
    assert line.split("|")[3].strip() == "41.10"  # published on this dataset, specs/vibe.md 4.1

    truth = np.asarray(open_real("human36m_json", "test").arrays["joints3d_h36m17"], float)
    body = (h36m_rows @ smpl_arrays["v_template"])[[0, 4, 5, 6, 1, 2, 3, *range(7, 17)]]
    chosen = [1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14, 15, 16]
    apart = (body - body[0])[chosen] - (truth - truth[:, :1])[:, chosen]
    line = next(line for line in done.output.splitlines() if line.startswith("| MPJPE"))
    assert float(line.split("|")[2]) == pytest.approx(1000 * np.linalg.norm(apart, axis=-1).mean(), abs=0.01)
