import errno
import json
import os

import nbformat
import numpy as np
import pytest
from typer.testing import CliRunner

from posebook import __version__, doctor, project, report, score, storybook
from posebook.cache import cache_dir
from posebook.cli import app, parse_seeds
from posebook.errors import PosebookError
from posebook.project import notebook_hash
from posebook.score import Truth
from tiny import chapter, write_run


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone with chapters 01 and 02, an empty cache, and no profile in the environment."""
    chapter(tmp_path, "01")
    chapter(tmp_path, "02", "raise ValueError('broken on purpose')")
    for module in (project, storybook, __import__("posebook.runner", fromlist=["x"])):
        monkeypatch.setattr(module, "project_root", lambda: tmp_path)
    monkeypatch.setenv("POSEBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("POSEBOOK_PROFILE", raising=False)
    return tmp_path


def call(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_run_makes_the_table_and_a_failure_sets_the_exit_code(clone):
    done = call("run", "--profile", "smoke", "--seed", "0,1", "--device", "cpu")
    assert done.exit_code == 1, done.output
    assert "01 seed 0: finished" in done.output and "01 seed 1: finished" in done.output
    assert "failed: chapter 02, seed 1: cell [3]: ValueError: broken on purpose" in done.output
    row = next(line for line in done.output.splitlines() if "| net" in line)
    assert "70.5" in row and "70.0–71.0 (2)" in row  # mean and range of 70 and 71
    assert (clone / "results-local" / "smoke" / "procedural" / "01" / "seed1" / "run.json").is_file()
    assert not (clone / "results").exists()

    again = call("run", "1", "--profile", "smoke", "--seed", "0", "--seed", "1", "--device", "cpu")
    assert again.exit_code == 0
    assert again.output.count("skipped (finished before)") == 2 and "70.5" in again.output

    report = call("report")
    assert report.exit_code == 0 and "70.5" in report.output and "failed: 02 seed0" in report.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "07"), "Unknown chapter '07'"),
        (("run", "01", "--profile", "huge"), "Unknown profile 'huge'"),
        (("run", "01", "--motion", "dance"), "dance"),
        (("run", "01", "--device", "tpu"), "tpu"),
        (("run", "01", "--seed", "x"), "--seed takes whole numbers"),
        (("run", "01", "--seed", "-1"), "--seed takes whole numbers"),
        (("report", "--results", "nowhere"), "no results folder nowhere"),
        (("score", "nothing.npz"), "no file nothing.npz"),
        (("cache", "everything", "--clear"), "Unknown kind everything"),
        (("notebooks", "07"), "Unknown notebook"),
    ],
)
def test_wrong_input_is_one_message_and_exit_code_2(clone, arguments, message):
    done = call(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr and "Traceback" not in done.output
    assert done.stderr.startswith("posebook: ") and len(done.stderr.strip().splitlines()) == 1


def test_run_prints_the_gaps_of_what_was_asked_for_and_writes_all(clone):
    write_run(clone / "results-local", {"net": [40.0, 42.0]}, profile="smoke")
    done, gap = call("run", "01", "--profile", "smoke", "--device", "cpu"), "chapter 02, seed 0: no run"
    assert done.exit_code == 0 and "41.0" in done.output and gap not in done.output
    written = (clone / "results-local" / "report.md").read_text()
    assert "41.0" in written and gap in written


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_report_that_cannot_be_written_is_printed_all_the_same(clone, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    write_run(clone / "results", {"net": [40.0, 42.0]})
    monkeypatch.setattr(report, "write", refuse)
    done = call("report", "--results", clone / "results")
    assert done.exit_code == 0 and "41.0" in done.output
    assert f"not written: {clone / 'results' / 'report.md'} ({os.strerror(number)})" in done.stderr


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_one_message_and_exit_code_2(clone, monkeypatch, number):
    def full(*_):
        raise OSError(number, os.strerror(number), str(clone / "results" / "report.md"))

    write_run(clone / "results", {"net": [40.0, 42.0]})
    monkeypatch.setattr(report, "write", full)
    done = call("report", "--results", clone / "results")
    assert done.exit_code == 2 and "Traceback" not in done.output and len(done.stderr.strip().splitlines()) == 1
    for part in ("`posebook report` stopped", os.strerror(number), str(clone), "MB free", "`posebook cache`"):
        assert part in done.stderr


def test_a_full_disk_without_a_path_names_the_cache(clone, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(doctor, "cache_sizes", full)
    done = call("cache")
    assert done.exit_code == 2 and str(clone / "cache") in done.stderr


def test_other_errors_of_the_system_keep_their_traceback(clone, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied", "report.md")

    monkeypatch.setattr(doctor, "cache_sizes", refuse)
    assert isinstance(call("cache").exception, PermissionError)


def test_unknown_options_and_commands_are_exit_code_2(clone):
    assert call("run", "--epochs", "3").exit_code == 2
    assert call("train").exit_code == 2


def test_a_profile_in_the_environment_must_not_contradict(clone, monkeypatch):
    monkeypatch.setenv("POSEBOOK_PROFILE", "smoke")
    done = call("run", "01", "--profile", "laptop")
    assert done.exit_code == 2 and "conflicts with POSEBOOK_PROFILE=smoke" in done.stderr


def test_seeds_are_parsed_without_repeats():
    assert parse_seeds(["0", "2,1", "1"]) == [0, 2, 1]
    for wrong in ([], [""], ["1.5"], ["a"]):
        with pytest.raises(PosebookError):
            parse_seeds(wrong)


def test_report_of_a_named_folder(clone):
    write_run(clone / "mine", {"net": [40.0, 42.0]})
    done = call("report", "--results", clone / "mine")
    assert done.exit_code == 0 and "41.0 [" in done.output
    assert (clone / "mine" / "report.csv").is_file()


def test_report_names_what_it_leaves_out_and_goes_on(clone):
    write_run(clone / "mine", {"net": [40.0, 42.0]})
    broken = write_run(clone / "mine", {"net": [80.0, 82.0]}, seed=1)
    (broken / "run.json").write_text("{")
    done = call("report", "--results", clone / "mine")
    assert done.exit_code == 0 and "41.0 [" in done.output and "1 seed" in done.output
    assert "- `laptop/procedural/01/seed1`: " in done.output and "is not a run.json of Posebook" in done.output


def test_report_writes_the_readme_from_the_committed_results(clone):
    markers = "<!-- map:begin -->\n<!-- map:end -->\n<!-- table:begin -->\n<!-- table:end -->\n"
    (clone / "README.md").write_text(f"top\n{markers}bottom\n")
    write_run(clone / "results", {"volume {1,16}": [40.0, 42.0]})
    write_run(clone / "results-local", {"volume {1,16}": [90.0, 92.0]})
    assert call("report", "--readme").exit_code == 0
    text = (clone / "README.md").read_text()
    assert "41.0 [" in text and "91.0" not in text and text.startswith("top\n") and text.endswith("bottom\n")


def test_score_prints_protocol_and_table(clone, monkeypatch):
    joints = np.random.default_rng(0).normal(0, 0.4, (8, 17, 3)).astype(np.float32)
    truth = Truth(np.array([f"id{i}" for i in range(8)]), np.repeat(["a", "b"], 4), joints, "8 test images")
    asked = []
    monkeypatch.setattr(score, "load_truth", lambda profile, motion: asked.append((profile, motion)) or truth)
    np.savez(clone / "p.npz", sample_id=truth.sample_id, joints3d=joints * 1.1)
    done = call("score", clone / "p.npz", "--profile", "smoke", "--motion", "cmu")
    assert done.exit_code == 0 and asked == [("smoke", "cmu")]
    assert "posebook17" in done.output and "8 test images" in done.output
    rows = {line.split("|")[1].strip(): line for line in done.output.splitlines() if line.startswith("|")}
    assert "0.00" in rows["n_mpjpe"] and "0.00" not in rows["mpjpe"].split("|")[2]


def test_cache_shows_sizes_and_clears_what_is_named(clone):
    (cache_dir("runs") / "a").write_bytes(b"0" * 3_000_000)
    (cache_dir("data") / "b").write_bytes(b"0" * 1_000_000)
    shown = call("cache").output
    assert "3.0 MB" in shown and "1.0 MB" in shown and str(clone / "cache") in shown
    assert call("cache", "--clear", "runs").exit_code == 0
    assert not (clone / "cache" / "runs" / "a").exists() and (clone / "cache" / "data" / "b").exists()
    assert call("cache", "--clear").exit_code == 0
    assert not (clone / "cache" / "data" / "b").exists()


def test_notebooks_are_executed_and_written_back(clone):
    """The committed chapter gets the outputs of the committed run; cells are numbered 1..n; parameters stay."""
    plain = chapter(clone, "03", "print(experiments, out)\n1 + 1")
    plain.rename(clone / "notebooks" / "template.ipynb")
    done = call("notebooks", "01", "template")
    assert done.exit_code == 0, done.output
    for name in ("01_tiny", "template"):
        made = nbformat.read(clone / "notebooks" / f"{name}.ipynb", as_version=4)
        code = [cell for cell in made.cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in code] == [1, 2]
        assert code[0].source.startswith('profile: str = "laptop"') and 'experiments: str = "core"' in code[0].source
        assert made.metadata["posebook"]["parameters"]["experiments"] == "all"
        assert str(clone) not in nbformat.writes(made)
    assert code[1].outputs[0].text.startswith("all <tmp>/") and code[1].outputs[1].execution_count == 2
    run = clone / "results" / "laptop" / "procedural" / "01" / "seed0"
    assert (run / "notebook.ipynb").is_file()

    older = json.loads((run / "run.json").read_text()) | {"finished": "2020-01-01T00:00:00+00:00"}
    older |= {"git": {"commit": "abc", "dirty": False}, "versions": {"torch": "1.0"}, "device": {"device": "cuda:0"}}
    (run / "run.json").write_text(json.dumps(older))
    assert call("notebooks", "01").exit_code == 0  # the finished run is reused: the stamp is its own, not of today
    stamp = nbformat.read(clone / "notebooks" / "01_tiny.ipynb", as_version=4).metadata["posebook"]
    assert stamp["executed"] == "2020-01-01T00:00:00+00:00"
    assert {name: stamp[name] for name in ("git", "versions", "device")} == {
        name: older[name] for name in ("git", "versions", "device")
    }
    assert stamp["source_hash"] == notebook_hash(clone / "notebooks" / "01_tiny.ipynb")
    assert call("notebooks", "01", "--seed", "2").exit_code == 0  # another seed's run, and its own stamp
    assert (run.parent / "seed2" / "notebook.ipynb").is_file()
    stamp = nbformat.read(clone / "notebooks" / "01_tiny.ipynb", as_version=4).metadata["posebook"]
    assert stamp["parameters"]["seed"] == 2


def test_a_failing_notebook_keeps_its_committed_outputs(clone):
    before = (clone / "notebooks" / "02_tiny.ipynb").read_text()
    done = call("notebooks", "02")
    assert done.exit_code == 1 and "02_tiny" in done.stderr
    assert (clone / "notebooks" / "02_tiny.ipynb").read_text() == before


def test_version_and_help():
    assert call("--version").output.strip() == __version__
    shown = call("--help").output
    assert all(f" {name} " in shown for name in ("run", "report", "score", "pretrain", "notebooks", "cache", "doctor"))
    assert "results-local" in call("run", "--help").output
