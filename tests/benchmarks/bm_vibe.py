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

import pytest
import torch
from torch import Tensor

from posebook.models.hmr import BodyOutput, Regressor
from posebook.models.spin_body import free_spin_body
from posebook.models.tcmr import TCMR
from posebook.models.tcmr_clip import clip_windows, tcmr_clip
from posebook.models.vibe import VIBE, vibe_clip

FRAMES, REPEATS = 300, 3


def in_turns(calls: dict[str, Callable], repeats: int) -> dict[str, float]:
    """Smallest CPU time of the calling thread for each call, taken in turns after one round to warm up."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats + 1):
        for name, call in calls.items():
            start = time.thread_time()
            call()
            times[name].append(time.thread_time() - start)
    return {name: min(t[1:]) for name, t in times.items()}


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


def show(title: str, forms: dict[str, Callable[[], BodyOutput]], repeats: int) -> None:
    """Print one line per form."""
    seconds, apart = in_turns(forms, repeats), difference([call() for call in forms.values()])
    ours = next(iter(seconds.values()))
    print(f"{title}, {FRAMES} frames, {torch.get_num_threads()} thread, best of {repeats} in turns")
    for name, taken in seconds.items():
        print(f"  {name:28s} {taken:7.2f} s  {1000 * taken / FRAMES:7.2f} ms per frame  {taken / ours:6.2f}x")
    print(f"  largest difference {apart:.1e}")
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
    show("VIBE", vibe_forms(fill, features), 5 * REPEATS)
    show("TCMR", tcmr_forms(fill, features), REPEATS - 1)


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
