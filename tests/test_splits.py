"""The split is fixed, has its shares, and does not depend on Python's hash seed."""

import os
import subprocess
import sys

from posebook.splits import SHARES, membership


def test_shares():
    drawn = [membership("background", i) for i in range(5000)]
    for split, share in SHARES.items():
        assert abs(drawn.count(split) / 5000 - share) < 0.02


def test_fixed_for_ever():
    """Changing these answers makes another benchmark and invalidates every committed number."""
    assert [membership("subject", i) for i in range(12)] == FIRST_SUBJECTS


FIRST_SUBJECTS = ["train", "train", "train", "val", "train", "train", "train", "train", "train", "val", "train", "test"]


def test_independent_of_the_process():
    code = "from posebook.splits import membership; print([membership('clip', f'walk_{i}') for i in range(30)])"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
