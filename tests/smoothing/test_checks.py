"""Input checks of the filters, those that no filter's own test meets."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.smoothing.checks import check_positive, check_rotations, check_vectors


def test_reflections_are_no_rotations():
    with pytest.raises(PosebookError, match="reflection"):
        check_rotations(-torch.eye(3).expand(2, 1, 3, 3))


def test_half_precision_passes_and_comes_out_wide():
    assert check_rotations(torch.eye(3).half().expand(2, 3, 3)).dtype == torch.float64
    assert check_vectors(torch.zeros(4)).dtype == torch.float64


def test_nan_is_not_positive():
    with pytest.raises(PosebookError, match="sigma must be positive, got nan"):
        check_positive(fps=30, sigma=float("nan"))
