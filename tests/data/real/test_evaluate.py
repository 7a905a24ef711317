"""Scoring on real datasets: against distances computed by hand, and through `posebook run --dataset`."""

import fixtures_human36m
import fixtures_threedpw
import numpy as np
import pytest
from typer.testing import CliRunner

from posebook.cache import cache_dir
from posebook.cli import app
from posebook.data.real import human36m_json, threedpw
from posebook.data.real.evaluate import default_protocol, evaluation, mean_pose, read_predictions, score_frames, summary
from posebook.data.real.prepare import prepare
from posebook.errors import PosebookError
from posebook.joint_atlas import convert
from posebook.project import select_chapters
from posebook.runner import Request, check_request, run_one
from posebook.runs import read_run


@pytest.fixture
def human36m(tmp_path, prepared):
    fixtures_human36m.write_json(tmp_path / "h36m", fits=False)
    return prepared(human36m_json.READER, tmp_path / "h36m", "test")


def test_errors_against_distances_by_hand(human36m):
    evaluated = evaluation(human36m, "h36m_hmr_p1")
    offsets = np.zeros((17, 3))
    offsets[13] = [0.03, 0, 0.04]  # the left wrist is 50 mm off, one of 14 joints
    frames = score_frames(evaluated, evaluated.truth + offsets + [5.0, 1, 2])  # a place is no error
    np.testing.assert_allclose(frames["mpjpe"], 50 / 14, atol=1e-3)
    assert (frames["pa_mpjpe"] > 0.5).all()  # an alignment of the whole does not remove one joint's error
    table = summary("mine", frames, evaluated).set_index("metric")
    assert table.loc["mpjpe", "value"] == pytest.approx(50 / 14, abs=1e-3) and table.loc["mpjpe", "n_frames"] == 8
    assert "14 joints lsp14" in table.loc["mpjpe", "protocol"]
    nose = evaluated.truth.copy()
    nose[:, 9] += 1  # H36M's nose is not among LSP's 14
    assert score_frames(evaluated, nose)["mpjpe"].max() < 1e-6
    with pytest.raises(PosebookError, match="in the order h36m17"):
        score_frames(evaluated, evaluated.truth[:, :14])


def test_means_over_actions(human36m):
    evaluated = evaluation(human36m, "h36m_c2f")
    frames = score_frames(evaluated, evaluated.truth)
    frames["mpjpe"] = [9.0, 1, 1, 1, 1, 1, 1, 1]
    frames["action"] = ["a"] + ["b"] * 7
    assert summary("x", frames, evaluated).set_index("metric").loc["mpjpe", "value"] == 5.0


def test_the_interval_is_of_the_mean_beside_it(human36m):
    """Over frames, of which one easy sequence has more than the two hard ones together."""
    evaluated = evaluation(human36m, "h36m_hmr_p1")
    frames = score_frames(evaluated, evaluated.truth)
    frames["mpjpe"], frames["sequence"] = [20.0] * 6 + [90, 110], [*"aaaaaabc"]
    line = summary("x", frames, evaluated).set_index("metric").loc["mpjpe"]
    assert line["value"] == 40 and (line["low"], line["high"]) == (20, 110)
    own = frames.groupby("sequence")["mpjpe"].mean()
    assert own.mean() == pytest.approx(220 / 3)  # of which it is not


def test_default_protocols_and_predictions(human36m, tmp_path, prepared):
    assert default_protocol(human36m).name == "h36m_c2f"
    fixtures_threedpw.write(tmp_path / "3DPW", pictures=False)
    outdoor = prepared(threedpw.READER, tmp_path / "3DPW", "test")
    evaluated = evaluation(outdoor)
    assert evaluated.protocol.name == "3dpw_smpl24"
    ids = np.asarray(outdoor.texts["sample_id"])
    np.savez(tmp_path / "p.npz", sample_id=ids[::-1], joints3d=evaluated.truth[::-1])
    np.testing.assert_array_equal(read_predictions(tmp_path / "p.npz", evaluated), evaluated.truth)
    np.savez(tmp_path / "q.npz", sample_id=ids[:5], joints3d=evaluated.truth[:5])
    with pytest.raises(PosebookError, match="9 of 14 scored samples are missing"):
        read_predictions(tmp_path / "q.npz", evaluated)
    assert mean_pose(human36m, evaluated) is None  # it has no SMPL joints
    own = mean_pose(outdoor, evaluated)
    relative = evaluated.truth - evaluated.truth[:, :1]
    np.testing.assert_allclose(own[3], relative.mean(0), atol=1e-5)
    assert convert(own, "smpl24", "lsp14").valid[:12].all()


def test_unknown_datasets_are_refused(tmp_path):
    check_request(Request("smoke", 0, device="cpu", results=tmp_path, dataset="3dpw"), select_chapters(["evaluate"]))
    with pytest.raises(PosebookError, match="Unknown dataset 'h37m'"):
        check_request(Request("smoke", 0, device="cpu", dataset="h37m"), {})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["3dpw", "human36m_json"])
def test_the_evaluation_notebook(tmp_path, own_cache, name):
    """The fixtures through papermill, as `posebook run --dataset` does it."""
    own_cache("body", "data", "motion")
    if name == "3dpw":
        fixtures_threedpw.write(tmp_path / "source")
        prepare(threedpw.READER, tmp_path / "source", "test", cache_dir("real") / name / "test")
    else:
        fixtures_human36m.write_json(tmp_path / "source")
        prepare(human36m_json.READER, tmp_path / "source", "test", cache_dir("real") / name / "test")
    request = Request("smoke", 0, device="cpu", experiments="all", results=tmp_path / "results", dataset=name)
    outcome = run_one("evaluate", select_chapters(["evaluate"])["evaluate"], request)
    assert outcome.status == "finished", outcome.message
    run = read_run(outcome.folder)
    assert outcome.folder == tmp_path / "results" / "smoke" / name / "evaluate" / "seed0"
    metrics = run.table("metrics")
    assert {"pck", "auc", "accel_error"} - ({"accel_error"} if name == "human36m_json" else set()) < set(
        metrics["metric"]
    )
    assert metrics.query("unit == '%'")["value"].between(0, 100).all()
    metrics = metrics.query("unit == 'mm'")
    assert set(metrics["row"]) == {"mean pose, rendered people", "ridge on 8 × 8 pixels, rendered people"}
    assert metrics["value"].between(20, 1000).all() and run.info["test"].startswith(f"{name} test")


def test_the_command_line_hands_the_dataset_on(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr("posebook.runner.run_all", lambda *given: asked.append(given[:2]) or [])
    monkeypatch.delenv("POSEBOOK_PROFILE", raising=False)
    words = ["run", "--dataset", "3dpw", "--profile", "smoke", "--results", str(tmp_path)]
    assert CliRunner().invoke(app, words).exit_code == 0
    notebooks, requests = asked[0]
    assert list(notebooks) == ["evaluate"] and notebooks["evaluate"].is_file()
    assert [r.dataset for r in requests] == ["3dpw"] and requests[0].parameters("evaluate")["dataset"] == "3dpw"
    assert "dataset" not in Request("smoke", 0).parameters("evaluate")
