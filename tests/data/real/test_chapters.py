"""Chapters trained and tested on real datasets' fixtures, as `posebook run 01 --dataset 3dpw` does it."""

import pytest
import whole_sets

from posebook.data.real.source import own_splits
from posebook.errors import PosebookError
from posebook.project import EVALUATION, select_chapters
from posebook.report import MOTIONS, build
from posebook.runner import Request, check_request, run_one
from posebook.runs import read_run


@pytest.fixture
def cache(tmp_path, own_cache):
    """A cache of its own that shares the baked bodies and the trunk."""
    own_cache("body", "hand", "trunk")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("name", ["human36m_json", "3dpw", "mpi_inf_3dhp"])
def test_chapters_run_on_real_datasets(cache, monkeypatch, name):
    """Volumes and self-supervised lifting, smoke profile, by papermill."""
    whole_sets.MAKE[name](cache / "source", monkeypatch)
    request = Request("smoke", 0, device="cpu", results=cache / "results", dataset=name)
    for chapter, headline in (("01", "volume {1,16}"), ("05", "from image")):
        notebooks = select_chapters([chapter])
        check_request(request, notebooks)
        outcome = run_one(chapter, notebooks[chapter], request)
        assert outcome.status == "finished", outcome.message
        assert outcome.folder == cache / "results" / "smoke" / name / chapter / "seed0"
        run = read_run(outcome.folder)
        metrics = run.table("metrics").query("metric == 'pa_mpjpe'").set_index("row")["value"]
        assert run.info["headline"] == headline and metrics[headline] > metrics.min() >= 0
        assert f"from its split {own_splits(name)[2]}" in run.info["test"] and run.info["data_version"]
    text = build(cache / "results").markdown
    assert f"### Profile `smoke`, dataset `{name}`" in text and "no run" not in text


def test_requests_hand_a_dataset_to_chapters_as_their_source(cache, monkeypatch):
    request = Request("smoke", 0, device="cpu", dataset="human36m_json")
    assert request.parameters("01")["motion"] == "human36m_json" and "dataset" not in request.parameters("01")
    assert request.parameters(EVALUATION)["dataset"] == "human36m_json"
    assert request.parameters(EVALUATION)["motion"] == "procedural"
    with pytest.raises(PosebookError, match="is not prepared"):
        check_request(request, select_chapters(["01"]))
    whole_sets.make_human36m(cache / "h36m", monkeypatch, frames=2)
    check_request(request, select_chapters(["01", "evaluate"]))
    with pytest.raises(
        PosebookError, match="Chapter 03 needs image, parts, .* has no parts, joints2d, joints3d, betas"
    ):
        check_request(request, select_chapters(["01", "03"]))


def test_the_report_knows_all_motions():
    from posebook import motion

    assert MOTIONS == motion.MOTIONS
