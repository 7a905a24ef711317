"""Chapters trained and tested on real datasets' fixtures, as `posebook run 01 --dataset 3dpw` does it."""

import pytest
import whole_sets

from posebook.data.real import body_models
from posebook.data.real.recipe import own_splits
from posebook.errors import PosebookError
from posebook.own_body import FREE, VARIABLE
from posebook.project import EVALUATION, select_chapters
from posebook.report import MOTIONS, build
from posebook.runner import Request, check_request, environment, run_one
from posebook.runs import read_run
from posebook.training.command import body_of


@pytest.fixture
def cache(tmp_path, own_cache):
    """A cache of its own that shares the baked bodies and the trunk."""
    own_cache("body", "hand", "trunk")
    return tmp_path


HEADLINES = {"01": "volume {1,16}", "02": "12 parts, predicted", "03": "I2L lixel", "04": "VIBE", "05": "from image"}
LONG = pytest.mark.long  # chapters whose code other runs of the suite execute on rendered people


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "chapters"),
    [
        ("human36m_json", ("05",)),
        pytest.param("human36m_json", ("01",), marks=LONG),
        pytest.param("mpi_inf_3dhp", ("01", "05"), marks=LONG),
        ("3dpw", ("04",)),
        pytest.param("3dpw", ("01",), marks=LONG),
        pytest.param("3dpw", ("02",), marks=LONG),
        pytest.param("3dpw", ("03",), marks=LONG),
        pytest.param("3dpw", ("05",), marks=LONG),
    ],
)
def test_chapters_run_on_real_datasets(cache, monkeypatch, name, chapters):
    """Smoke profile, by papermill; 3DPW with a body in SMPL's layout, which its chapters then work with."""
    if name == "3dpw":
        whole_sets.make_bodies(cache / "models", monkeypatch)
        whole_sets.make_3dpw(cache / "source", monkeypatch, scored=False)
    else:
        whole_sets.MAKE[name](cache / "source", monkeypatch)
    request = Request("smoke", 0, device="cpu", results=cache / "results", dataset=name)
    for chapter in chapters:
        notebooks = select_chapters([chapter])
        check_request(request, notebooks)
        outcome = run_one(chapter, notebooks[chapter], request)
        assert outcome.status == "finished", outcome.message
        assert outcome.folder == cache / "results" / "smoke" / name / chapter / "seed0"
        check_run(outcome.folder, HEADLINES[chapter], own_splits(name)[2])
    text = build(cache / "results").markdown
    assert f"### Profile `smoke`, dataset `{name}`" in text and "no run" not in text


def check_run(folder, headline, split):
    """Rows were scored on the dataset's own test split."""
    run = read_run(folder)
    metrics = run.table("metrics").query("metric == 'pa_mpjpe'").set_index("row")["value"]
    assert run.info["headline"] == headline and metrics[headline] > metrics.min() >= 0
    assert f"from its split {split}" in run.info["test"] and run.info["data_version"]


def test_chapters_of_bodies_work_with_smpl_where_it_is(cache, monkeypatch):
    request = Request("smoke", 0, device="cpu", dataset="3dpw")
    whole_sets.make_bodies(cache / "models", monkeypatch)
    whole_sets.make_3dpw(cache / "3DPW", monkeypatch, scored=False, frames=10)
    neutral = str(body_models.models_folder() / "SMPL_NEUTRAL.npz")
    assert {c: environment(c, request)[VARIABLE] for c in ("01", "02", "03", "04", "05")} == {
        "01": FREE, "02": neutral, "03": neutral, "04": neutral, "05": FREE}  # fmt: skip
    assert body_of("04", "3dpw") == neutral and body_of("04", "procedural") == FREE  # of `posebook train`
    assert environment("04", Request("smoke", 0))[VARIABLE] == environment(EVALUATION, request)[VARIABLE] == FREE
    with pytest.raises(PosebookError, match="Chapter 04 needs .* has no 8 frames in a row"):
        check_request(request, select_chapters(["04"]))  # frame 5 of 10 has no camera
    check_request(request, select_chapters(["01", "02", "03", "05"]))


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
