"""Profiles: the environment wins and says so; unknown names are refused."""

import pytest

from posebook.errors import PosebookError
from posebook.profile import PROFILES, load_profile


def test_environment_wins_and_says_so(monkeypatch, capsys):
    monkeypatch.setenv("POSEBOOK_PROFILE", "smoke")
    assert load_profile("laptop").name == "smoke"
    assert "wins over profile='laptop'" in capsys.readouterr().out
    assert load_profile("smoke").name == "smoke" and capsys.readouterr().out == ""


def test_unknown_profile_from_either_source(monkeypatch):
    monkeypatch.delenv("POSEBOOK_PROFILE", raising=False)
    with pytest.raises(PosebookError, match="smoke, laptop, gpu"):
        load_profile("big")
    monkeypatch.setenv("POSEBOOK_PROFILE", "huge")
    with pytest.raises(PosebookError, match="huge"):
        load_profile("laptop")


def test_profiles_have_the_same_fields_and_enough_test_sequences():
    profiles = [make() for make in PROFILES.values()]
    shapes = {tuple(p.describe()["volumetric"]) for p in profiles}
    assert len(shapes) == 1
    assert all(p.data.test_sequences >= 40 for p in profiles if p.name != "smoke")
