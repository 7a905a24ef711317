"""What tests of readers share. Fixtures of real layouts, and the people in them, are modules beside this file."""

import numpy as np
import pytest


@pytest.fixture
def prepared(tmp_path):
    """Function that prepares a reader's split from a folder and opens it."""

    def run(reader, source, split):
        from posebook.data.real import open_real
        from posebook.data.real.prepare import prepare

        outcome = prepare(reader, source, split, tmp_path / "out" / split)
        assert outcome.state == "prepared", outcome.message
        return open_real(reader.name, split, root=tmp_path / "out")

    return run


@pytest.fixture
def pinhole():
    """Independent projection (N, J, 3), (N, 3, 3) -> (N, J, 2)."""

    def project(points, K):
        K = np.asarray(K)
        u = points[..., 0] / points[..., 2] * K[:, None, 0, 0] + K[:, None, 0, 2]
        v = points[..., 1] / points[..., 2] * K[:, None, 1, 1] + K[:, None, 1, 2]
        return np.stack([u, v], -1)

    return project
