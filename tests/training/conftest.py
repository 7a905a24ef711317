"""Caches for trainings in processes of their own."""

import os
from pathlib import Path

import pytest

SHARED = ("body", "hand", "data", "motion", "trunk")  # what is only made once


@pytest.fixture(scope="session")
def own_cache(body_cache):
    """Make an empty cache, but for what is only made once; gives the environment that names it."""

    def make(folder: Path) -> dict[str, str]:
        folder.mkdir()
        for kind in SHARED:
            (body_cache / kind).mkdir(exist_ok=True)
            (folder / kind).symlink_to(body_cache / kind)
        return os.environ | {"POSEBOOK_CACHE": str(folder), "OMP_NUM_THREADS": "1"}

    return make
