"""Speed of the synthetic renderer at the laptop resolution and where its time goes.

    python tests/benchmarks/bm_render.py
    pytest -s tests/benchmarks/bm_render.py

One process and one thread for the profile; the rate of `make benchmark` is this times the cores.
"""

import cProfile
import pstats
import time

import pytest
import torch

from posebook.data.store import Recipe, rows_of
from posebook.data.synthetic import Painter
from posebook.profile import laptop

IMAGES = 256
STAGES = {  # function -> what it does; cumulative time
    "pose": "pose the full and the coarse body, regress joints",
    "cast": "cast rays (Embree)",
    "shade": "shade the hits",
    "face_colours": "dress",
    "background": "make the scene",
    "render": "build the ray scene, cast, shade, average",
    "paint": "all of it",
}


def measure() -> dict[str, float]:
    """Seconds by stage for IMAGES pictures, clips made beforehand."""
    torch.set_num_threads(1)
    recipe = Recipe("procedural", "train", "stills", IMAGES, laptop().data)
    rows, painter = rows_of(recipe, recipe.drawn(), 0, IMAGES), Painter(laptop().data)
    painter.paint(rows[:8])
    profile = cProfile.Profile()
    started = time.perf_counter()
    profile.runcall(painter.paint, rows)
    seconds = {"wall": time.perf_counter() - started}
    for (_, _, name), (_, _, _, cumulative, _) in pstats.Stats(profile).stats.items():
        if name in STAGES:
            seconds[name] = max(seconds.get(name, 0.0), cumulative)
    return seconds


def report(seconds: dict[str, float]) -> None:
    """Print the rate and the stages."""
    print(f"{IMAGES / seconds['wall']:.0f} images/s on one core ({laptop().data.image_size} px, labels included)")
    for name, what in STAGES.items():
        print(f"{1000 * seconds[name] / IMAGES:6.2f} ms  {name:13s} {what}")


@pytest.mark.benchmarks
def test_render_speed(body_cache):
    """Prints; asserts only that every stage was seen."""
    seconds = measure()
    report(seconds)
    assert set(STAGES) <= set(seconds)


if __name__ == "__main__":
    report(measure())
