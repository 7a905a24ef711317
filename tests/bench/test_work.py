import pytest

from posebook import project
from posebook.bench import work
from posebook.bench.grid import Grid, expand
from posebook.bench.work import check_node, order
from posebook.errors import PosebookError
from tiny import chapter


@pytest.fixture
def asked(tmp_path, monkeypatch):
    chapter(tmp_path, "01")
    monkeypatch.setattr(project, "project_root", lambda: tmp_path)
    monkeypatch.delenv("POSEBOOK_PROFILE", raising=False)
    shared = tmp_path / "shared"
    shared.touch()
    return order(expand(Grid(profiles=["smoke"]), tmp_path / "out"), 1, shared)


def test_the_same_sources_and_folder_pass(asked):
    check_node(asked)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"library": "0" * 64}, r"another version of the project than this machine \(library in "),
        ({"notebooks": {"01": "0" * 64}}, r"\(notebook 01 in "),
        ({"notebooks": {"01": "0" * 64}, "library": ""}, r"\(library, notebook 01 in "),
    ],
)
def test_other_sources_are_refused(asked, change, message):
    with pytest.raises(PosebookError, match=message):
        check_node(asked._replace(**change))


def test_a_results_folder_that_is_not_the_clients_is_refused(asked):
    asked.shared.unlink()
    with pytest.raises(PosebookError, match="does not see the results folder .*--results"):
        check_node(asked)


def test_a_run_is_refused_before_its_notebook_starts(asked, tmp_path, monkeypatch):
    monkeypatch.setattr(work, "run_one", lambda *_: pytest.fail("it ran"))
    run = expand(Grid(profiles=["smoke"]), tmp_path / "out")[0]
    with pytest.raises(PosebookError, match="another version"):
        work.perform(run, asked._replace(library="old"))
