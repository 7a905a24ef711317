"""Files appear whole or not at all."""

import subprocess
import sys

import numpy as np
import pytest

from posebook import cache
from posebook.cache import atomic_path, cache_dir, content_hash, file_hash, folder_size, locked, write_text

MAKE_ONCE = """
import sys, time
from pathlib import Path
from posebook.cache import locked, write_text
made, name = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
with locked(made):
    if not made.exists():
        print("makes", flush=True)
        sys.stdin.readline()
        write_text(made, name)
print(made.read_text(), flush=True)
"""


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "first")
    with pytest.raises(OSError), atomic_path(path) as temporary:
        temporary.write_text("half of the sec")
        raise OSError("disk full")
    assert path.read_text() == "first" and [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_replaces_a_folder(tmp_path):
    for text in ("one", "two"):
        with atomic_path(tmp_path / "run") as temporary:
            temporary.mkdir()
            (temporary / f"{text}.txt").write_text(text)
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["two.txt"]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_comes_back_when_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("busy")

    with atomic_path(tmp_path / "run") as temporary:
        temporary.mkdir()
        (temporary / "one.txt").write_text("one")
    with pytest.raises(OSError, match="busy"), atomic_path(tmp_path / "run") as temporary:
        temporary.mkdir()
        monkeypatch.setattr(cache.os, "replace", refuse)
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["one.txt"] and len(list(tmp_path.iterdir())) == 1


def test_content_hash_sees_names_types_shapes_and_values_but_not_order():
    a, b = np.arange(6.0), np.ones(3, np.int64)
    base = content_hash({"a": a, "b": b})
    assert base == content_hash({"b": b, "a": a})
    others = [{"a": a, "c": b}, {"a": a.reshape(2, 3), "b": b}, {"a": a.astype("f4"), "b": b}, {"a": a + 1e-9, "b": b}]
    assert len({base, *map(content_hash, others)}) == 5


def test_sizes_hashes_and_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("POSEBOOK_CACHE", str(tmp_path / "c"))
    (cache_dir("x", "y") / "f").write_bytes(b"abc")
    assert folder_size(tmp_path) == 3 and (tmp_path / "c" / "x" / "y" / "f").exists()
    assert file_hash(tmp_path / "c" / "x" / "y" / "f").startswith("ba7816bf8f01cfea")  # FIPS 180-2, "abc"


@pytest.mark.skipif(cache.fcntl is None, reason="this platform has no fcntl: nobody waits")
def test_a_second_process_waits_and_takes_what_the_first_made(tmp_path):
    made = tmp_path / "deep" / "made.txt"
    first, second = (
        subprocess.Popen([sys.executable, "-c", MAKE_ONCE, str(made), name], text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for name in ("first", "second")
    )  # fmt: skip
    with first, second:
        assert [first.stdout.readline(), second.stdout.readline()] == ["ready\n", "ready\n"]
        print("go", file=first.stdin, flush=True)
        assert first.stdout.readline() == "makes\n"  # and holds the lock until its next line
        print("go", file=second.stdin, flush=True)
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(0.5)
        assert not made.exists()
        print("go", file=first.stdin, flush=True)
        assert first.stdout.readline() == "first\n"
        assert second.stdout.readline() == "first\n"  # it made nothing
    assert first.returncode == second.returncode == 0


def test_the_lock_is_given_up_after_a_failure_and_no_platform_needs_it(tmp_path, monkeypatch):
    with pytest.raises(ValueError), locked(tmp_path / "a"):
        raise ValueError
    with locked(tmp_path / "a"):
        pass
    monkeypatch.setattr(cache, "fcntl", None)
    with locked(tmp_path / "a"), locked(tmp_path / "a"):
        pass
