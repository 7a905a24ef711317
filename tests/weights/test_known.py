"""The list of official files: against the specs' numbers, and what must not be in it."""

import pytest

from posebook.errors import PosebookError
from posebook.weights import KNOWN, known_weights


def values(name, dataset, answer=""):
    return next(p for p in known_weights(name).published if (p.dataset, p.answer) == (dataset, answer)).values


def test_names_and_files_are_unique():
    assert len({known.name for known in KNOWN}) == len(KNOWN)
    files = [file for known in KNOWN for file in known.files]
    assert len(set(files)) == len(files)


@pytest.mark.parametrize(
    ("name", "dataset", "answer", "expected"),
    [
        ("i2l-h36m", "human36m", "lixel mesh", (55.83, 41.10)),
        ("i2l-h36m", "human36m", "body model", (66.05, 45.03)),
        ("i2l-3dpw", "3dpw", "lixel mesh", (93.15, 57.73)),
        ("i2l-smooth", "3dpw", "body model", (99.34, 61.80)),
        ("spin", "3dpw", "", (96.9, 59.2)),
        ("vibe-wo-3dpw", "3dpw", "", (93.59, 56.56)),
        ("tcmr-table4-3dpw", "3dpw", "", (86.5, 52.7)),
        ("tcmr-table6-3dpw", "3dpw", "", (95.0, 55.8)),
        ("tcmr-table6-h36m", "human36m", "", (62.3, 41.1)),
    ],
)
def test_published_numbers_are_those_of_the_specs(name, dataset, answer, expected):
    found = values(name, dataset, answer)
    assert (found["MPJPE"], found["PA-MPJPE"]) == expected


def test_withdrawn_numbers_say_so_and_the_two_accelerations_are_kept_apart():
    (withdrawn,) = known_weights("vibe-w-3dpw").published
    assert "withdrawn" in withdrawn.note
    assert not [p for k in KNOWN if k.name != "vibe-w-3dpw" for p in k.published if "withdrawn" in p.note]
    found = values("vibe-wo-3dpw", "3dpw")
    assert (found["ACCEL"], found["ACCEL_ERR"]) == (27.12, 27.99)


def test_video_networks_need_spin_and_everybody_a_licence():
    assert all("spin" in known.needs for known in KNOWN if known.kind in ("vibe", "tcmr"))
    assert all(known.licence and known.where and known.body in ("SMPL", "MANO") for known in KNOWN)


def test_unknown_name():
    with pytest.raises(PosebookError, match="Unknown weights 'hmr'. Expected one of i2l-h36m"):
        known_weights("hmr")
