"""The body that a process works with is chosen by name, and comes back as it was."""

import os

import pytest

from posebook.own_body import FREE, VARIABLE, body_in_use, using_body


@pytest.mark.parametrize("before", [None, "", "other.npz"])
def test_a_body_is_used_inside_only(monkeypatch, before):
    monkeypatch.delenv(VARIABLE, raising=False)
    if before is not None:
        monkeypatch.setenv(VARIABLE, before)
    with pytest.raises(RuntimeError, match="inside"), using_body("SMPL_NEUTRAL.npz"):
        assert body_in_use() == "SMPL_NEUTRAL.npz"
        raise RuntimeError("inside")
    assert os.environ.get(VARIABLE) == before and body_in_use() == (before or FREE)
