"""The memory table of chapter 3: arithmetic against the spec's numbers, and against measurements of small cases."""

import math

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.experiments import memory
from posebook.experiments.memory import Case, cases, measure, memory_table, predicted_bytes

SIZES = {"hidden": 64, "channels": 256, "cells": 2, "batch": 2}
PARAMETERS = Case("parameters", 6890, None)


def answer_of_a_picture(name, vertices, bins):
    """Bytes."""
    return predicted_bytes(Case(name, vertices, bins), **SIZES).answer / SIZES["batch"]


def test_answers_of_the_specification():
    """Section 5.3 of specs/i2l.md, as rounded there."""
    assert memory.answer_numbers("lixel", 6890, 64) == pytest.approx(1.32e6, rel=0.003)
    told = {
        ("parameters", None): 328,
        ("coordinates", None): 83e3,
        ("lixel", 64): 5.3e6,
        ("pixel+z", 64): 115e6,
        ("voxel", 8): 14e6,
        ("voxel", 16): 113e6,
        ("voxel", 32): 903e6,
        ("voxel", 64): 7.2e9,
    }
    for (name, bins), size in told.items():
        assert answer_of_a_picture(name, 6890, bins) == pytest.approx(size, rel=0.01)
    assert {(c.representation, c.bins) for c in cases([6890])} == set(told)


def test_working_memory_by_hand():
    """Voxel 16 of 10 vertices: three doublings, one 1x1 convolution."""
    found = predicted_bytes(Case("voxel", 10, 16), hidden=8, channels=4, cells=2, batch=2)
    weights = 4 * 8 * 16 + 2 * 8 * 8 * 16 + 3 * 2 * 8 + 8 * 160 + 160
    maps = 2 * 2 * 8 * (4**2 + 8**2 + 16**2)
    assert found == (4 * 2 * 10 * 16**3, 4 * (weights + maps + 3 * 2 * 10 * 16**3))
    layers = predicted_bytes(Case("parameters", 10, None), **SIZES)
    assert layers.working == 2 * 4 * (256 * memory.LATENT + memory.LATENT) + layers.answer


def test_more_of_anything_takes_more():
    """More vertices, bins or pictures; a volume more than a picture, that more than lines."""
    for case in cases([1199]):
        few, more = (predicted_bytes(c, **SIZES) for c in (case, case._replace(vertices=6890)))
        assert few.working <= more.working and (few.working < more.working or case.representation == "parameters")
        assert few.answer * 4 == predicted_bytes(case, **SIZES | {"batch": 8}).answer
    working = [predicted_bytes(case, **SIZES).working for case in cases([6890]) if case.representation == "voxel"]
    assert working == sorted(working)
    sizes = [answer_of_a_picture(*case) for case in cases([6890]) if case.bins in (None, 64)]
    assert sizes == sorted(sizes)


@pytest.mark.slow
def test_measurement_agrees_and_leaves_out_the_parent():
    """The peak of a child starts at its parent's in Linux's ru_maxrss: 500 MB here must not show."""
    ballast = np.ones(500_000_000 // 8)
    for case in (Case("voxel", 1199, 16), Case("coordinates", 6890, None)):
        predicted = predicted_bytes(case, **SIZES).working
        assert predicted / 1.5 < measure(case, **SIZES) < predicted * 1.5
    assert measure(PARAMETERS, **SIZES) < 20e6 < ballast.nbytes


@pytest.mark.slow
def test_table(monkeypatch, tmp_path):
    """What does not fit under the limit is arithmetic only, and says so."""
    kinds = [PARAMETERS, Case("voxel", 6890, 64)]
    monkeypatch.setattr(memory, "cases", lambda vertices: kinds)
    monkeypatch.setattr(memory, "cache_dir", lambda *parts: tmp_path)
    table = memory_table([6890], **SIZES)
    assert list(table.columns) == [
        "representation", "bins", "vertices", "numbers", "answer MB", "predicted MB", "measured MB", "how"
    ]  # fmt: skip
    small, large = table.to_dict("records")
    assert small["how"] == "measured" and 0 <= small["measured MB"] < 20 and small["numbers"] == 82
    assert large["how"] == "arithmetic only: would need 43 GB" and math.isnan(large["measured MB"])
    assert large["answer MB"] == pytest.approx(7225, rel=0.001) and large["bins"] == 64


def test_a_measurement_is_kept_and_a_limit_still_holds(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "cache_dir", lambda *parts: tmp_path)
    asked = []
    monkeypatch.setattr(memory, "measure", lambda case, *_: asked.append(case) or 5e6)
    case = Case("lixel", 1199, 64)
    assert [memory.kept_measure(case, *SIZES.values()) for _ in range(2)] == [5e6, 5e6] and asked == [case]
    memory.kept_measure(case, *SIZES.values(), limit_bytes=1)
    assert asked == [case, case]  # which refuses it


def test_refuses_what_is_above_the_limit(monkeypatch):
    """Nothing is started: neither above the default limit, which knows the machine, nor above a given one."""
    monkeypatch.setattr(memory.subprocess, "run", lambda *_, **__: pytest.fail("started a process"))
    assert memory.default_limit() <= 4e9
    assert measure(Case("voxel", 6890, 64), **SIZES) is None
    assert measure(Case("voxel", 6890, 16), **SIZES, limit_bytes=1e8) is None
    table = memory_table([1199, 6890], **SIZES, limit_bytes=0)
    assert len(table) == 16 and table["how"].str.startswith("arithmetic only").all()
    assert table["measured MB"].isna().all() and table["bins"].isna().sum() == 4


@pytest.mark.parametrize(
    "case, sizes, message",
    [
        (Case("octree", 10, 8), {}, "Unknown representation 'octree'"),
        (Case("voxel", 0, 8), {}, "one vertex or more"),
        (Case("voxel", 10, None), {}, "bins is missing"),
        (Case("voxel", 10, 12), {}, "can be doubled to"),
        (Case("lixel", 10, 64), {"batch": 1}, "batch of 2"),
    ],
)
def test_bad_input(case, sizes, message):
    with pytest.raises(PosebookError, match=message):
        measure(case, **SIZES | sizes)


def test_bad_device_and_failed_child(monkeypatch):
    with pytest.raises(PosebookError, match="Unknown device"):
        measure(PARAMETERS, **SIZES, device="abacus")
    failed = memory.subprocess.CompletedProcess([], -9, "", "no room")
    monkeypatch.setattr(memory.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(PosebookError, match="(?s)exit code -9.*no room"):
        measure(PARAMETERS, **SIZES)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device, and this machine has none")
def test_measurement_on_a_gpu():
    case = Case("voxel", 1199, 32)
    predicted = predicted_bytes(case, **SIZES).working
    assert predicted / 1.5 < measure(case, **SIZES, device="cuda") < predicted * 1.5
