import errno
import io
import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from rich.console import Console

from posebook import runner, work_folder
from posebook.cache import file_hash
from posebook.errors import PosebookError
from posebook.kernel import check_parameters
from posebook.project import chapters, library_hash, notebook_hash, select_chapters
from posebook.provenance import resolve_device
from posebook.runner import Request, choose_profile, covers, finished_run, run_all, run_one
from posebook.runs import read_run
from tiny import PARAMETERS, WRITE, chapter, notebook, write_run


def quiet() -> Console:
    return Console(file=io.StringIO(), width=200)


def request(tmp_path, **options) -> Request:
    return Request(**({"profile": "smoke", "seed": 0, "device": "cpu", "results": tmp_path / "results"} | options))


def test_chapters_and_seeds_run_and_a_failure_stops_no_other(tmp_path):
    """Three kernels: chapter 01 breaks, chapter 02 is fine, then 01 is repaired."""
    broken = chapter(tmp_path, "01", "print('before')", "1 / 0")
    chapter(tmp_path, "02")
    for free in ("00_start_here", "07_your_own_images"):
        (tmp_path / "notebooks" / f"{free}.ipynb").write_text("{}")  # no chapter
    notebooks, console = chapters(tmp_path), quiet()
    outcomes = run_all(notebooks, [request(tmp_path)], console)
    assert [(o.chapter, o.status) for o in outcomes] == [("01", "failed"), ("02", "finished")]
    assert "ZeroDivisionError" in outcomes[0].message
    text = console.file.getvalue()
    assert "02 seed 0 cell 4/5: Work" in text and "01 seed 0: failed" in text

    folder = tmp_path / "results" / "smoke" / "procedural"
    assert sorted(os.listdir(folder / "01")) == ["seed0.failed"]
    failed = nbformat.read(folder / "01" / "seed0.failed" / "notebook.ipynb", as_version=4)
    outputs = [output for cell in failed.cells for output in cell.get("outputs", [])]
    assert [output.output_type for output in outputs] == ["stream", "error"]
    assert "ZeroDivisionError" in (folder / "01" / "seed0.failed" / "error.txt").read_text()

    assert sorted(os.listdir(folder / "02")) == ["seed0"]  # no work folder is left
    run = read_run(folder / "02" / "seed0")
    assert run.info["notebook"] == "02_tiny.ipynb"
    assert run.info["notebook_hash"] == notebook_hash(notebooks["02"])
    assert run.info["library_hash"] == library_hash()
    assert run.info["files"] == {"metrics.csv": file_hash(run.folder / "metrics.csv")}  # what this run wrote
    executed = (run.folder / "notebook.ipynb").read_text()
    assert str(tmp_path) not in executed and "seed = 0" in executed

    write_fine = notebook(WRITE.format(chapter="01"))
    nbformat.write(write_fine, broken)
    assert run_one("01", broken, request(tmp_path)).status == "finished"
    assert sorted(os.listdir(folder / "01")) == ["seed0"]  # the answered failure is gone


def test_the_kernel_is_this_python_whatever_kernelspec_is_named(tmp_path):
    path = chapter(tmp_path, "01", "import sys", "raise ValueError(sys.executable)")
    made = nbformat.read(path, as_version=4)
    made.metadata["kernelspec"]["name"] = "somebody-elses"
    nbformat.write(made, path)
    assert run_one("01", path, request(tmp_path)).message == f"cell [4]: ValueError: {sys.executable}"


@pytest.mark.parametrize(
    ("cell", "message", "options"),
    [
        ("import time; time.sleep(60)", "longer than 2 s", {"cell_timeout": 2}),
        ("import os; os._exit(1)", "kernel died", {}),
        ("done = True", "run.finish", {}),
    ],
)
def test_hanging_dead_and_silent_notebooks_are_failures(tmp_path, cell, message, options):
    outcome = run_one("01", chapter(tmp_path, "01", cell), request(tmp_path, **options))
    assert outcome.status == "failed" and message in outcome.message
    kept = nbformat.read(outcome.folder / "notebook.ipynb", as_version=4)
    assert "This run failed" in kept.cells[0].source and message in kept.cells[0].source


def test_finished_runs_are_skipped_unless_more_is_asked(tmp_path):
    path = chapter(tmp_path, "01")
    asked = request(tmp_path)
    folder = write_run(asked.results, {"net": [1.0, 2.0]}, profile="smoke")
    assert "other sources" in finished_run(path, folder, asked)
    assert run_one("01", path, asked).status == "skipped"
    assert finished_run(path, folder, request(tmp_path, force=True)) is None
    assert finished_run(path, folder, request(tmp_path, experiments="all")) is None
    assert finished_run(path, folder.with_name("seed1"), asked) is None


@pytest.mark.parametrize(
    ("done", "asked", "answer"), [("core", "core", True), ("all", "core", True), ("core", "all", False)]
)
def test_all_experiments_cover_the_core(done, asked, answer):
    assert covers(done, asked) is answer


def test_a_failing_rerun_keeps_the_finished_run(tmp_path):
    asked = request(tmp_path, force=True)
    folder = write_run(asked.results, {"net": [1.0, 2.0]}, profile="smoke")
    assert run_one("01", chapter(tmp_path, "01", "1 / 0"), asked).status == "failed"
    assert read_run(folder).table("metrics")["value"].tolist() == [1.5]
    assert sorted(os.listdir(folder.parent)) == ["seed0", "seed0.failed"]


def test_a_full_disk_is_a_failure_with_advice_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(runner, "complete", full)
    asked = request(tmp_path)
    outcome = run_one("01", chapter(tmp_path, "01"), asked)
    assert outcome.status == "failed" and "No space left" in outcome.message and "posebook cache" in outcome.message
    assert os.listdir(asked.results / "smoke" / "procedural" / "01") == []


def test_a_folder_that_cannot_be_written_to_is_a_failure_with_advice_of_its_own(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(work_folder.tempfile, "mkdtemp", refuse)
    outcome = run_one("01", chapter(tmp_path, "01"), request(tmp_path))
    assert outcome.status == "failed" and "Read-only file system" in outcome.message
    assert "can be written to" in outcome.message and "free some space" not in outcome.message


def test_a_kernel_that_does_not_start_is_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "environment", lambda *_: {"PYTHONHOME": str(tmp_path / "nowhere")})
    outcome = run_one("01", chapter(tmp_path, "01"), request(tmp_path))
    assert outcome.status == "failed" and outcome.message.startswith("the kernel did not start (")
    assert f"{sys.executable} -m ipykernel" in outcome.message and "make install" in outcome.message


def test_a_killed_runner_leaves_no_run_and_the_next_one_works(tmp_path):
    path = chapter(
        tmp_path, "01", "import pathlib, time; pathlib.Path(out).parent.joinpath('ready').touch(); time.sleep(90)"
    )
    code = """
import sys; from pathlib import Path; from posebook.runner import Request, run_one
run_one("01", Path(sys.argv[1]), Request("smoke", 0, device="cpu", results=Path(sys.argv[2])))
"""
    results = tmp_path / "results"
    process = subprocess.Popen([sys.executable, "-c", code, str(path), str(results)])
    folder = results / "smoke" / "procedural" / "01"
    for _ in range(900):
        if list(folder.glob(".seed0.*/ready")):
            break
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert len(list(folder.glob(".seed0.*"))) == 1  # its work folder
    assert read_run(folder / "seed0") is None and not (folder / "seed0").exists()
    assert run_one("01", chapter(tmp_path, "01"), request(tmp_path)).status == "finished"
    assert os.listdir(folder) == ["seed0"]  # the leftover was removed


def test_a_run_whose_replacing_was_killed_is_finished(tmp_path):
    asked = request(tmp_path)
    folder = write_run(asked.results, {"net": [1.0, 2.0]}, profile="smoke")
    code = """
import os, sys; from pathlib import Path; from posebook.work_folder import TRASH, work_folder
with work_folder(Path(sys.argv[1])) as work:
    Path(sys.argv[1]).rename(work / TRASH)
    os._exit(1)
"""
    subprocess.run([sys.executable, "-c", code, str(folder)])
    assert not folder.exists()
    assert run_one("01", chapter(tmp_path, "01"), asked).status == "skipped"
    assert os.listdir(folder.parent) == ["seed0"]


@pytest.mark.parametrize(("text", "message"), [("{", "is not a run.json"), ('{"schema_version": 99}', "has schema 99")])
def test_what_cannot_be_read_in_a_runs_place_is_a_failure_and_stops_no_other(tmp_path, text, message):
    asked = request(tmp_path)
    folders = [write_run(asked.results, {"net": [1.0, 2.0]}, number=n, profile="smoke") for n in ("01", "02")]
    (folders[0] / "run.json").write_text(text)
    for number in ("01", "02"):
        chapter(tmp_path, number)
    outcomes = run_all(chapters(tmp_path), [asked], quiet())
    assert [(o.chapter, o.status) for o in outcomes] == [("01", "failed"), ("02", "skipped")]
    assert message in outcomes[0].message and (folders[0] / "run.json").read_text() == text


def test_unknown_parameters_are_refused_before_anything_runs(tmp_path):
    without_out = "\n".join(line for line in PARAMETERS.splitlines() if not line.startswith("out"))
    chapter(tmp_path, "01")
    chapter(tmp_path, "02", parameters=without_out)
    with pytest.raises(
        PosebookError, match=r"02_tiny.ipynb does not know the parameter\(s\) out; it defines profile, seed"
    ):
        run_all(chapters(tmp_path), [request(tmp_path)], quiet())
    assert not (tmp_path / "results").exists()


def test_a_notebook_without_a_parameters_cell_is_refused(tmp_path):
    with pytest.raises(PosebookError, match="no cell tagged `parameters`"):
        check_parameters(chapter(tmp_path, "01", "1", parameters=None), {"seed": 0})


@pytest.mark.parametrize(
    ("options", "message"),
    [({"motion": "dance"}, "dance"), ({"device": "tpu"}, "tpu"), ({"device": "cuda:99"}, "cuda:99")],
)
def test_unknown_motion_and_device_are_refused(tmp_path, options, message):
    chapter(tmp_path, "01")
    with pytest.raises(PosebookError, match=message):
        run_all(chapters(tmp_path), [request(tmp_path, **options)], quiet())


def test_auto_is_the_cpu_without_cuda(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert resolve_device("auto").type == "cpu"


def test_profile_of_option_and_environment(monkeypatch):
    monkeypatch.delenv("POSEBOOK_PROFILE", raising=False)
    assert choose_profile(None) == "laptop" and choose_profile("smoke") == "smoke"
    monkeypatch.setenv("POSEBOOK_PROFILE", "smoke")
    assert choose_profile(None) == "smoke" and choose_profile("smoke") == "smoke"
    with pytest.raises(PosebookError, match="--profile laptop conflicts with POSEBOOK_PROFILE=smoke"):
        choose_profile("laptop")
    with pytest.raises(PosebookError, match="conflicts"):
        choose_profile("nonsense")
    monkeypatch.delenv("POSEBOOK_PROFILE")
    with pytest.raises(PosebookError, match="nonsense"):
        choose_profile("nonsense")


def test_chapters_are_selected_by_number_or_name(tmp_path):
    one, two = chapter(tmp_path, "01"), chapter(tmp_path, "02")
    assert select_chapters([], tmp_path) == {"01": one, "02": two}
    assert select_chapters(["2"], tmp_path) == select_chapters(["02"], tmp_path) == {"02": two}
    assert select_chapters(["notebooks/01_tiny.ipynb"], tmp_path) == {"01": one}
    for unknown in ("07", "01_other", "", "two"):
        with pytest.raises(PosebookError, match="Unknown chapter.*01, 02"):
            select_chapters([unknown], tmp_path)


def test_the_notebook_hash_sees_code_only(tmp_path):
    path = chapter(tmp_path, "01", "1 + 1")
    before = notebook_hash(path)
    made = nbformat.read(path, as_version=4)
    made.cells[-1].outputs = [nbformat.v4.new_output("stream", text="2")]
    made.cells.insert(2, nbformat.v4.new_code_cell("seed = 1", metadata={"tags": ["injected-parameters"]}))
    made.cells.insert(2, nbformat.v4.new_markdown_cell("In other words."))
    nbformat.write(made, path)
    assert notebook_hash(path) == before
    made.cells[-1].source = "1 + 2"
    nbformat.write(made, path)
    assert notebook_hash(path) != before
