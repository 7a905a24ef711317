import errno
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from posebook.errors import PosebookError
from posebook.results import RunWriter, check_joints
from posebook.runs import find_runs, read_run
from tiny import metrics_table, sequences_table, write_run

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 8


@pytest.fixture
def run(tmp_path):
    writer = RunWriter("01", "smoke", "procedural", 3, "cpu", "all", tmp_path / "seed3")
    writer.metrics(metrics_table({"net": 70.5}))
    return writer


def test_a_run_comes_back_as_it_was_written(run, tmp_path):
    joints = np.random.default_rng(0).normal(0, 0.3, (5, 17, 3)) + [0, 0, 4]
    run.per_sequence(sequences_table({"net": [70.0, 71.0]}))
    run.predictions([f"id{i}" for i in range(5)], ["s0"] * 5, ["a"] * 5, joints, row="net")
    run.figure("curve", PNG)
    run.info(data_version="d1", body_hash="b1")
    folder = run.finish()
    read = read_run(folder)
    assert folder == tmp_path / "seed3"
    assert sorted(os.listdir(tmp_path)) == ["seed3"]  # no temporary folder is left
    assert read.seed == 3
    assert read.info["parameters"] == {
        **{"profile": "smoke", "seed": 3, "motion": "procedural", "device": "cpu", "experiments": "all"}
    }
    assert (read.info["data_version"], read.info["body_hash"], read.info["trunk_hash"]) == ("d1", "b1", None)
    assert read.info["protocols"] == ["posebook17: 17 joints"]
    assert read.info["versions"]["torch"].startswith("2.13")
    assert read.info["device"]["device"] == "cpu" and read.info["device"]["cores"] >= 1
    assert read.info["peak_memory_mb"] > 50  # torch alone is larger
    assert read.table("metrics")["value"].tolist() == [70.5]
    assert read.table("per_sequence")["mpjpe"].tolist() == [70.0, 71.0]
    assert (folder / "figures" / "curve.png").read_bytes() == PNG
    with np.load(folder / "predictions.npz", allow_pickle=False) as data:
        np.testing.assert_allclose(data["joints3d"], joints, atol=1e-6)
        assert data["sample_id"].tolist() == [f"id{i}" for i in range(5)]


def test_without_out_the_run_goes_to_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POSEBOOK_CACHE", str(tmp_path))
    writer = RunWriter("01", "smoke", seed=2, device="cpu")
    writer.metrics(metrics_table({"net": 1.0}))
    assert writer.finish() == tmp_path / "runs" / "smoke" / "procedural" / "01" / "seed2"


def test_finishing_again_replaces_the_folder(run, tmp_path):
    run.figure("old", PNG)
    run.finish()
    again = RunWriter("01", "smoke", "procedural", 3, "cpu", "all", tmp_path / "seed3")
    again.metrics(metrics_table({"net": 60.0}))
    folder = again.finish()
    assert read_run(folder).table("metrics")["value"].tolist() == [60.0]
    assert not (folder / "figures" / "old.png").exists()


def test_a_full_disk_leaves_nothing_and_the_next_try_works(run, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pd.DataFrame, "to_csv", full)
        with pytest.raises(PosebookError, match="No space left.*posebook cache"):
            run.finish()
    assert os.listdir(tmp_path) == []
    assert read_run(run.finish()) is not None


def test_a_full_disk_keeps_the_older_run(run, tmp_path, monkeypatch):
    before = read_run(run.finish()).info["finished"]
    monkeypatch.setattr(json, "dumps", lambda *_, **__: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    with pytest.raises(PosebookError, match="full"):
        run.finish()
    monkeypatch.undo()
    assert read_run(tmp_path / "seed3").info["finished"] == before


def test_a_kill_while_writing_leaves_no_run(tmp_path):
    """SIGKILL after metrics.csv was written, before run.json: the final folder must not exist."""
    code = """
import pathlib, sys, time
sys.path.insert(0, sys.argv[2])
from tiny import metrics_table
from posebook import results
slow = results.RunWriter._record
def record(self, tables):
    pathlib.Path(sys.argv[1], "ready").touch()
    time.sleep(60)
results.RunWriter._record = record
run = results.RunWriter("01", "smoke", device="cpu", out=sys.argv[1] + "/seed0")
run.metrics(metrics_table({"net": 1.0}))
run.finish()
"""
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path), os.path.dirname(__file__)])
    for _ in range(600):
        if (tmp_path / "ready").exists():
            break
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    written = list(tmp_path.glob(".seed0-*/seed0/metrics.csv"))
    assert len(written) == 1  # the kill came in the middle
    assert not (tmp_path / "seed0").exists() and find_runs(tmp_path) == []
    writer = RunWriter("01", "smoke", device="cpu", out=tmp_path / "seed0")
    writer.metrics(metrics_table({"net": 2.0}))
    assert read_run(writer.finish()).table("metrics")["value"].tolist() == [2.0]


@pytest.mark.parametrize(
    ("table", "method", "message"),
    [
        (metrics_table({"net": 1.0}).drop(columns="protocol"), "metrics", "missing: protocol"),
        (metrics_table({"net": 1.0}, kind="lucky"), "metrics", "lucky"),
        (pd.DataFrame({"row": ["net"]}), "per_sequence", "missing: sequence, mpjpe"),
        (pd.DataFrame({"claim": ["a"]}), "findings", "missing: source"),
        (pd.DataFrame({"row": ["net"]}), "costs", "missing: parameters"),
    ],
)
def test_tables_with_missing_columns_or_kinds_are_refused(run, table, method, message):
    with pytest.raises(PosebookError, match=message):
        getattr(run, method)(table)


def test_a_run_without_metrics_is_refused(tmp_path):
    with pytest.raises(PosebookError, match="no metrics"):
        RunWriter("01", "smoke", device="cpu", out=tmp_path / "seed0").finish()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["../up", "a/b", ""])
def test_names_that_are_no_folder_names_are_refused(name):
    with pytest.raises(PosebookError, match="names a folder"):
        RunWriter(name, "smoke", device="cpu")


def test_values_that_are_not_json_are_refused(run):
    with pytest.raises(PosebookError, match="JSON"):
        run.info(hash=np.float32(1))


def test_a_figure_must_be_a_png(run):
    with pytest.raises(PosebookError, match="PNG"):
        run.figure("a", b"GIF89a")


@pytest.mark.parametrize(
    ("joints", "message"),
    [
        (np.zeros((4, 16, 3)), r"\(4, 16, 3\)"),
        (np.zeros((0, 17, 3)), "N >= 1"),
        (np.zeros((4, 17, 3), dtype=int), "int64"),
        (np.full((4, 17, 3), np.nan), "204 NaN"),
        (np.random.default_rng(0).normal(0, 400, (4, 17, 3)), "divide by 1000"),
    ],
)
def test_joints_that_cannot_be_metres_are_refused(joints, message):
    with pytest.raises(PosebookError, match=message):
        check_joints(joints, "file")


def test_joints_far_from_the_camera_are_metres():
    far = np.random.default_rng(0).normal(0, 0.4, (4, 17, 3)) + [0, 0, 80]
    assert check_joints(far, "file").dtype == np.float32


def test_lengths_must_agree(run):
    with pytest.raises(PosebookError, match="same length"):
        run.predictions(["a"], ["s"] * 2, ["p"] * 2, np.zeros((2, 17, 3)), row="net")


def test_find_runs_reads_finished_folders_only(tmp_path):
    write_run(tmp_path, {"net": [1.0, 2.0]}, seed=1)
    write_run(tmp_path, {"net": [1.0, 2.0]}, seed=0)
    chapter = tmp_path / "laptop" / "procedural" / "01"
    (chapter / ".seed2.host.1.x" / "seed2").mkdir(parents=True)
    (chapter / "seed4").mkdir()  # no run.json
    (chapter / "seed5.failed").mkdir()
    (chapter / "seed5.failed" / "run.json").write_text("{}")
    assert [run.seed for run in find_runs(tmp_path)] == [0, 1]


@pytest.mark.parametrize("text", ["{", '{"schema_version": 99}'])
def test_find_runs_leaves_out_what_cannot_be_read(tmp_path, text):
    write_run(tmp_path, {"net": [1.0, 2.0]}, seed=1)
    (write_run(tmp_path, {"net": [1.0, 2.0]}, seed=0) / "run.json").write_text(text)
    assert [run.seed for run in find_runs(tmp_path)] == [1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a run.json.*Remove its folder"),
        ('{"schema_version": 99}', "schema 99, this version reads 1. Use the version .*, or move its folder elsewhere"),
    ],
)
def test_a_broken_run_json_is_one_clear_error(tmp_path, text, message):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(PosebookError, match=message):
        read_run(tmp_path)


def test_a_run_json_that_may_not_be_read_is_one_clear_error(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    (tmp_path / "run.json").write_text("{}")
    monkeypatch.setattr(type(tmp_path), "read_text", refuse)
    with pytest.raises(PosebookError, match="cannot be read .Permission denied.*Make it readable"):
        read_run(tmp_path)
