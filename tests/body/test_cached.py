"""The bake on disk: fresh processes, no network, damage, and a name that does not hang on last bits."""

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from posebook.body import cached, load_assets, recipe
from posebook.body.bake import LEVELS
from posebook.body.fingerprint import FINGERPRINT
from posebook.cache import file_hash
from posebook.errors import PosebookError

BAKE_WITHOUT_NETWORK = """
import socket, sys, time
def refuse(*_, **__):
    raise OSError("the network is off")
socket.create_connection = socket.getaddrinfo = socket.socket.connect = socket.socket.connect_ex = refuse
start = time.perf_counter()
from posebook.body import load_assets
assets = load_assets("coarse")
loaded = [m for m in sys.modules if m.startswith("anny")]
from posebook.body.anny_source import load_anny
print(assets.hash, load_anny().model.config.topology, "anny.models.smpl" in loaded, time.perf_counter() - start)
"""

FRESH = """
import sys
import numpy as np, smplx, torch
from smplx.utils import Struct
ids = dict(zip(*(np.load(sys.argv[2])[k].tolist() for k in ("id_names", "ids"))))
body = smplx.SMPL(model_path="", data_struct=Struct(**np.load(sys.argv[1])), vertex_ids=ids)
assert "posebook" not in sys.modules
print(float(body(betas=torch.ones(1, 10)).vertices.double().sum()))
"""


def python(code, *args, **environment):
    done = subprocess.run([sys.executable, "-c", code, *map(str, args)], capture_output=True, text=True, timeout=300,
                          env=os.environ | environment)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_bakes_without_network_and_to_the_same_name(tmp_path, body_cache):
    """anny's smplx topology would have to be downloaded; the bake neither needs nor asks for it."""
    name, topology, smpl_topology, seconds = python(BAKE_WITHOUT_NETWORK, POSEBOOK_CACHE=str(tmp_path)).split()[-4:]
    assert name == load_assets("coarse").hash
    assert (topology, smpl_topology) == ("anny", "False")
    print(f"\nbaked in {float(seconds):.1f} s")


@pytest.mark.parametrize("level", LEVELS)
def test_loads_in_a_fresh_process_by_smplx_alone(level, body_cache):
    from posebook.body import load_body

    folder = cached.body_folder()
    import torch

    here = load_body("free", level=level)(betas=torch.ones(1, 10)).vertices.double().sum().item()
    there = float(python(FRESH, folder / f"{level}.npz", folder / f"{level}_extras.npz").split()[-1])
    assert there == pytest.approx(here, abs=1e-3)


def test_agrees_with_the_committed_fingerprint(body_cache):
    """If this fails on purpose (the arrays moved), raise recipe.VERSION and commit the manifest's fingerprint."""
    _, manifest = cached.ensure_baked()
    assert recipe.agrees(manifest["fingerprint"])


def test_fingerprint_sees_a_tenth_of_a_millimetre():
    moved = {k: list(v) for k, v in FINGERPRINT.items()}
    moved["full/v_template"][2] += 2e-4
    assert recipe.agrees({k: list(v) for k, v in FINGERPRINT.items()}) and not recipe.agrees(moved)


@pytest.fixture
def copied(tmp_path, monkeypatch, body_cache):
    """A copy of the baked folder in a cache of its own, where baking again is only counted."""
    original = cached.body_folder()
    monkeypatch.setenv("POSEBOOK_CACHE", str(tmp_path))
    shutil.copytree(original, cached.body_folder(), dirs_exist_ok=True)
    bakes = []

    def restore(body, folder):
        bakes.append(folder)
        shutil.copytree(original, folder, dirs_exist_ok=True)

    monkeypatch.setattr(cached, "bake_body", lambda: None)
    monkeypatch.setattr(cached, "write_body", restore)
    return cached.body_folder(), bakes


@pytest.mark.parametrize("damage", ["cut", "changed", "removed", "manifest"])
def test_damage_is_noticed_and_mended(copied, damage, capsys):
    folder, bakes = copied
    assert cached.ensure_baked()[1]["hash"] and not bakes
    victim = folder / ("manifest.json" if damage == "manifest" else "coarse.npz")
    whole = victim.read_bytes()
    before = file_hash(victim)
    if damage == "removed":
        victim.unlink()
    elif damage == "changed":
        victim.write_bytes(whole[:-100] + bytes(100))
    else:
        victim.write_bytes(whole[: len(whole) // 2])
    cached.ensure_baked()
    assert bakes == [folder] and file_hash(victim) == before
    assert "damaged" in capsys.readouterr().out


def test_half_a_bake_is_never_taken_for_whole(tmp_path, monkeypatch, body_cache):
    """A failure while writing leaves nothing under the final name."""

    def failing(number):
        def write(*_, **__):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(np, "savez_compressed", write)

    failing(errno.ENOSPC)
    with pytest.raises(PosebookError, match=r"body could not be written: No space left on device .*MB free"):
        cached.write_body(_tiny_body(), tmp_path / "key")
    failing(errno.EIO)  # anything else is not a matter of space
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        cached.write_body(_tiny_body(), tmp_path / "key")
    assert list(tmp_path.iterdir()) == []


def test_two_that_bake_at_once_bake_once(tmp_path, monkeypatch, body_cache):
    """Locks are held per open file, so threads wait for each other as processes do."""
    original, expected = cached.ensure_baked()
    monkeypatch.setenv("POSEBOOK_CACHE", str(tmp_path))
    bakes, both = [], Barrier(2)

    def slow(body, folder):
        bakes.append(folder)
        time.sleep(0.5)
        shutil.copytree(original, folder)

    def ensure():
        both.wait(30)
        return cached.ensure_baked()

    monkeypatch.setattr(cached, "bake_body", lambda: None)
    monkeypatch.setattr(cached, "write_body", slow)
    with ThreadPoolExecutor(2) as pool:
        found = [future.result() for future in [pool.submit(ensure), pool.submit(ensure)]]
    assert bakes == [cached.body_folder()]
    assert found == [(cached.body_folder(), expected)] * 2
    shutil.rmtree(cached.body_folder())
    cached.ensure_baked()
    assert len(bakes) == 2  # a cleared cache is noticed


def _tiny_body():
    from posebook.body.bake import Body
    from posebook.body.levels import Level

    return Body({"full": Level({}, {}, None, None)}, np.zeros((1, 10)), {})


def test_manifest_states_the_recipe(body_cache):
    manifest = json.loads((cached.body_folder() / "manifest.json").read_text())
    assert manifest["recipe"]["anny"] and manifest["hash"] == load_assets().hash
