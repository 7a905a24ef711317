"""The explorer driven by its traits: two methods whose order depends on the alignment."""

import numpy as np
import pytest

from posebook.errors import PosebookError
from posebook.explorers import ProtocolExplorer
from posebook.leaderboard.methods import METHODS
from posebook.leaderboard.predictions import Predicted
from posebook.score import Truth

RNG = np.random.default_rng(0)
TARGET = RNG.normal(0, 0.3, (20, 17, 3))
TURN = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]])
TRUTH = Truth(np.arange(20).astype(str), np.array(["a", "b"] * 10), TARGET, "random")


@pytest.fixture(scope="module")
def explorer():
    blurred = TARGET + RNG.normal(0, 0.05, TARGET.shape)
    found = {
        "turned": Predicted(METHODS[0], {0: TARGET @ TURN}, False, False),
        "blurred": Predicted(METHODS[2], {0: blurred}, False, False),
        "free": Predicted(METHODS[4], {0: 0.1 * blurred}, False, True),
    }
    return ProtocolExplorer(found, TRUTH)


@pytest.fixture(autouse=True)
def reset(explorer):
    for control in (explorer.joints, explorer.root, explorer.alignment, explorer.frames, explorer.mean):
        control.value = control.options[0]


def test_it_starts_with_the_tables_own_protocol(explorer):
    assert explorer.scores["turned"] == explorer.base["turned"] > explorer.scores["blurred"]
    assert list(explorer.figure.data[0].y) == ["blurred", "turned"]  # the one without scale has no bar
    assert explorer.verdict.value == "the order is posebook17's" and explorer.figure.layout.title.text == "posebook17"
    assert explorer.table.value.count("<tr>") == 4 and "–" in explorer.table.value


def test_another_alignment_reorders_table_and_bars(explorer):
    explorer.alignment.value = "similarity"
    assert list(explorer.figure.layout.yaxis.categoryarray)[0] == "turned"
    assert explorer.scores["turned"] == pytest.approx(0, abs=1e-6)
    assert explorer.scores["free"] == pytest.approx(explorer.scores["blurred"])
    assert explorer.verdict.value == "1 pair(s) change places"
    assert explorer.figure.layout.title.text == "posebook17, but alignment similarity"
    assert explorer.table.value.index("turned") < explorer.table.value.index("blurred")


def test_every_dropdown_moves_the_numbers(explorer):
    before = dict(explorer.scores)
    explorer.joints.value = "12 (limbs)"
    limbs = dict(explorer.scores)
    explorer.root.value = "neck"
    assert len({before["blurred"], limbs["blurred"], explorer.scores["blurred"]}) == 3
    explorer.frames.value = "every 5th"
    assert explorer.choice == ("12 (limbs)", "neck", "root", "every 5th", "sequences")
    assert explorer.png().startswith(b"\x89PNG")


def test_nothing_to_show_is_refused():
    with pytest.raises(PosebookError, match="at least one method"):
        ProtocolExplorer({}, TRUTH)
