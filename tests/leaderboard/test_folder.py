import pytest

from posebook.errors import PosebookError
from posebook.leaderboard import folder as module
from posebook.leaderboard.folder import choose
from tiny import write_run


@pytest.fixture
def clone(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "project_root", lambda: tmp_path)
    (tmp_path / "results").mkdir()
    return tmp_path


def test_what_was_asked_for_is_shown_with_the_others_beside_it(clone):
    write_run(clone / "results", {"net": [1.0, 2.0]})
    write_run(clone / "results", {"net": [1.0, 2.0]}, motion="cmu")
    shown = choose("", "laptop", "cmu")
    assert (shown.group.motion, shown.note, shown.folder) == ("cmu", "", clone / "results")
    assert [g.motion for g in shown.others] == ["procedural"] and not shown.excluded


def test_committed_runs_stand_in_and_this_is_said(clone):
    write_run(clone / "results", {"net": [1.0, 2.0]})
    own = clone / "own"
    write_run(own, {"net": [3.0, 4.0]}, profile="gpu")
    assert choose(own, "gpu").group.profile == "gpu"
    shown = choose(own, "smoke")
    assert shown.group.profile == "laptop" and shown.folder == clone / "results"
    assert "own/ has no run of profile smoke" in shown.note and "are shown instead" in shown.note


def test_nothing_to_show_is_one_sentence(clone):
    with pytest.raises(PosebookError, match="git checkout results"):
        choose("", "laptop")
    with pytest.raises(PosebookError, match="no results folder"):
        choose(clone / "nowhere")
