"""Cached trainings: each is made once, and a changed file concerns the trainings that import it, only."""

import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from posebook.cache import fcntl
from posebook.experiments import outcome as kept
from posebook.experiments.outcome import Outcome, remember, source_hash
from posebook.train import History


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Write a library of small files; `source_hash` reads it instead of ours."""
    root = tmp_path / "posebook"

    def write(name, text):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    write("__init__.py", "")
    write("experiments/__init__.py", "")
    write(
        "experiments/one.py", "import numpy as np\nfrom posebook.models.net import Net\nfrom posebook import shared\n"
    )
    write("experiments/two.py", "def train():\n    from posebook.models.other import Other\n    return Other\n")
    write("models/__init__.py", "")
    write("models/net.py", "from posebook.models.blocks import (\n    Block,\n)\nfrom posebook.parts import PALETTE\n")
    write("models/blocks.py", "from posebook.models.net import Net  # a circle\n")
    write("models/other.py", "")
    write("parts/__init__.py", "from posebook.parts.palette import PALETTE\n")
    write("parts/palette.py", "PALETTE = 1\n")
    write("shared.py", "")
    monkeypatch.setattr(kept, "__file__", str(root / "experiments" / "outcome.py"))
    return write


ONE, TWO = "posebook.experiments.one", "posebook.experiments.two"


@pytest.mark.parametrize(
    ("changed", "concerned"),
    [
        ("experiments/one.py", {ONE}),
        ("models/net.py", {ONE}),  # what it imports
        ("models/blocks.py", {ONE}),  # what that imports
        ("parts/__init__.py", {ONE}),  # a package
        ("parts/palette.py", {ONE}),  # what the package hands on
        ("shared.py", {ONE}),  # a module imported by `from posebook import`
        ("models/other.py", {TWO}),  # an import within a function
        ("experiments/three.py", set()),
    ],
)
def test_a_changed_file_changes_the_hash_of_what_imports_it_only(tree, changed, concerned):
    before = {name: source_hash(name) for name in (ONE, TWO)}
    path = Path(kept.__file__).parents[1] / changed
    tree(changed, (path.read_text() if path.exists() else "") + "# another line\n")
    assert {name for name in before if source_hash(name) != before[name]} == concerned


def test_the_same_code_has_the_same_hash(tree):
    assert source_hash(ONE) == source_hash(ONE) != source_hash(TWO)


CHAPTERS = ("volumetric", "segmentation", "nbf")


def hashes():
    return {name: source_hash(f"posebook.experiments.{name}") for name in CHAPTERS}


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """Folder of a copy of our code, and the hashes before any change."""
    root = tmp_path_factory.mktemp("lib") / "posebook"
    library = Path(kept.__file__).parents[1]
    for path in library.rglob("*.py"):
        (root / path.relative_to(library)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / path.relative_to(library))
    return root, hashes()


@pytest.mark.parametrize(
    ("changed", "concerned"),
    [
        ("models/nbf.py", {"nbf"}),
        ("models/refinenet.py", {"segmentation", "nbf"}),  # stage 2 learns from stage 1's maps
        ("train.py", set(CHAPTERS)),
        ("experiments/nbf_claims.py", set()),
        ("profile.py", set()),  # sizes are in the keys
    ],
)
def test_chapters_retrain_only_for_their_own_code(copied, monkeypatch, changed, concerned):
    root, before = copied
    monkeypatch.setattr(kept, "__file__", str(root / "experiments" / "outcome.py"))
    text = (root / changed).read_text()
    (root / changed).write_text(text + "\n# another line\n")
    after = hashes()
    (root / changed).write_text(text)
    assert {name for name in CHAPTERS if after[name] != before[name]} == concerned


def small(row: str) -> Outcome:
    """An outcome as `make` returns it."""
    return Outcome(row, {"joints3d": np.zeros((1, 17, 3))}, History([1], [0.5], 0.1), 1, 0.1, 1, 0.1,
                   {"weight": torch.zeros(1)}, 1.0)  # fmt: skip


@pytest.mark.skipif(fcntl is None, reason="this platform has no fcntl: nobody waits")
def test_a_second_one_that_wants_a_variant_waits_and_takes_what_the_first_trained(cache):
    calls, go = [], threading.Event()

    def make():
        calls.append(1)
        assert go.wait(60)
        return small(f"training {len(calls)}")

    def ask():
        return remember({"seed": 0}, make, "posebook.cache").row

    with ThreadPoolExecutor(2) as pool:  # the lock is a file's: threads wait as processes do
        asked = [pool.submit(ask) for _ in range(2)]
        time.sleep(0.5)  # both have asked
        go.set()
        assert [answer.result() for answer in asked] == ["training 1"] * 2
    assert len(calls) == 1
