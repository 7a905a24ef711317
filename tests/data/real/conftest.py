"""What tests of readers share. Fixtures of real layouts, and the people in them, are modules beside this file."""

from pathlib import Path

import numpy as np
import pytest

import posebook
from posebook.cache import cache_dir


@pytest.fixture
def own_cache(tmp_path, monkeypatch, body_cache):
    """Function that gives a test, and the notebooks it runs, a cache that shares these kinds with everybody's."""

    def make(*kinds: str) -> None:
        folder = tmp_path / "cache"
        folder.mkdir()
        for kind in kinds:
            (folder / kind).symlink_to(cache_dir(kind))
        monkeypatch.setenv("POSEBOOK_CACHE", str(folder))
        monkeypatch.delenv("POSEBOOK_PROFILE", raising=False)
        monkeypatch.setenv("PYTHONPATH", str(Path(posebook.__file__).parents[1]), prepend=":")

    return make


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
