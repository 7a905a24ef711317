"""TCMR and VIBE on a 300-frame clip, each against the same network called window by window.

    python tests/benchmarks/bm_vibe.py
    pytest -s tests/benchmarks/bm_vibe.py

Features to parameters and 49 joints, the paper's sizes, one thread, eval mode, one process: the forms take turns, and
each time is the thread's CPU time, best of several, so that other processes matter little. TCMR: a 16-frame window
around every frame, (1) `tcmr_clip`, (2) all windows in one batch, (3) one call per window. VIBE: 16-frame windows side
by side, (1) `vibe_clip`, (2) one call per window.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from posebook.models.hmr import BodyOutput, Regressor
from posebook.models.spin_body import free_spin_body
from posebook.models.tcmr import TCMR
from posebook.models.tcmr_clip import clip_windows, tcmr_clip
from posebook.models.vibe import VIBE, vibe_clip

FRAMES = 300


class Timed(NamedTuple):
    """One form of a call."""

    seconds: float  # least CPU time of the calling thread
    result: BodyOutput


def in_turns(calls: dict[str, Callable[[], BodyOutput]], rounds: dict[str, int]) -> dict[str, Timed]:
    """Call each so many times, in turns; the first call of a form also warms it up."""
    found: dict[str, Timed] = {}
    for k in range(max(rounds.values())):
        for name in [name for name in calls if k < rounds[name]]:
            start = time.thread_time()
            result = calls[name]()
            taken = time.thread_time() - start
            found[name] = Timed(min(taken, found[name].seconds) if name in found else taken, result)
    return found


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """One thread inside, as many as before afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def paper_regressor() -> Regressor:
    """SPIN's regressor on the free body's joints; it starts from a person standing in front of the camera."""
    identity = torch.tensor([1.0, 0, 0, 1, 0, 0]).repeat(24)
    return Regressor(free_spin_body(vertices=False), identity, torch.zeros(10), torch.tensor([0.9, 0, 0]))


def difference(bodies: list[BodyOutput]) -> float:
    """Largest difference of any number between the first and the others."""
    pairs = [(a, b) for other in bodies[1:] for a, b in zip(bodies[0], other, strict=True) if a is not None]
    return max((a - b).abs().max().item() for a, b in pairs)


def joined(bodies: list[BodyOutput]) -> BodyOutput:
    """(1, ...) or (N, ...) each, to one."""
    return BodyOutput(*(None if v[0] is None else torch.cat(v) for v in zip(*bodies, strict=True)))


def show(title: str, forms: dict[str, Callable[[], BodyOutput]], rounds: tuple[int, ...]) -> None:
    """Print one line per form."""
    found = in_turns(forms, dict(zip(forms, rounds, strict=True)))
    ours, *_ = found.values()
    print(f"{title}, {FRAMES} frames, {torch.get_num_threads()} thread")
    for (name, form), count in zip(found.items(), rounds, strict=True):
        per_frame, ratio = 1000 * form.seconds / FRAMES, form.seconds / ours.seconds
        print(f"  {name:32s} {form.seconds:7.2f} s, best of {count:2d}  {per_frame:7.2f} ms per frame  {ratio:6.2f}x")
    apart = difference([form.result for form in found.values()])
    print(f"  largest difference {apart:.1e}", flush=True)
    assert apart < 1e-5


def tcmr_forms(fill: Callable, features: Tensor) -> dict[str, Callable[[], BodyOutput]]:
    """Three ways to the same 300 bodies."""
    network = TCMR(paper_regressor()).eval()
    fill(network.state_dict())
    windows = clip_windows(len(features))
    return {
        "shared products (tcmr_clip)": lambda: tcmr_clip(network, features).body,
        "windows in one batch": lambda: network(features[windows]).body,
        "one call per window": lambda: joined([network(features[w][None]).body for w in windows]),
    }


def vibe_forms(fill: Callable, features: Tensor) -> dict[str, Callable[[], BodyOutput]]:
    """Two ways."""
    network = VIBE(paper_regressor()).eval()
    fill(network.state_dict())
    return {
        "windows in one batch (vibe_clip)": lambda: vibe_clip(network, features),
        "one call per window": lambda: joined([network(part[None]).flatten() for part in features.split(16)]),
    }


@torch.no_grad()
def report(fill: Callable) -> None:
    """Print times, ratios and the largest difference of the forms."""
    features = 0.5 * torch.randn(FRAMES, 2048, generator=torch.Generator().manual_seed(1)).clamp(min=0)
    print()
    show("VIBE", vibe_forms(fill, features), (20, 20))
    show("TCMR", tcmr_forms(fill, features), (4, 4, 1))


@pytest.mark.benchmarks
def test_clips(parity, body_cache):
    with one_thread():
        report(parity.fill.fill_vibe)


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parents[1] / "parity"))
    from fill import fill_vibe

    with one_thread():
        report(fill_vibe)
