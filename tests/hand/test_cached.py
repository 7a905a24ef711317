"""The hand's bake on disk: the committed fingerprint, no network, damage."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from posebook.body import recipe as body_recipe
from posebook.hand import cached, load_hand_assets, recipe
from posebook.hand.fingerprint import FINGERPRINT

BAKE_WITHOUT_NETWORK = """
import socket
def refuse(*_, **__):
    raise OSError("the network is off")
socket.create_connection = socket.getaddrinfo = socket.socket.connect = socket.socket.connect_ex = refuse
from posebook.hand import load_hand_assets
print(load_hand_assets().hash)
"""


@pytest.mark.slow
def test_bakes_without_network_and_to_the_same_name(tmp_path, hand_cache):
    done = subprocess.run([sys.executable, "-c", BAKE_WITHOUT_NETWORK], capture_output=True, text=True, timeout=300,
                          env=os.environ | {"POSEBOOK_CACHE": str(tmp_path)})  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == load_hand_assets().hash


def test_agrees_with_the_committed_fingerprint(hand_cache):
    """If this fails on purpose (the arrays moved), raise recipe.VERSION and commit the manifest's fingerprint."""
    _, manifest = cached.ensure_baked()
    assert recipe.agrees(manifest["fingerprint"])
    with np.load(cached.hand_folder() / "right.npz") as arrays:  # the manifest describes the arrays beside it
        assert manifest["fingerprint"]["v_template"][0] == pytest.approx(arrays["v_template"].mean(), abs=1e-6)


def test_fingerprint_sees_a_tenth_of_a_millimetre():
    moved = {k: list(v) for k, v in FINGERPRINT.items()}
    moved["v_template"][2] += 2e-4
    assert recipe.agrees({k: list(v) for k, v in FINGERPRINT.items()}) and not recipe.agrees(moved)


@pytest.mark.parametrize("damage", ["cut", "removed", "manifest"])
def test_damage_is_noticed_and_mended(tmp_path, monkeypatch, hand_cache, damage, capsys):
    original = cached.hand_folder()
    monkeypatch.setenv("POSEBOOK_CACHE", str(tmp_path))
    folder = cached.hand_folder()
    shutil.copytree(original, folder)
    bakes = []

    def restore(hand, into):
        bakes.append(into)
        shutil.copytree(original, into, dirs_exist_ok=True)

    monkeypatch.setattr(cached, "bake_hand", lambda: None)
    monkeypatch.setattr(cached, "write_hand", restore)
    assert cached.ensure_baked()[1]["hash"] and not bakes
    victim = folder / ("manifest.json" if damage == "manifest" else "right.npz")
    whole = victim.read_bytes()
    victim.unlink() if damage == "removed" else victim.write_bytes(whole[: len(whole) // 2])
    cached.ensure_baked()
    assert bakes == [folder] and victim.read_bytes() == whole
    assert "baked hand" in capsys.readouterr().out


def test_manifest_states_the_recipe(hand_cache):
    manifest = json.loads((cached.hand_folder() / "manifest.json").read_text())
    assert manifest["recipe"]["anny"] == body_recipe.recipe()["anny"]
    assert manifest["hash"] == load_hand_assets().hash and manifest["statistics"]["vertices"] == 778
