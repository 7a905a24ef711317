"""The paper's I2L-MeshNet with the Gaussians folded into Pose2Feat, against the same network with the volume.

    python tests/benchmarks/bm_i2l.py
    pytest -s tests/benchmarks/bm_i2l.py

One 256 x 256 image, one thread, eval mode, one process: the two take turns, and each time is the thread's CPU time,
best of several, so that other processes matter little. The twin makes the 29 x 64^3 volume by outer products and
convolves it. "Activation memory" is the most that is allocated at once during the call, weights not counted.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from posebook.models.i2l import I2LMeshNet

REPEATS = 15
MB = 2**20


class Measured(NamedTuple):
    """One form of a call."""

    seconds: float
    peak: int  # bytes


def in_turns(calls: dict[str, Callable]) -> dict[str, float]:
    """Smallest CPU time of the calling thread for each call, taken in turns."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(REPEATS + 1):
        for name, call in calls.items():
            start = time.thread_time()
            call()
            times[name].append(time.thread_time() - start)
    return {name: min(t[1:]) for name, t in times.items()}


def peak_bytes(call: Callable) -> int:
    """Largest sum of what torch's CPU allocator has handed out during the call and not got back."""
    call()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        call()
    live = peak = 0
    events = [e for e in recorded.profiler.kineto_results.events() if e.name() == "[memory]"]
    for event in sorted(events, key=lambda e: e.start_ns()):
        live += event.nbytes()
        peak = max(peak, live)
    return peak


def measure(calls: dict[str, Callable]) -> dict[str, Measured]:
    """Time and memory of each call."""
    seconds = in_turns(calls)
    return {name: Measured(seconds[name], peak_bytes(call)) for name, call in calls.items()}


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """One thread inside, as many as before afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def paper_network(fill: Callable) -> I2LMeshNet:
    """29 joints, 6,890 vertices, ResNet-50; deterministic weights that spread the points over the bins."""
    regressor = torch.rand(29, 6890, generator=torch.Generator().manual_seed(0))
    network = I2LMeshNet(29, 6890, regressor / regressor.sum(1, keepdim=True))
    fill(network.state_dict())
    return network.eval()


@torch.no_grad()
def report(fill: Callable) -> None:
    """Print times, memory, ratios and the largest difference of the two forms."""
    network = paper_network(fill)
    image = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(1))
    early = network.pose_backbone.forward_stem(image)
    joints = network.lixels(image)[0]

    def form(materialise: bool, call: Callable) -> Callable:
        def run():
            network.pose2feat.materialise = materialise
            return call()

        return run

    print(f"\n{torch.get_num_threads()} thread, best of {REPEATS} in turns")
    for title, call in (
        ("Pose2Feat", lambda: network.pose2feat(early, joints)),
        ("whole forward", lambda: network(image).mesh_img),
    ):
        forms = {"folded": form(False, call), "volume": form(True, call)}
        found = measure(forms)
        ours, twin = found["folded"], found["volume"]
        difference = (forms["folded"]() - forms["volume"]()).abs().max().item()
        print(
            f"{title:14s} {1000 * ours.seconds:7.1f} ms against {1000 * twin.seconds:7.1f} ms: "
            f"{twin.seconds / ours.seconds:5.2f}x;  activations {ours.peak / MB:6.1f} MB against "
            f"{twin.peak / MB:6.1f} MB: {twin.peak / ours.peak:5.2f}x;  largest difference {difference:.1e}"
        )
        assert difference < 1e-3


@pytest.mark.benchmarks
def test_folded_pose2feat(parity):
    with one_thread():
        report(parity.fill.fill_i2l)


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parents[1] / "parity"))
    from fill import fill_i2l

    with one_thread():
        report(fill_i2l)
