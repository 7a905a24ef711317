import pytest

from posebook.leaderboard.published import PUBLISHED, QUOTED, UNVERIFIED, VERIFIED, WITHDRAWN, published_table
from posebook.weights.known import KNOWN
from posebook.weights.known import WITHDRAWN as WITHDRAWN_FILE


def test_numbers_from_memory_are_not_printed_and_all_others_have_a_source():
    for row in PUBLISHED:
        assert row.status in (VERIFIED, QUOTED, WITHDRAWN, UNVERIFIED) and row.source
        assert (row.value is None) == (row.status == UNVERIFIED), row
        assert "memory" not in row.source or row.value is None
    table = published_table()
    assert (table["value, mm"] == "").sum() == sum(row.value is None for row in PUBLISHED) > 0


def test_the_withdrawn_training_is_marked_here_as_in_the_list_of_weights():
    withdrawn = {row.value for row in PUBLISHED if row.status == WITHDRAWN}
    files = [p.values for known in KNOWN for p in known.published if p.note == WITHDRAWN_FILE]
    for name, value in (("MPJPE", 82.9), ("PA-MPJPE", 51.9)):
        assert value in withdrawn and files[0][name] == pytest.approx(value, abs=0.2)


def test_numbers_that_the_list_of_weights_has_too_agree():
    listed = {
        (p.dataset, metric, value)
        for known in KNOWN for p in known.published for metric, value in p.values.items()
    }  # fmt: skip
    names = {"Human3.6M": "human36m", "3DPW": "3dpw"}
    for row in PUBLISHED:
        if row.method.startswith(("I2L", "TCMR")) and row.value is not None:
            assert (names[row.dataset], row.metric, row.value) in listed, row
