"""Files appear whole or not at all."""

import numpy as np
import pytest

from posebook.cache import atomic_path, cache_dir, content_hash, file_hash, folder_size, write_text


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
