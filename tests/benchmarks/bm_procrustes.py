"""Speed of PA-MPJPE against batched torch.linalg.svd: 35,000 bodies of 14 joints, one thread, one process.

    python tests/benchmarks/bm_procrustes.py
    pytest -s tests/benchmarks/bm_procrustes.py

CPU time of the one thread, best of several: other processes on the machine then matter little.
"""

import time
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from posebook.metrics import pa_mpjpe

FRAMES, JOINTS, REPEATS = 35_000, 14, 9


def pa_by_svd(pred: Tensor, target: Tensor) -> Tensor:
    """The same metric by batched torch.linalg.svd, (N,) mm."""
    x, y = (p - p.mean(1, keepdim=True) for p in (pred, target))
    u, s, vh = torch.linalg.svd(y.mT @ x)
    sign = torch.linalg.det(u @ vh).sign()
    u, s = (
        torch.cat([u[..., :2], u[..., 2:] * sign[:, None, None]], -1),
        torch.cat([s[:, :2], s[:, 2:] * sign[:, None]], 1),
    )
    scale = s.sum(1) / x.square().sum((1, 2))
    return 1000 * (scale[:, None, None] * x @ (u @ vh).mT - y).norm(dim=-1).mean(-1)


def best_ms(function: Callable) -> float:
    """Smallest CPU time of the calling thread over several calls."""
    times = []
    for _ in range(REPEATS):
        start = time.thread_time()
        function()
        times.append(time.thread_time() - start)
    return 1000 * min(times)


@pytest.mark.benchmarks
def test_procrustes_speed():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        report()
    finally:
        torch.set_num_threads(threads)


def report() -> None:
    """Print times, ratios and the largest difference."""
    g = torch.Generator().manual_seed(0)
    target = torch.randn(FRAMES, JOINTS, 3, generator=g) * 0.3
    pred = target + 0.1 * torch.randn(FRAMES, JOINTS, 3, generator=g)
    ours = best_ms(lambda: pa_mpjpe(pred, target))
    print(f"\n{FRAMES} x {JOINTS} joints, {torch.get_num_threads()} thread: pa_mpjpe {ours:.1f} ms")
    for dtype in (torch.float32, torch.float64):
        x, y = pred.to(dtype), target.to(dtype)
        covariance = y.mT @ x
        alone, whole = best_ms(lambda c=covariance: torch.linalg.svd(c)), best_ms(lambda x=x, y=y: pa_by_svd(x, y))
        print(
            f"  {dtype}: svd alone {alone:.1f} ms = {alone / ours:.1f}x, PA by svd {whole:.1f} ms = {whole / ours:.1f}x"
        )
    exact = pa_by_svd(pred.double(), target.double())
    worst = (pa_mpjpe(pred.double(), target.double(), "none") - exact).abs().max()
    print(f"  largest difference in float64: {worst:.1e} mm")
    assert worst < 1e-3


if __name__ == "__main__":
    torch.set_num_threads(1)
    report()
