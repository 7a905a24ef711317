"""Lists of what does not fit; reading is tested with the loaders that use it."""

from pathlib import Path

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.checkpoint_report import check_same, tensors_of

FILE = Path("some.pth.tar")


def test_the_same_passes_in_any_order():
    a = {"x": torch.zeros(2), "y": torch.zeros(3, 1)}
    check_same(a, dict(reversed(a.items())), FILE)


def test_three_lists_are_shortened_and_end_in_the_hint():
    state = {f"new{k}": torch.zeros(1) for k in range(10)} | {"x": torch.zeros(2)}
    with pytest.raises(PosebookError) as caught:
        check_same(state, {"x": torch.zeros(3), "y": torch.zeros(1)}, FILE, "Look here. ")
    assert str(caught.value) == (
        "The weights in some.pth.tar do not fit the network. 1 missing: y; 10 unknown: new0, new1, new2, new3, new4, "
        "new5, new6, new7 and 2 more; 1 of another size: x (2,) instead of (3,). Look here. Nothing was loaded."
    )


@pytest.mark.parametrize("content", [None, [], {}, {"model": {}}, {"model": {"a": 1}}, {"other": {}}])
def test_other_contents_are_refused(content):
    with pytest.raises(PosebookError, match="entry 'model' of tensors.*Pass that file unchanged"):
        tensors_of(content, "model", FILE, "that file")
